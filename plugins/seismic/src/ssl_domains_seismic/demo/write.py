"""``ssl-domains seismic demo-data``: a simulated survey of two angle stacks, its labels, and files with faults."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.facies import FACIES
from ssl_domains_seismic.demo.interpretation import (
    SECTION_INLINE,
    SLICE_MS,
    UNLABELLED,
    write_horizon,
    write_polygons,
    write_section,
)
from ssl_domains_seismic.demo.segy_bytes import IBM, IEEE, INT8, SegyFile
from ssl_domains_seismic.demo.survey import CROSSLINES, INLINES, INTERVAL_MS, STACKS, Survey, draw_survey
from ssl_domains_seismic.demo.trace_words import line_words, survey_text
from ssl_domains_seismic.demo.twins import write_twins

__all__ = ["write_demo_data"]

_FORMATS = {"near": IBM, "far": IEEE}


def write_demo_data(out: Path, seed: int = 0) -> str:
    """Write the demonstration under ``out`` and return what to say about it.

    Simulated: 100 inlines × 120 crosslines × 200 samples of folded and faulted layers with five facies. In ``survey/``
    are two angle stacks of the same traces, one in IBM and one in IEEE floats; in ``labels/`` the exact facies as SEG-Y
    and ``.npy``, one inline of them as a picture, channels and chaotic bodies of a time slice as GeoJSON, a horizon as
    text, and the names of the classes; in ``twins/`` small files with one fault each. The same seed gives the same
    bytes.

    Args:
        out: Folder; it is made.
        seed: Seed of the data.
    """
    survey = draw_survey(seed)
    for name in ("survey", "labels", "twins"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for name, stack in STACKS.items():
        _survey_file(survey, survey.stacks[name], stack.title, _FORMATS[name], seed).write(
            out / "survey" / f"{name}.sgy"
        )
    _write_labels(out / "labels", survey, seed)
    write_twins(out / "twins", survey, seed)
    (out / "README.txt").write_text(_NOTE, encoding="utf-8", newline="\n")
    command = ["ssl-domains", "seismic", "scan", str(out / "survey"), "-o", str(out / "samples.parquet")]
    traces = int(survey.live.sum())
    return (
        f"a simulated survey of {INLINES.size} × {CROSSLINES.size} places with {traces} traces in {len(STACKS)} angle "
        f"stacks, its labels and 5 faulty files in {out}\nnext: {shlex.join(command)}"
    )


def _survey_file(
    survey: Survey, samples: NDArray[np.float32] | NDArray[np.uint8], title: str, code: int, seed: int
) -> SegyFile:
    """A file with a trace at every live place, inline by inline."""
    inline, crossline = np.meshgrid(INLINES, CROSSLINES, indexing="ij")
    return SegyFile(
        text=survey_text(title),
        samples=samples[survey.live],
        words=line_words(inline[survey.live], crossline[survey.live], seed),
        interval_us=1000 * INTERVAL_MS,
        code=code,
    )


def _write_labels(folder: Path, survey: Survey, seed: int) -> None:
    _survey_file(survey, survey.facies, "FACIES, 0 TO 4", INT8, seed).write(folder / "facies.sgy")
    np.save(folder / "facies.npy", np.where(survey.live[..., None], survey.facies, UNLABELLED).astype(np.uint8))
    write_section(folder / f"facies_inline_{SECTION_INLINE}.png", survey)
    write_polygons(folder / f"bodies_{SLICE_MS}ms.geojson", survey)
    write_horizon(folder / "top_unit_5.txt", survey, np.random.default_rng([seed, 5]))
    names = {str(number): name for number, name in enumerate(FACIES)}
    (folder / "classes.json").write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8", newline="\n")


_NOTE = """Simulated seismic data of no real place, written by `ssl-domains seismic demo-data` to try the commands on.
A demonstration, not evidence.

survey/near.sgy, far.sgy    two angle stacks of one area; inline at byte 9 (step 2), crossline at byte 21 (step 4),
                            random numbers at bytes 189 and 193, first sample at 1,000 ms, a hole without traces
labels/facies.sgy, .npy     the exact facies of every voxel; 255 where there is no trace
labels/facies_inline_*.png  one inline of them; columns are crosslines, rows are samples
labels/bodies_*.geojson     channels and chaotic bodies on a time slice, in map coordinates
labels/top_unit_5.txt       a horizon; 1e30 where it has no pick
labels/classes.json         names of the facies

twins/truncated.sgy         the last trace is cut off in its middle, and two more are missing
twins/little_endian.sgy     the byte order is not that of the standard
twins/ieee_under_code_1.sgy the binary header says IBM floats, the samples are IEEE floats
twins/swapped_words.sgy     bytes 189 and 193 hold the lines too, but crossline first; nothing says which are right
twins/shots_by_channels.sgy shot gathers: record and channel fill a grid, but they are no lines
"""
