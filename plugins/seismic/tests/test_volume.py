"""Samples read in place: equal to segyio's, any part, from any process."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray, ReadError
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.copies.write import write_copy
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy import index_file
from ssl_domains_seismic.segy import volume as volume_module
from ssl_domains_seismic.segy.layout import read_layout
from ssl_domains_seismic.survey import examine, open_survey

from .conftest import grid_words, ibm_words, smooth

Make = Callable[..., Path]
WHOLE = (slice(None),) * 3
PARTS = [
    WHOLE,
    (slice(1, 2), slice(None), slice(None)),
    (slice(None), slice(3, 4), slice(5, 30)),
    (slice(0, 5), slice(2, 7), slice(17, 18)),
    (slice(0, 6, 2), slice(1, 8, 3), slice(0, 40, 5)),
    (slice(2, 2), slice(None), slice(None)),
    (slice(None), slice(None), slice(9, 9)),
    (slice(None), slice(None), slice(11, 19, 3)),
    (slice(0, 6), slice(0, 8), slice(3, 40)),
]
TYPES = {1: "f4", 2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 10: "u4", 11: "u2", 16: "u1"}


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", list(TYPES))
def test_every_part_of_every_format(make: Make, cube: NDArray[Any], code: int, order: str) -> None:
    values = np.abs(np.rint(cube)) % 100 if code in (8, 10, 11, 16) else np.rint(cube) if code in (2, 3) else cube
    volume = open_survey(make(values, code=code, order=order), Reading()).volume
    assert isinstance(volume, LazyArray)
    assert (volume.shape, volume.dtype) == ((6, 8, 40), np.dtype(TYPES[code]))
    for slices in PARTS:
        part, valid = volume.read(slices)
        assert valid is None
        assert part.dtype == np.dtype(TYPES[code])
        assert part.dtype.isnative
        assert all(stride >= 0 for stride in part.strides)
        np.testing.assert_allclose(part, values[slices], rtol=5e-7 if code == 1 else 0)


@pytest.mark.parametrize("code", [2, 3, 5, 8])
def test_large_parts_in_the_order_of_the_machine(
    make: Make, cube: NDArray[Any], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traces are copied as one item each, unless a step leaves samples out."""
    monkeypatch.setattr(volume_module, "_LARGE", 0)
    values = np.rint(cube) % 100
    volume = open_survey(make(values, code=code, order="<"), Reading()).volume
    for slices in PARTS:
        part, _ = volume.read(slices)
        np.testing.assert_array_equal(part, values[slices])
        assert part.flags.c_contiguous
        assert part.flags.writeable


@pytest.mark.parametrize("code", [1, 2, 3, 5, 8])
def test_samples_are_those_of_segyio(make: Make, cube: NDArray[Any], code: int) -> None:
    path = make(np.rint(cube) % 100 if code != 5 else cube, code=code)
    with segyio.open(path) as file:
        np.testing.assert_array_equal(open_survey(path, Reading()).volume.read(WHOLE)[0], segyio.tools.cube(file))


def test_ibm_numbers_beyond_one_decimal_place_are_those_of_segyio(make: Make) -> None:
    values = np.random.default_rng(0).normal(0, 1, (6, 8, 40)) * 10.0 ** np.random.default_rng(1).integers(
        -9, 9, (6, 8, 40)
    )
    path = make(values, code=1)
    with segyio.open(path) as file:
        np.testing.assert_array_equal(open_survey(path, Reading()).volume.read(WHOLE)[0], segyio.tools.cube(file))


def test_parts_with_holes_and_dead_traces(make: Make, cube: NDArray[Any]) -> None:
    order = np.random.default_rng(1).permutation(48)[:40]
    words = [{**given, 29: 2 if number % 7 == 0 else 1} for number, given in enumerate(grid_words(range(6), range(8)))]
    path = make(cube.reshape(48, 40)[order], [words[k] for k in order])
    volume = open_survey(path, Reading()).volume
    numbers = np.arange(48).reshape(6, 8)
    live = np.isin(numbers, order) & (numbers % 7 != 0)
    for slices in PARTS:
        part, valid = volume.read(slices)
        expected = live[slices[:2]][:, :, None]
        np.testing.assert_array_equal(part, np.where(expected, cube[slices], 0))
        np.testing.assert_array_equal(np.ones_like(expected) if valid is None else valid, expected)


