"""Compute the masks of a table file by file, and write them with an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, PluginError
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, ReadError, SampleTable
from ssl_domains.samples.map_files import MapFile, MapPlan
from ssl_domains.samples.tables.places import portable_paths
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.finetuning import FineTuned

__all__ = ["INDEX", "MASKS", "WrittenMasks", "check_plan", "write_masks"]

INDEX, MASKS = "index.csv", "masks"
_MOST_NAMES = 4


@dataclass(frozen=True)
class WrittenMasks:
    """What `write_masks` wrote.

    Attributes:
        samples: Number of samples in the files.
        files: Number of files.
        pixels: Class → pixels of it in all files; the background is left out.
        problems: Columns ``path`` and ``cause``: samples whose file can't be written.
        notes: Sentences for the user.
    """

    samples: int
    files: int
    pixels: Mapping[str, int]
    problems: pl.DataFrame
    notes: tuple[str, ...]


def write_masks(
    model: FineTuned,
    table: SampleTable,
    store: ArrayStore,
    rows: NDArray[np.int64],
    plan: MapPlan,
    folder: Path,
    *,
    trained: NDArray[np.bool_],
    final: Path,
    progress: Callable[[int, int], None] | None = None,
) -> WrittenMasks:
    """Write the masks of some rows below ``folder/masks``, and ``folder/index.csv`` beside them.

    The index has a row for each sample that is in a file: ``sample``, ``path``, ``volume`` and ``slice`` where the
    table has them, ``predicted_mask`` (the file, relative to the index), ``pixels_CLASS`` and ``trained_on``.

    Args:
        model: The fine-tuned model.
        table: The samples.
        store: Their arrays.
        rows: Rows that the model can take.
        plan: The files.
        folder: An empty folder.
        trained: Which rows the model was trained on, bool ``[n]``.
        final: Name that the folder gets afterwards; paths in the index count from there.
        progress: Called with the number of rows done and of all rows.

    Raises:
        PluginError: When the plan has a name twice or outside of the folder, or a row in two files.
        DataError: When no file could be written.
    """
    check_plan(plan, rows)
    problems = Problems()
    written: list[tuple[int, str]] = []
    counts: dict[int, list[int]] = {}
    gaps: dict[str, int] = {}
    numbers = np.array(model.task.numbers, dtype=np.int64)
    files = 0
    for file, maps in _files_with_maps(model, table, store, rows, plan, progress):
        path = folder / MASKS / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            missing = file.write(path, maps)
        except ReadError as error:
            for source in _sources(table, sorted(maps)):
                problems.add(source, error)
            path.unlink(missing_ok=True)
            continue
        files += 1
        if missing:
            gaps[file.name] = missing
        for row, mask in maps.items():
            written.append((row, f"{MASKS}/{file.name}"))
            counts[row] = np.bincount(mask.ravel(), minlength=256)[numbers].tolist()
    if not files:
        first = problems.rows[0][1] if problems.rows else "the domain names no file for them"
        raise DataError(f"no mask could be written: {first}", "are the source files where they were?")
    written.sort()
    index = _index(table, written, counts, model.task.classes, trained)
    portable_paths(index, final / INDEX).write_csv(folder / INDEX)
    totals = np.sum([counts[row] for row, _ in written], axis=0).tolist()
    return WrittenMasks(
        samples=len(written),
        files=files,
        pixels=dict(zip(model.task.classes, totals, strict=True)),
        problems=problems.frame().unique(maintain_order=True),
        notes=(*plan.notes, *_said(gaps)),
    )


def _files_with_maps(
    model: FineTuned,
    table: SampleTable,
    store: ArrayStore,
    rows: NDArray[np.int64],
    plan: MapPlan,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[MapFile, dict[int, NDArray[np.uint8]]]]:
    """Each file with the masks of its rows; a file without a row that the model can take is passed over."""
    usable = set(rows.tolist())
    waiting = {at: {row for row in file.rows if row in usable} for at, file in enumerate(plan.files)}
    order = [row for file in plan.files for row in file.rows if row in usable]
    file_of = {row: at for at, members in waiting.items() for row in members}
    maps: dict[int, dict[int, NDArray[np.uint8]]] = {}
    part = table.take(np.array(order, dtype=np.int64))
    for place, mask in model.label_maps(part, store, progress=progress):
        row = order[place]
        at = file_of[row]
        maps.setdefault(at, {})[row] = mask
        waiting[at].discard(row)
        if not waiting[at]:
            yield plan.files[at], maps.pop(at)


def check_plan(plan: MapPlan, rows: NDArray[np.int64]) -> None:
    """Refuse a plan that would lose masks.

    Args:
        plan: The files.
        rows: Rows that will have a mask.

    Raises:
        PluginError: When a name repeats or leads out of the folder, or a row is in two files or in none.
    """
    hint = "see the contract of map_files in ssl_domains.prediction"
    names: set[str] = set()
    taken: set[int] = set()
    for file in plan.files:
        parts = PurePosixPath(file.name).parts
        if not parts or ".." in parts or PurePosixPath(file.name).is_absolute() or "\\" in file.name:
            raise PluginError(f"the domain names a file of masks {file.name!r}: no name below a folder", hint)
        if file.name.casefold() in names:
            raise PluginError(f"the domain names two files of masks {file.name!r}", hint)
        names.add(file.name.casefold())
        if taken & set(file.rows):
            raise PluginError(f"the domain puts one sample into two files of masks, the second is {file.name!r}", hint)
        taken.update(file.rows)
    lost = set(rows.tolist()) - taken
    if lost:
        raise PluginError(f"the domain names no file for the masks of {plural(len(lost), 'sample')}", hint)


def _index(
    table: SampleTable,
    written: Sequence[tuple[int, str]],
    counts: Mapping[int, Sequence[int]],
    classes: Sequence[str],
    trained: NDArray[np.bool_],
) -> pl.DataFrame:
    at = np.array([row for row, _ in written], dtype=np.int64)
    named = [name for name in ("sample", "path", "volume", "slice") if name in table.columns]
    columns: list[Any] = [table.frame[name][at] for name in named]
    columns.append(pl.Series("predicted_mask", [name for _, name in written], dtype=pl.String))
    for k, name in enumerate(classes):
        columns.append(pl.Series(f"pixels_{name}", [counts[row][k] for row, _ in written], dtype=pl.Int64))
    return pl.DataFrame([*columns, pl.Series("trained_on", trained[at])])


def _sources(table: SampleTable, rows: Sequence[int]) -> list[str]:
    name = "path" if "path" in table.columns else "sample"
    return list(dict.fromkeys(str(value) for value in table.frame[name][list(rows)].to_list()))


def _said(gaps: Mapping[str, int]) -> Iterator[str]:
    if not gaps:
        return
    shown = ", ".join(f"{name} ({count})" for name, count in list(gaps.items())[:_MOST_NAMES])
    more = f" and {len(gaps) - _MOST_NAMES} more" if len(gaps) > _MOST_NAMES else ""
    files = plural(len(gaps), "file has", "files have")
    yield f"{files} slices without a prediction, which hold 255: {shown}{more}"
