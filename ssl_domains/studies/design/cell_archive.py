"""All cells of a study in one small Parquet file: from it a study resumes, and its pages are made anew.

One row is one probe at one fraction of one cell. Sums over groups are mostly zeros and small counts (confusion tables),
so each row holds their non-zero entries only: the gaps between their positions in the flattened ``[groups, K]`` array,
and the entries, as counts where all are whole numbers.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import Unreadable, read_guarded, write_errors, write_whole
from ssl_domains.studies.design.cells import CellResult, CellScore, StoredCell

__all__ = ["CellArchive", "read_cell_archive", "write_cell_archive"]

_META_KEY = "ssl_domains.study"
_UNSIGNED = {2**8 - 1: pl.UInt8, 2**16 - 1: pl.UInt16, 2**32 - 1: pl.UInt32, 2**64 - 1: pl.UInt64}
"""Largest number that a type holds → the type."""


@dataclass(frozen=True)
class CellArchive:
    """The contents of a file of cells.

    Attributes:
        cells: The finished cells.
        study: What the pages say beyond the cells, as JSON values (see `studies.evidence.record`); empty while the
            study is unfinished.
    """

    cells: tuple[StoredCell, ...]
    study: Mapping[str, Any] = field(default_factory=dict)


def write_cell_archive(path: Path, archive: CellArchive) -> Path:
    """Write the file, atomically.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    rows = [row for cell in archive.cells for row in _rows(cell)]
    frame = pl.DataFrame(
        {
            **{name: [row[name] for row in rows] for name in _PLAIN},
            "groups": _unsigned([row["groups"] for row in rows]),
            "gaps": _unsigned([row["gaps"] for row in rows]),
            "counts": _unsigned([row["counts"] for row in rows]),
            "numbers": pl.Series([row["numbers"] for row in rows], dtype=pl.List(_float_type(rows))),
        },
        schema_overrides=_PLAIN,
    )
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 19,
        "statistics": False,
        "metadata": {_META_KEY: json.dumps(archive.study)},
    }
    with write_errors(f"the cells {str(path)!r}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: frame.write_parquet(part, **options))
    return path


def read_cell_archive(path: Path) -> CellArchive:
    """Read a file that `write_cell_archive` wrote.

    Raises:
        DataError: When the file is damaged, or is not a file of cells.
    """
    found = read_guarded(lambda: _read(path), path)
    if isinstance(found, Unreadable):
        raise DataError(
            f"the cells {str(path)!r} can't be read: {found.cause}",
            f"restore the file, or run its cells again without it: rm {shlex.quote(str(path))}",
        )
    return found


def _read(path: Path) -> CellArchive:
    study = json.loads(pl.read_parquet_metadata(path)[_META_KEY])
    if not isinstance(study, dict):
        raise ValueError("the description of the study is no JSON object")
    cells: dict[str, StoredCell] = {}
    for row in pl.read_parquet(path).iter_rows(named=True):
        scores = cells.setdefault(row["cell"], _cell(row)).result.scores
        if row["probe"] is None:
            continue
        score = _score(row)
        if scores and (scores[-1].probe, scores[-1].fraction) == (score.probe, score.fraction):
            scores[-1].sums.update(score.sums)
        else:
            scores.append(score)
    return CellArchive(tuple(cells.values()), study)


_PLAIN: dict[str, Any] = {
    "cell": pl.String,
    "arm": pl.String,
    "fold": pl.Int32,
    "seed": pl.Int64,
    "fingerprint": pl.String,
    "training_seconds": pl.Float64,
    "measuring_seconds": pl.Float64,
    "nuisance": pl.String,
    "probe": pl.String,
    "fraction": pl.Float64,
    "labels": pl.Int64,
    "values": pl.String,
    "note": pl.String,
    "measures": pl.List(pl.String),
    "width": pl.Int32,
}


def _rows(cell: StoredCell) -> Iterable[dict[str, Any]]:
    """One row for each score and kind of sums; measures of equal sums share it. A cell without scores has one row."""
    common = {
        "cell": cell.folder,
        "arm": cell.arm,
        "fold": cell.fold,
        "seed": cell.seed,
        "fingerprint": cell.result.fingerprint,
        "training_seconds": cell.result.seconds[0],
        "measuring_seconds": cell.result.seconds[1],
        "nuisance": json.dumps(cell.result.nuisance),
    }
    empty: dict[str, Any] = {
        "probe": None, "fraction": None, "labels": None, "values": None, "note": None, "measures": [], "width": 0,
        "groups": [], "gaps": [], "counts": [], "numbers": [],
    }  # fmt: skip
    if not cell.result.scores:
        yield {**common, **empty}
    for score in cell.result.scores:
        shared: list[tuple[list[list[float]], list[str]]] = []
        for name, sums in score.sums.items():
            for known, names in shared:
                if known == sums:
                    names.append(name)
                    break
            else:
                shared.append((sums, [name]))
        for sums, names in shared:
            table = np.asarray(sums, dtype=np.float64).reshape(len(score.groups), -1)
            yield {
                **common,
                "probe": score.probe,
                "fraction": score.fraction,
                "labels": score.labels,
                "values": json.dumps(score.values),
                "note": score.note,
                "measures": names,
                "width": table.shape[1],
                "groups": score.groups,
                **_sparse(table.ravel()),
            }


def _sparse(flat: NDArray[np.float64]) -> dict[str, list[Any]]:
    places = np.flatnonzero(flat)
    entries = flat[places]
    whole = bool(np.all(np.isfinite(entries) & (entries >= 0) & (entries == np.round(entries)) & (entries < 2**53)))
    return {
        "gaps": np.diff(places, prepend=0).tolist(),
        "counts": entries.astype(np.int64).tolist() if whole else [],
        "numbers": [] if whole else entries.tolist(),
    }


def _unsigned(lists: Sequence[Sequence[int]]) -> pl.Series:
    """Lists of non-negative whole numbers, in the smallest type that holds them all."""
    largest = max((max(one) for one in lists if len(one)), default=0)
    return pl.Series(lists, dtype=pl.List(next(kind for most, kind in _UNSIGNED.items() if largest <= most)))


def _float_type(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Float32 where no number loses a digit by it, else Float64."""
    numbers = np.array([value for row in rows for value in row["numbers"]], dtype=np.float64)
    return pl.Float32 if np.array_equal(numbers, numbers.astype(np.float32), equal_nan=True) else pl.Float64


def _cell(row: Mapping[str, Any]) -> StoredCell:
    seconds = (row["training_seconds"], row["measuring_seconds"])
    result = CellResult(row["fingerprint"], [], json.loads(row["nuisance"]), seconds)
    return StoredCell(row["cell"], row["arm"], row["fold"], row["seed"], result)


def _score(row: Mapping[str, Any]) -> CellScore:
    flat = np.zeros(len(row["groups"]) * row["width"])
    flat[np.cumsum(row["gaps"], dtype=np.int64)] = row["counts"] or row["numbers"]
    sums = flat.reshape(len(row["groups"]), row["width"]).tolist()
    by_measure = dict.fromkeys(row["measures"], sums)
    values = json.loads(row["values"])
    return CellScore(row["probe"], row["fraction"], row["labels"], row["groups"], by_measure, values, row["note"])