@pytest.mark.parametrize("code", [1, 3, 5, 8])
@pytest.mark.parametrize("how", ["regular", "decreasing", "holes", "dead", "copy"])
def test_several_parts_at_once_are_those_of_single_reads(
    make: Make, cube: NDArray[Any], tmp_path: Path, code: int, how: str
) -> None:
    values = np.rint(cube) % 100
    words = grid_words(range(6, 0, -1) if how == "decreasing" else range(6), range(8))
    traces = values.reshape(48, 40)
    if how == "holes":
        order = np.random.default_rng(1).permutation(48)[:40]
        words, traces = [words[k] for k in order], traces[order]
    if how == "dead":
        words = [{**one, 29: 2 if number % 7 == 0 else 1} for number, one in enumerate(words)]
    path = make(traces, words, code=code)
    volume = open_survey(path, Reading()).volume
    if how == "copy":
        write_copy(volume, tmp_path / "a.bricks")
        volume = open_survey(path, Reading(copy=str(tmp_path / "a.bricks"))).volume
        assert volume.copy is not None
    assert (volume.grid.table is not None) == (how == "holes")
    assert (volume.grid.dead is not None) == (how == "dead")
    rng = np.random.default_rng(2)
    for sides in ((1, 8, 20), (6, 1, 40), (3, 4, 1), (2, 2, 12), (6, 8, 40)):
        for count in (1, 7):
            room = np.array(volume.shape) - sides
            starts = np.stack([rng.integers(0, one + 1, count) for one in room.tolist()], axis=1)
            made, valid = volume.read_boxes(starts, sides)
            assert made.dtype == volume.dtype
            assert made.dtype.isnative
            known = np.ones(made.shape, dtype=np.bool_) if valid is None else np.broadcast_to(valid, made.shape)
            for place, start in enumerate(starts.tolist()):
                box = tuple(slice(at, at + side) for at, side in zip(start, sides, strict=True))
                part, live = volume.read(box)
                np.testing.assert_array_equal(made[place], part)
                np.testing.assert_array_equal(known[place], np.broadcast_to(True if live is None else live, sides))


def test_several_parts_of_a_file_that_changed_are_not_read(make: Make, cube: NDArray[Any]) -> None:
    path = make(cube)
    volume = open_survey(path, Reading()).volume
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DataError, match="changed since it was scanned"):
        volume.read_boxes(np.zeros((3, 3), np.int64), (1, 2, 2))


