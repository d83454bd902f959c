"""Parts of a survey that lies in memory: against segyio, and against a bare memory map copied to native numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import segyio
from numpy.typing import NDArray

from benchmarks.result import Row
from benchmarks.seismic.files import CODES, write_survey
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains_seismic.copies.write import write_copy
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.volume import SegyVolume
from ssl_domains_seismic.survey import examine, open_survey

__all__ = ["access_rows"]

_PLAIN = Reading()
Read = Callable[[], NDArray[Any]]


def access_rows(folder: Path, shape: tuple[int, int, int], side: int, rounds: int, calls: int) -> Iterator[Row]:
    """Ratios of all formats; the values of the arms are compared before any is timed.

    Args:
        folder: Where the files are written.
        shape: Inlines, crosslines, samples.
        side: Of a cube.
        rounds: How often each arm is timed.
        calls: Reads of an arm in a row. Against segyio, one read a turn is timed too, which finds the file in memory
            but not in the processor's cache.
    """
    cube = tuple(slice((length - side) // 2, (length - side) // 2 + side) for length in shape)
    for name, code in CODES.items():
        path = write_survey(folder / f"{name}.sgy", shape, code)
        volume, copied = open_survey(path, _PLAIN).volume, with_copy(path)
        with segyio.open(path) as peer:
            peer.mmap()
            for in_a_row in sorted({1, calls}):
                yield from _slices(name, volume, copied, peer, rounds, in_a_row)
                yield from _cubes(name, volume, copied, peer, cube, rounds, in_a_row)
        yield from _bare(name, volume, cube, rounds, calls)
    regular = open_survey(folder / "IEEE.sgy", _PLAIN).volume
    for what, path in (
        ("holes", write_survey(folder / "holes.sgy", shape, CODES["IEEE"], every=3)),
        ("unsorted traces", write_survey(folder / "unsorted.sgy", shape, CODES["IEEE"], shuffled=True)),
    ):
        yield from _indexed(what, open_survey(path, _PLAIN).volume, regular, cube, rounds, calls)
    yield _opening(folder / "IEEE.sgy", shape, rounds)


def with_copy(path: Path) -> SegyVolume:
    """The survey with its depth-major copy, which is made here."""
    copy = path.with_suffix(".bricks")
    write_copy(open_survey(path, _PLAIN).volume, copy)
    volume = open_survey(path, replace(_PLAIN, copy=str(copy))).volume
    assert volume.copy is not None, "the copy fits its survey"
    return volume


def _slices(name: str, volume: SegyVolume, copied: SegyVolume, peer: Any, rounds: int, calls: int) -> Iterator[Row]:
    middle = volume.shape[2] // 2
    part = (slice(None), slice(None), slice(middle, middle + 1))
    arms = {
        "file": lambda: volume.read(part)[0][:, :, 0],
        "copy": lambda: copied.read(part)[0][:, :, 0],
        "segyio": lambda: np.asarray(peer.depth_slice[middle]).reshape(volume.shape[:2]),
    }
    seconds = _timed(f"{name}, depth slice", arms, rounds, calls)
    ratios = {arm: paired_ratio(seconds["segyio"], seconds[arm]) for arm in ("copy", "file")}
    what = f"depth slice, {_warmth(calls)}"
    yield Row.at_least(f"{name}: segyio.mmap() / ours with the copy, {what}", ratios["copy"], "×", 50)
    yield Row.at_least(f"{name}: segyio.mmap() / ours without it, {what}", ratios["file"], "×", 2)


def _cubes(
    name: str, volume: SegyVolume, copied: SegyVolume, peer: Any, cube: tuple[slice, ...], rounds: int, calls: int
) -> Iterator[Row]:
    rows, columns, samples = cube
    lines = [peer.ilines[row] for row in range(rows.start, rows.stop)]
    width = volume.shape[1]

    def raw() -> NDArray[Any]:
        starts = [row * width for row in range(rows.start, rows.stop)]
        return np.stack([peer.trace.raw[at + columns.start : at + columns.stop][:, samples] for at in starts])

    arms = {
        "file": lambda: volume.read(cube)[0],
        "copy": lambda: copied.read(cube)[0],
        "iline": lambda: np.stack([peer.iline[line][columns, samples] for line in lines]),
        "raw": raw,
    }
    seconds = _timed(f"{name}, cube", arms, rounds, calls)
    size = f"{rows.stop - rows.start}³, {_warmth(calls)}"
    for peers, least in (("iline", 40), ("raw", 2)):
        shown = "stacked iline" if peers == "iline" else "trace.raw"
        ratio = paired_ratio(seconds[peers], seconds["file"])
        yield Row.at_least(f"{name}: segyio's {shown} / ours, {size}", ratio, "×", least)
    yield Row.of(f"{name}: without the copy / with it, {size}", paired_ratio(seconds["file"], seconds["copy"]), "×")


def _warmth(calls: int) -> str:
    """Which caches an arm finds warm: memory's alone after another arm's turn, the processor's too after its own."""
    return "arms in turn" if calls == 1 else f"{calls} calls in a row"


