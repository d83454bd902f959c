"""Which files the predictions of a table are written to: a set of files for each volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.prediction import MapPlan, mirrored_names
from ssl_domains.samples import SampleTable
from ssl_domains_seismic.predictions.array_maps import ArrayMaps
from ssl_domains_seismic.predictions.samples_of_volume import samples_of_volume
from ssl_domains_seismic.predictions.segy_maps import KINDS, SegyMaps
from ssl_domains_seismic.predictions.survey_maps import VolumeMaps
from ssl_domains_seismic.reading import OPTIONS, reading_of

__all__ = ["map_files"]

_ARRAY_KIND = "uint8"  # of the class numbers of a .npy volume; SEG-Y programs read float32 more widely


def map_files(table: SampleTable, root: Path | None, format: str | None = None) -> MapPlan:
    """The files of the predictions of a table: ``NAME.classes.sgy``, ``NAME.p_CLASS.sgy``, or the same as ``.npy``.

    Args:
        table: The samples, with the columns of the reader.
        root: Folder that was scanned, from which names count; None takes the folder that all files share.
        format: Type of the class numbers: float32, int32, int16, int8 or uint8. None takes float32 for SEG-Y and uint8
            for ``.npy``. Probabilities are float32.

    Raises:
        UsageError: For another type, or a table that was not scanned by this domain.
        DataError: When a row names no axis or no region.
    """
    if format is not None and format not in KINDS:
        raise UsageError(f"--format {format!r} can't be written", did_you_mean(format, KINDS))
    missing = [name for name in ("path", "region", "along") if name not in table.columns]
    if missing:
        raise UsageError(f"the table has no column {missing[0]!r}", "scan the volume with ssl-domains seismic scan")
    read = [name for name in (*OPTIONS, "index_path") if name in table.columns]
    frame = table.frame.select("path", "region", "along", *read).with_row_index("row")
    parts = frame.partition_by("path", maintain_order=True)
    stems = mirrored_names([str(part["path"][0]) for part in parts], root, "")
    return MapPlan(tuple(_volume(part, stem, format) for part, stem in zip(parts, stems, strict=True)))


def _volume(part: pl.DataFrame, stem: str, format: str | None) -> VolumeMaps:
    first: dict[str, Any] = part.row(0, named=True)
    source = Path(str(first["path"]))
    samples = samples_of_volume(part["row"].to_numpy().astype(np.int64), part["region"], part["along"].to_list())
    if source.suffix.lower() == ".npy":
        kind = format or _ARRAY_KIND
        return ArrayMaps(f"{stem}.classes.npy", samples.rows, stem, source, samples, kind)
    reading = replace(reading_of(*(first.get(name) for name in OPTIONS)), index=first.get("index_path"))
    return SegyMaps(f"{stem}.classes.sgy", samples.rows, stem, source, samples, format or "float32", reading)
