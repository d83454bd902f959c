"""Compute the masks of a table file by file, and write them with an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.prediction.mask_index import MaskIndex
from ssl_domains.prediction.mask_plan import check_plan, require_space
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, ReadError, SampleTable
from ssl_domains.samples.tables.places import portable_paths
from ssl_domains.samples.writing.map_files import MapAssembly, MapFile, MapModel, MapPlan
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.finetuning import FineTuned

__all__ = ["INDEX", "MASKS", "WrittenMasks", "write_masks"]

INDEX, MASKS = "index.csv", "masks"
_MOST_NAMES = 4

Progress = Callable[[int, int], None]
Maps = Iterator[tuple[int, NDArray[np.float32]]]


@dataclass(frozen=True)
class WrittenMasks:
    """What `write_masks` wrote.

    Attributes:
        samples: Number of samples in the files.
        files: Number of files.
        pixels: Class → pixels of it in all files; the background is left out. Where samples of an assembly overlap, a
            pixel counts once.
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
    progress: Progress | None = None,
    writing: Progress | None = None,
    notice: Callable[[str], None] | None = None,
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
        writing: Called with the bytes of assemblies that are written, and of all assemblies.
        notice: Called with a sentence before the work: how large assemblies will be.

    Raises:
        PluginError: When the plan has a name twice or outside of the folder, or a row in two files.
        DataError: When no file could be written.
        ResourceError: When assemblies are larger than the space on the disk.
    """
    about = MapModel(model.run.folder.name, tuple(model.task.classes), tuple(model.task.numbers))
    check_plan(plan, rows, about)
    for sentence in require_space(plan, about, folder):
        if notice is not None:
            notice(sentence)
    written = _Writing(model, about, table, store, rows, folder, progress, _WrittenBytes.of(plan, about, writing))
    for several, files in groupby(plan.files, lambda file: isinstance(file, MapAssembly)):
        if several:
            for file in files:
                written.assembly(file)  # type: ignore[arg-type]
        else:
            written.files(list(files))  # type: ignore[arg-type]
    index, problems = written.index, written.problems
    if not index.files:
        first = problems.rows[0][1] if problems.rows else "the domain names no file for them"
        raise DataError(f"no mask could be written: {first}", "are the source files where they were?")
    frame = index.frame(table, model.task.classes, trained)
    portable_paths(frame, final / INDEX).write_csv(folder / INDEX)
    return WrittenMasks(
        samples=len(frame),
        files=written.written,
        pixels=dict(zip(model.task.classes, written.pixels.tolist(), strict=True)),
        problems=problems.frame().unique(maintain_order=True),
        notes=(*plan.notes, *written.notes, *_said(written.gaps)),
    )


class _WrittenBytes:
    """Progress of writing assemblies: each reports the bytes of its own files, these add up to those of the plan."""

    def __init__(self, sizes: Mapping[str, int], progress: Progress | None) -> None:
        self._sizes, self._progress = sizes, progress
        self._before, self._all = 0, sum(sizes.values())

    @classmethod
    def of(cls, plan: MapPlan, model: MapModel, progress: Progress | None) -> _WrittenBytes:
        sizes = {file.name: file.size(model).files for file in plan.files if isinstance(file, MapAssembly)}
        return cls(sizes, progress)

    @contextmanager
    def of_assembly(self, file: MapAssembly) -> Iterator[Progress | None]:
        """Yields the progress of one assembly; afterwards all of it counts as written."""
        before, size, report = self._before, self._sizes[file.name], self._progress
        yield None if report is None else lambda done, of: report(before + size * done // max(of, 1), self._all)
        self._before += size


class _Writing:
    """The files that were written so far."""

    def __init__(
        self, model: FineTuned, about: MapModel, table: SampleTable, store: ArrayStore, rows: NDArray[np.int64],
        folder: Path, progress: Progress | None, bytes_written: _WrittenBytes,
    ) -> None:  # fmt: skip
        self._model, self._about, self._table, self._store = model, about, table, store
        self._usable = np.zeros(len(table), dtype=np.bool_)
        self._usable[rows] = True
        self._all, self._done, self._progress = len(rows), 0, progress
        self._folder, self._bytes = folder / MASKS, bytes_written
        self.index = MaskIndex(len(table), about.numbers)
        self.problems = Problems()
        self.pixels = np.zeros(len(about.numbers), dtype=np.int64)
        self.gaps: dict[str, int] = {}
        self.notes: list[str] = []
        self.written = 0

    def files(self, files: Sequence[MapFile]) -> None:
        """Write files of one mask each or of a few; a file without a row that the model can take is passed over."""
        for file, maps in self._files_with_maps(files):
            path = self._path(file.name)
            try:
                missing = file.write(path, maps)
            except ReadError as error:
                self._failed(sorted(maps), error, [path])
                continue
            if missing:
                self.gaps[file.name] = missing
            self._wrote(file.name, list(maps), 1)
            self.pixels += self.index.pixels(list(maps))

    def assembly(self, file: MapAssembly) -> None:
        """Write the files of an assembly, unless the model can take none of its samples."""
        order = self._order([file])
        if not len(order):
            return
        paths = [self._path(name) for name in file.names(self._about)]
        try:
            with self._bytes.of_assembly(file) as progress:
                assembled = file.assemble(self._folder, self._probabilities(order), self._about, progress)
        except ReadError as error:
            self._failed(order.tolist(), error, paths)
            return
        self._wrote(file.name, order.tolist(), len(paths))
        self.pixels += np.array(assembled.pixels, dtype=np.int64)
        self.notes += assembled.notes

    def _files_with_maps(self, files: Sequence[MapFile]) -> Iterator[tuple[MapFile, dict[int, NDArray[np.uint8]]]]:
        """Each file with the masks of its rows."""
        waiting = [{row for row in file.rows if self._usable[row]} for file in files]
        file_of = {row: at for at, members in enumerate(waiting) for row in members}
        order = self._order(files)
        if not len(order):
            return
        maps: dict[int, dict[int, NDArray[np.uint8]]] = {}
        part = self._table.take(order)
        for place, mask in self._model.label_maps(part, self._store, progress=self._progress_of(len(order))):
            row = int(order[place])
            self.index.count(row, mask)
            at = file_of[row]
            maps.setdefault(at, {})[row] = mask
            waiting[at].discard(row)
            if not waiting[at]:
                yield files[at], maps.pop(at)

    def _probabilities(self, order: NDArray[np.int64]) -> Maps:
        """The probabilities of rows in an order."""
        numbers = np.array(self._about.outputs, dtype=np.uint8)
        part = self._table.take(order)
        found = self._model.probability_maps(part, self._store, progress=self._progress_of(len(order)))
        for place, probabilities in found:
            row = int(order[place])
            self.index.count(row, numbers[probabilities.argmax(axis=0)])
            yield row, probabilities

    def _order(self, files: Sequence[MapFile] | Sequence[MapAssembly]) -> NDArray[np.int64]:
        """The rows of some files that the model can take, in their order."""
        rows: NDArray[np.int64] = np.concatenate([np.array(file.rows, dtype=np.int64) for file in files])
        return np.asarray(rows[self._usable[rows]])

    def _path(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _wrote(self, name: str, rows: Sequence[int], files: int) -> None:
        self.index.add(f"{MASKS}/{name}", rows)
        self.written += files

    def _failed(self, rows: Sequence[int], error: ReadError, paths: Sequence[Path]) -> None:
        for source in _sources(self._table, rows):
            self.problems.add(source, error)
        for path in paths:
            path.unlink(missing_ok=True)

    def _progress_of(self, count: int) -> Progress | None:
        """Progress of one run of the model as part of the whole."""
        before, self._done = self._done, self._done + count
        report = self._progress
        return None if report is None else lambda done, _: report(before + done, self._all)


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