def _bare(name: str, volume: SegyVolume, cube: tuple[slice, ...], rounds: int, calls: int) -> Iterator[Row]:
    whole = _memory_map(volume)
    native = whole.dtype.newbyteorder("=")
    flat = (slice(cube[0].start, cube[0].start + 1), *cube[1:])
    for what, part, most in (("cube", cube, 1.2), ("patch of an inline", flat, None)):

        def bare(part: tuple[slice, ...] = part) -> NDArray[Any]:
            words = whole[part].astype(native, order="C")
            return _decoded(words) if volume.ibm else words

        def ours(part: tuple[slice, ...] = part) -> NDArray[Any]:
            return volume.read(part)[0]

        seconds = _timed(f"{name}, {what} of a bare map", {"ours": ours, "bare": bare}, rounds, calls)
        ratio, shown = paired_ratio(seconds["ours"], seconds["bare"]), f"{name}: ours / a bare memory map, {what}"
        yield Row.of(shown, ratio, "×") if most is None else Row.at_most(shown, ratio, "×", most)


def _indexed(
    what: str, volume: SegyVolume, regular: SegyVolume, cube: tuple[slice, ...], rounds: int, calls: int
) -> Iterator[Row]:
    assert volume.grid.table is not None, "this survey needs a table of its traces"
    whole = _memory_map(regular)
    middle = regular.shape[2] // 2
    for part_name, part in (
        ("cube", cube),
        ("depth slice", (slice(None), slice(None), slice(middle, middle + 1))),
    ):
        _, valid = volume.read(part)
        expected = whole[part] if valid is None else np.where(valid, whole[part], 0)
        assert np.array_equal(volume.read(part)[0], expected), f"{what}, {part_name}: the arms differ"

        def ours(part: tuple[slice, ...] = part) -> object:
            return volume.read(part)

        def bare(part: tuple[slice, ...] = part) -> object:
            return whole[part].astype("f4", order="C")

        seconds = interleave({"ours": ours, "bare": bare}, rounds, calls=calls, clock=time.process_time)
        ratio = paired_ratio(seconds["ours"], seconds["bare"])
        yield Row.at_most(f"{what}: ours / a bare memory map of the sorted file, {part_name}", ratio, "×", 2.5)


def _opening(path: Path, shape: tuple[int, int, int], rounds: int) -> Row:
    seconds = []
    for _ in range(rounds):
        before = time.process_time()
        survey = examine(path, _PLAIN, numbers=False)
        assert survey.volume.shape == shape, "the lines were found"
        seconds.append(time.process_time() - before)
    return Row.at_most(f"{shape[0] * shape[1]:,} traces opened and scored", spread(seconds), "s", 0.1)


def _timed(what: str, arms: dict[str, Read], rounds: int, calls: int) -> dict[str, list[float]]:
    """Seconds of each arm, after their values were compared."""
    values = {name: arm() for name, arm in arms.items()}
    first = next(iter(values.values()))
    for name, value in values.items():
        assert value.shape == first.shape, f"{what}: {name} has another shape"
        assert np.array_equal(value, first), f"{what}: {name} differs"
    return interleave(arms, rounds, calls=calls, clock=time.process_time)


def _memory_map(volume: SegyVolume) -> NDArray[Any]:
    """The words of a sorted file as they lie in it, ``[inline, crossline, sample]``."""
    inlines, crosslines, samples = volume.shape
    mapped = np.memmap(volume.path, dtype=np.uint8, mode="r")
    strides = (crosslines * volume.trace_bytes, volume.trace_bytes, volume.stored.itemsize)
    return np.ndarray((inlines, crosslines, samples), volume.stored, mapped, volume.first, strides)


_POWERS = np.concatenate([sign * np.exp2(4.0 * (np.arange(128) - 64) - 24) for sign in (1, -1)])


def _decoded(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """IBM numbers in three operations on whole arrays, without a thought for the ends of their range."""
    with np.errstate(over="ignore"):
        powers = _POWERS.astype(np.float32)
    return np.asarray((words & 0xFFFFFF).astype(np.float32) * powers[words >> 24])
