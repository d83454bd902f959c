"""Labels and horizons of interpreters become columns of the sample table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.errors import UsageError
from ssl_domains.samples import Problems, TableFiles, current_session
from ssl_domains_seismic.interpretation.assignment import assigned
from ssl_domains_seismic.interpretation.class_columns import class_columns, no_class_columns
from ssl_domains_seismic.interpretation.class_names import ClassNames
from ssl_domains_seismic.interpretation.horizon_column import horizon_column
from ssl_domains_seismic.interpretation.label_files import LabelFile, horizon_file
from ssl_domains_seismic.interpretation.merging import MergedLabels, merge_labels, unused_volumes
from ssl_domains_seismic.interpretation.numbering import numbered_words
from ssl_domains_seismic.interpretation.placing import PlacedFile, place_file
from ssl_domains_seismic.interpretation.request import InterpretationRequest
from ssl_domains_seismic.interpretation.sources import LabelSource, ZoneSource
from ssl_domains_seismic.interpretation.surveys import SampledSurvey
from ssl_domains_seismic.labels import UNLABELLED

__all__ = ["Attached", "attach"]

_LINES = 10  # label files that have a note of their own
_SHOWN = 8  # classes whose share of a survey is said
Placed = list[tuple[LabelFile, PlacedFile]]


@dataclass(frozen=True)
class Attached:
    """The samples with their columns.

    Attributes:
        frames: Samples of each survey.
        options: What the table records: ``mask_names`` and ``mask_columns``; empty without labels.
    """

    frames: list[pl.DataFrame]
    options: dict[str, Any]


def attach(
    surveys: Sequence[SampledSurvey],
    files: Sequence[LabelFile],
    request: InterpretationRequest,
    problems: Problems,
    notes: list[str],
) -> Attached:
    """Place interpreters' files on the surveys, write their label volumes and add the columns.

    Args:
        surveys: The surveys of the scan.
        files: The label files of the request.
        request: What is asked for.
        problems: Takes files that can't be placed.
        notes: Takes what was read.

    Raises:
        UsageError: When a file fits several surveys equally, classes have no numbers, or no table is being written.
    """
    frames = {survey.name: survey.frame for survey in surveys}
    if request.horizon is not None:
        _add_horizon(surveys, horizon_file(request.horizon), frames, problems, notes)
    session = current_session()
    written = None if session is None else session.files
    if written is not None:
        unused_volumes(written)
    if not request.labels:
        return Attached(list(frames.values()), {})
    if written is None:
        raise UsageError(
            "labels are written beside a sample table, and no table is being written",
            "ssl-domains seismic scan SOURCE -o samples.parquet --labels FILE",
        )
    names, words = numbered_words(files, request.names)
    of_survey = _placed(surveys, files, words, problems, notes)
    names = _zone_names(of_survey, names, request.names, notes)
    merged = _merged(surveys, of_survey, written, problems, notes)
    counts = sum((one.counts for one in merged.values()), np.zeros(256, dtype=np.int64))
    present = [number for number in range(UNLABELLED) if counts[number]]
    numbers = sorted({*present, *names.given})
    before = set().union(*(frame.columns for frame in frames.values()))
    for name, frame in frames.items():
        volume = merged.get(name)
        if volume is None or not volume.counts[:UNLABELLED].any():
            frames[name] = no_class_columns(frame, names, numbers)
        else:
            frames[name] = class_columns(frame, volume.path, names, numbers, request.cover)
            notes.append(_summary(name, volume, names, present))
    made = [name for frame in list(frames.values())[:1] for name in frame.columns if name not in before]
    options = {"mask_names": names.recorded(present), "mask_columns": [name for name in made if name != "mask_path"]}
    return Attached(list(frames.values()), options)


def _add_horizon(
    surveys: Sequence[SampledSurvey],
    file: LabelFile,
    frames: dict[str, pl.DataFrame],
    problems: Problems,
    notes: list[str],
) -> None:
    for survey, placed in assigned(
        file, surveys, lambda one, there: place_file(one, there, None), "--horizon", problems
    ):
        assert placed.horizon is not None
        notes.append(f"{file.path.name} on {survey.name}: {placed.said}")
        made = horizon_column(survey, frames[survey.name], placed.horizon.times)
        if made is None:
            notes.append(f"{survey.name}: no header says its sample interval, so no sample has a time from the horizon")
        else:
            frames[survey.name] = made


def _placed(
    surveys: Sequence[SampledSurvey],
    files: Sequence[LabelFile],
    words: Mapping[str, int] | None,
    problems: Problems,
    notes: list[str],
) -> dict[str, Placed]:
    """What each survey has of the files."""
    made: dict[str, Placed] = {survey.name: [] for survey in surveys}
    lines: list[str] = []
    for file in files:
        found = assigned(file, surveys, lambda one, there: place_file(one, there, words), "--labels", problems)
        for survey, placed in found:
            made[survey.name].append((file, placed))
        if found:
            said = "" if found[0][1].said is None else f": {found[0][1].said}"
            lines.append(f"{file.path.name} labels {', '.join(survey.name for survey, _ in found)}{said}")
    notes += lines[:_LINES] + ([f"… and {len(lines) - _LINES:,} more label files"] if len(lines) > _LINES else [])
    return made


def _horizons(placed: Placed) -> Placed:
    """The horizons of a survey, the shallowest first."""
    found = [(file, one) for file, one in placed if one.horizon is not None]
    return sorted(found, key=lambda pair: float(np.nanmean(pair[1].horizon.times)))  # type: ignore[union-attr]


def _zone_names(
    of_survey: Mapping[str, Placed], names: ClassNames, given: ClassNames | None, notes: list[str]
) -> ClassNames:
    """Names of the zones between horizons, where the user gave none; and a note on which zone is which."""
    zones = 0
    remarks: dict[str, list[str]] = {}
    for survey, placed in of_survey.items():
        horizons = [file.path.name for file, _ in _horizons(placed)]
        if len(horizons) == 1:
            alone = "it has one horizon, and zones need two: add another, or use it as"
            remarks.setdefault(f"{alone} --horizon {horizons[0]}", []).append(survey)
        elif horizons:
            zones = max(zones, len(horizons) + 1)
            between = [f"{n} from {a} to {b}" for n, (a, b) in enumerate(pairwise(horizons), 2)]
            said = [f"1 above {horizons[0]}", *between, f"{len(horizons) + 1} below {horizons[-1]}"]
            remarks.setdefault(f"zone {', '.join(said)}", []).append(survey)
    notes += [f"{', '.join(surveys)}: {said}" for said, surveys in remarks.items()]
    return names if given is not None or not zones else ClassNames({n: f"zone_{n}" for n in range(1, zones + 1)})


def _merged(
    surveys: Sequence[SampledSurvey],
    of_survey: Mapping[str, Placed],
    written: TableFiles,
    problems: Problems,
    notes: list[str],
) -> dict[str, MergedLabels]:
    """The label volume of each survey that has labels."""
    made: dict[str, MergedLabels] = {}
    for survey in surveys:
        placed = of_survey[survey.name]
        sources: dict[Path, LabelSource] = {file.path: one.source for file, one in placed if one.source is not None}
        horizons = _horizons(placed)
        if len(horizons) > 1:
            times = np.stack([one.horizon.times for _, one in horizons if one.horizon is not None])
            sources[horizons[0][0].path] = ZoneSource(times, survey.grid)
        merged = merge_labels(survey, sources, written, problems) if sources else None
        if merged is None:
            continue
        made[survey.name] = merged
        if merged.contested:
            files = ", ".join(path.name for path in sources)
            notes.append(
                f"{survey.name}: {merged.contested:,} voxels have different classes in several files ({files}): "
                "they are unlabelled"
            )
        if merged.without_data:
            lost = f"{merged.without_data:,} labelled voxels lie where there is no trace"
            notes.append(f"{survey.name}: {lost}: they are unlabelled")
    return made


def _summary(name: str, merged: MergedLabels, names: ClassNames, present: Sequence[int]) -> str:
    """The share of a survey that is labelled, and those of its classes."""
    labelled = int(merged.counts[:UNLABELLED].sum())
    said = [f"{merged.counts[n] / max(labelled, 1):.1%} {names.name(n)}" for n in present if merged.counts[n]]
    more = f", {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return f"{name}: {labelled / merged.counts.sum():.1%} of its voxels are labelled: {', '.join(said[:_SHOWN])}{more}"