def test_traces_are_gathered_piece_by_piece(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cube = smooth(20, 30, 12)
    order = np.random.default_rng(0).permutation(600)[:550]
    path = make(cube.reshape(600, 12)[order], [grid_words(range(20), range(30))[k] for k in order], code=3)
    monkeypatch.setattr(volume_module, "_PIECE", 50)
    monkeypatch.setattr(volume_module, "_CELLS", 70)
    volume = open_survey(path, Reading()).volume
    live = volume.grid.live()[:, :, None]
    expected = np.where(live, cube.astype(np.int16), 0)
    for box in [WHOLE, (slice(3, 17), slice(5, 29), slice(1, 12)), (slice(3, 9), slice(5, 9), slice(2, 4)), *PARTS[:6]]:
        np.testing.assert_array_equal(volume.read(box)[0], expected[box])


def test_a_pickle_is_small_and_opens_the_file_anew(make: Make) -> None:
    cube = smooth(60, 50, 3)
    words = grid_words(range(60), range(50))
    order = np.random.default_rng(0).permutation(3000)[:2900]
    volume = open_survey(
        make(cube.reshape(3000, 3)[order], [words[k] for k in order]), Reading(lines=(189, 193))
    ).volume
    assert volume.grid.table is not None
    stored = pickle.dumps(volume)
    assert len(stored) < 2000
    copy = pickle.loads(stored)
    for mine, other in zip(volume.read(WHOLE), copy.read(WHOLE), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_what_a_worker_gets_is_small(make: Make, tmp_path: Path) -> None:
    """The table of traces of a survey with holes stays behind: a worker opens the file anew."""
    cube = smooth(60, 50, 16)
    order = np.random.default_rng(0).permutation(3000)[:2900]
    make(cube.reshape(3000, 16)[order], [grid_words(range(60), range(50))[k] for k in order])
    table = SeismicReader().scan(tmp_path, along="depth", patch="10").samples
    samples = ArrayStore.fill(tmp_path / "store", table, SeismicReader()).of(table)
    stored = pickle.dumps(samples)
    assert len(stored) < 60_000
    copy = pickle.loads(stored)
    for row in (0, len(table) - 1):
        for mine, other in zip(samples.read(row), copy.read(row), strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("how", ["grown", "touched", "gone"])
def test_a_changed_file_is_not_read(make: Make, cube: NDArray[Any], how: str) -> None:
    path = make(cube)
    volume = open_survey(path, Reading()).volume
    stored = pickle.dumps(volume)
    if how == "grown":
        path.write_bytes(path.read_bytes() + bytes(400))
    elif how == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    with pytest.raises(DataError):
        volume.read(WHOLE)
    with pytest.raises((DataError, ReadError)):
        pickle.loads(stored)


def test_a_file_that_changed_is_opened_anew(make: Make, cube: NDArray[Any]) -> None:
    path = make(cube)
    open_survey(path, Reading())
    os.utime(make(cube + 1), ns=(1, 1))
    np.testing.assert_array_equal(open_survey(path, Reading()).volume.read(WHOLE)[0], cube + 1)


# The index of header words


@pytest.fixture
def _small_files_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_file, "KEPT_FROM", 1)


@pytest.mark.usefixtures("_small_files_are_kept")
class TestIndex:
    def test_words_are_read_from_the_index(self, make: Make, cube: NDArray[Any], tmp_path: Path) -> None:
        path, index = make(cube), tmp_path / "kept" / "a.json"
        layout = read_layout(path)
        first = index_file.indexed_words(layout, index)
        assert sorted(one.name for one in index.parent.iterdir()) == ["a.json", "a.words"]
        again = index_file.indexed_words(layout, index)
        assert all(isinstance(again.columns[byte], np.memmap) for byte in again.varying())
        assert again.varying() == first.varying() == [1, 5, 189, 193]
        for byte, column in index_file.indexed_words(layout, None).columns.items():
            np.testing.assert_array_equal(again.columns[byte], column)

    def test_a_survey_is_the_same_with_its_index(self, make: Make, cube: NDArray[Any], tmp_path: Path) -> None:
        path = make(cube)
        for _ in range(2):
            survey = examine(path, Reading(index=str(tmp_path / "kept" / "a.json")))
            np.testing.assert_array_equal(survey.volume.read(WHOLE)[0], cube)

    @pytest.mark.parametrize("what", ["words cut", "json cut", "other words", "header changed", "file changed"])
    def test_an_index_that_is_not_of_the_file_is_made_anew(
        self, make: Make, cube: NDArray[Any], tmp_path: Path, what: str
    ) -> None:
        path, index = make(cube), tmp_path / "a.json"
        layout = read_layout(path)
        index_file.indexed_words(layout, index)
        words, json = index.with_suffix(".words"), index
        if what == "words cut":
            words.write_bytes(words.read_bytes()[:-4])
        elif what == "json cut":
            json.write_bytes(json.read_bytes()[:-4])
        elif what == "other words":
            words.write_bytes(bytes(len(words.read_bytes())))
        else:
            data = bytearray(path.read_bytes())
            data[3600 + 400 * 5 + 188 : 3600 + 400 * 5 + 192] = (777).to_bytes(4, "big")
            path.write_bytes(data)
            stamp = (layout.modified, layout.modified) if what == "header changed" else (5, 5)
            os.utime(path, ns=stamp)
            layout = read_layout(path)
        made = index_file.indexed_words(layout, index)
        for byte, column in index_file.indexed_words(layout, None).columns.items():
            np.testing.assert_array_equal(made.columns[byte], column)


def test_ibm_words_of_these_tests_are_those_of_segyio(make: Make, cube: NDArray[Any]) -> None:
    """The oracle of the other tests: what segyio writes as IBM numbers is what the tests write."""
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount = 1, range(40), 48
    path = make(cube).with_name("by_segyio.sgy")
    with segyio.create(path, spec) as file:
        for number, trace in enumerate(cube.reshape(48, 40)):
            file.trace[number] = trace
    data = np.frombuffer(path.read_bytes()[3600:], dtype=np.uint8).reshape(48, 400)[:, 240:]
    written = np.ascontiguousarray(data).view(">u4").astype(np.int64)
    assert int(np.abs(written - ibm_words(cube.reshape(48, 40)).astype(np.int64)).max()) <= 1  # segyio cuts, not rounds
