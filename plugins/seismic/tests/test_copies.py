"""Depth-major copies: the same numbers as the SEG-Y file bit by bit, used where they fit, never half there."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ssl_domains.cli.app import run
from ssl_domains.errors import ResourceError, UsageError
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.stores.sample_arrays import SampleArrays
from ssl_domains_seismic.copies import command, offer, write
from ssl_domains_seismic.copies.bricks import PAGE, Bricks, bricks_for
from ssl_domains_seismic.copies.copy_file import DepthCopy, copy_place
from ssl_domains_seismic.copies.write import copy_bytes, copy_seconds, write_copy
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.volume import SegyVolume
from ssl_domains_seismic.stacks import StackedVolume
from ssl_domains_seismic.survey import open_survey

from .conftest import grid_words, smooth

Make = Callable[..., Path]
WHOLE = (slice(None),) * 3
TYPES = {1: "f4", 2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 10: "u4", 11: "u2", 16: "u1"}


def boxes(shape: tuple[int, ...], count: int = 40) -> list[tuple[slice, ...]]:
    """Parts of any place and size, empty ones and single slices among them."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        ends = [sorted(rng.integers(0, side + 1, 2).tolist()) for side in shape]
        if number % 4 == 0:
            ends[number % 3][1] = min(ends[number % 3][0] + 1, shape[number % 3])
        made.append(tuple(slice(*pair) for pair in ends))
    return [*made, WHOLE]


def bits(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def copied(path: Path, to: Path, reading: Reading = Reading()) -> SegyVolume:
    """The volume of a file with its copy."""
    write_copy(open_survey(path, reading).volume, to)
    return open_survey(path, replace(reading, copy=str(to))).volume


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((70, 45, 130), (32, 32, 44)), ((5, 3, 2), (4, 2, 1)), ((9, 9, 9), (3, 3, 3)), ((1, 7, 1), (4, 4, 1))],
)
def test_every_part_of_bricks(shape: tuple[int, int, int], sides: tuple[int, int, int]) -> None:
    whole = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    bricks = Bricks(shape, np.dtype("i4"), sides)
    buffer = bytearray(bricks.nbytes)
    bricks.write(bricks.array(buffer, 0), [slice(0, side) for side in shape], whole)
    for box in boxes(shape):
        box = tuple(slice(*one.indices(side)) for one, side in zip(box, shape, strict=True))
        np.testing.assert_array_equal(bricks.read(bricks.array(buffer, 0), box), whole[box])


@pytest.mark.parametrize(("kind", "pages"), [("i1", 4), ("i2", 6), ("f4", 9), ("f8", 15)])
def test_a_patch_of_a_slice_lies_on_few_pages(kind: str, pages: int) -> None:
    bricks = bricks_for((300, 300, 100), np.dtype(kind))
    assert bricks.sides[0] * bricks.sides[1] * bricks.dtype.itemsize == PAGE
    touched = [bricks.pages([slice(i, i + 64), slice(x, x + 64), slice(7, 8)]) for i in range(70) for x in range(70)]
    assert max(touched) == pages


@pytest.mark.parametrize("samples", [1, 40, 64, 65, 462, 1501])
def test_bricks_leave_few_places_unused_along_samples(samples: int) -> None:
    bricks = bricks_for((64, 64, samples), np.dtype("f4"))
    assert 0 <= bricks.counts[2] * bricks.sides[2] - samples < bricks.counts[2]
    assert bricks.sides[2] <= 64


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", list(TYPES))
def test_a_copy_has_the_numbers_of_the_file(make: Make, tmp_path: Path, code: int, order: str) -> None:
    cube = smooth(35, 33, 17)
    values = np.abs(np.rint(cube)) % 100 if code in (8, 10, 11, 16) else np.rint(cube) if code in (2, 3) else cube
    plain = open_survey(path := make(values, code=code, order=order), Reading()).volume
    volume = copied(path, tmp_path / "a.bricks")
    copy = volume.copy
    assert copy is not None
    assert os.path.getsize(copy.path) == copy_bytes(plain.shape, plain.dtype)
    for box in boxes(plain.shape):
        expected = plain.read(box)[0]
        part, valid = volume.read(box)
        direct = copy.read([slice(*one.indices(side)) for one, side in zip(box, plain.shape, strict=True)])
        assert valid is None
        for made in (part, direct):
            assert made.dtype == np.dtype(TYPES[code])
            assert made.dtype.isnative
            assert all(stride >= 0 for stride in made.strides)
            assert bits(made) == bits(expected)


def test_numbers_that_are_none_keep_their_bits(make: Make, tmp_path: Path) -> None:
    """NaN of any payload, infinities, negative zero and numbers below the normal ones."""
    cube = smooth(8, 9, 10)
    odd = np.array([0x7FC00001, 0x7F800001, 0xFF800000, 0x80000000, 0x00000001], np.uint32)
    stored = cube.reshape(72, 10).view(np.uint32).copy()
    stored[3, :5] = odd
    path = make(cube, stored=stored.view(np.float32))
    volume = copied(path, tmp_path / "a.bricks")
    assert volume.copy is not None
    part = volume.copy.read([slice(0, 8), slice(0, 9), slice(0, 10)])
    assert np.ascontiguousarray(part).view(np.uint32)[0, 3, :5].tolist() == odd.tolist()


@pytest.mark.parametrize("by", ["inline", "crossline"])
def test_holes_dead_traces_and_any_order_of_traces(make: Make, tmp_path: Path, by: str) -> None:
    cube = smooth(33, 35, 12)
    count = 33 * 35
    words = [{**w, 29: 2 if k % 7 == 0 else 1} for k, w in enumerate(grid_words(range(33), range(35)))]
    numbers = np.arange(count).reshape(33, 35)
    order = numbers.reshape(-1) if by == "inline" else numbers.T.reshape(-1)
    if by == "inline":
        order = np.random.default_rng(0).permutation(order)[: count - 200]
    path = make(cube.reshape(count, 12)[order], [words[k] for k in order])
    plain = open_survey(path, Reading()).volume
    assert (plain.grid.table is None) == (by == "crossline")
    volume = copied(path, tmp_path / "a.bricks")
    assert volume.copy is not None
    for box in boxes(plain.shape):
        for mine, other in zip(volume.read(box), plain.read(box), strict=True):
            assert (mine is None) == (other is None)
            assert mine is None or bits(mine) == bits(other)
        inside = [slice(*one.indices(side)) for one, side in zip(box, plain.shape, strict=True)]
        assert bits(volume.copy.read(inside)) == bits(plain.read(box)[0])


def test_small_blocks_make_the_same_copy(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(smooth(70, 69, 130))
    volume = open_survey(path, Reading()).volume
    write_copy(volume, tmp_path / "one.bricks")
    done: list[tuple[int, int]] = []
    monkeypatch.setattr(write, "_BLOCK", 1 << 18)
    write_copy(volume, tmp_path / "many.bricks", lambda *told: done.append(told))
    assert (tmp_path / "one.bricks").read_bytes() == (tmp_path / "many.bricks").read_bytes()
    assert len(done) > 20
    assert done[-1][0] == done[-1][1] == copy_bytes(volume.shape, volume.dtype) - PAGE
    assert [told[0] for told in done] == sorted(told[0] for told in done)
    assert copy_seconds(volume, tmp_path) > 0
    assert sorted(one.suffix for one in tmp_path.iterdir()) == [".bricks", ".bricks", ".sgy"]


# Which of the two is read


def test_each_part_is_read_from_where_it_lies_on_fewer_pages(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = copied(make(smooth(96, 96, 80)), tmp_path / "a.bricks")
    read: list[str] = []
    whole = DepthCopy.read

    def noted(copy: DepthCopy, box: Any) -> NDArray[Any]:
        read.append("copy")
        return whole(copy, box)

    assert volume.copy is not None
    monkeypatch.setattr(DepthCopy, "read", noted)
    for box, where in [
        ((slice(5, 69), slice(8, 72), slice(30, 31)), "copy"),
        ((slice(0, 96), slice(0, 96), slice(30, 31)), "copy"),
        ((slice(5, 69), slice(8, 72), slice(10, 74)), "copy"),
        ((slice(5, 6), slice(8, 72), slice(10, 74)), "file"),
        ((slice(0, 96), slice(8, 9), slice(0, 80)), "file"),
        ((slice(5, 8), slice(8, 72), slice(10, 74)), "file"),
        ((slice(5, 69), slice(8, 72), slice(10, 74, 2)), "file"),
    ]:
        read.clear()
        volume.read(box)
        assert (read or ["file"]) == [where]


def test_a_copy_that_is_not_there_is_no_fault(make: Make, tmp_path: Path) -> None:
    path = make(cube := smooth(6, 8, 40))
    volume = open_survey(path, Reading(copy=str(tmp_path / "none.bricks"))).volume
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(volume.read(WHOLE)[0], cube)


@pytest.mark.parametrize(
    "what",
    ["another file", "values changed", "touched", "read in another way", "cut", "head cut", "head of text", "empty"],
)
def test_a_copy_that_does_not_fit_is_named_once_and_the_survey_is_read(make: Make, tmp_path: Path, what: str) -> None:
    cube = smooth(40, 44, 20)
    words = [{**given, 9: given[193], 21: given[189]} for given in grid_words(range(40), range(44))]
    path, copy = make(cube, words), tmp_path / "a.bricks"
    reading = Reading(lines=(189, 193), copy=str(copy))
    copied(path, copy, reading)
    whole = copy.read_bytes()
    if what == "another file":
        copied(make(cube + 1, words, name="b.sgy"), copy, reading)
    elif what == "values changed":
        copy.write_bytes(whole[:PAGE] + bytes(len(whole) - PAGE))
    elif what == "touched":
        os.utime(path, ns=(1, 1))
    elif what == "read in another way":
        reading, cube = replace(reading, lines=(9, 21)), cube.transpose(1, 0, 2)
    else:
        copy.write_bytes({"cut": whole[:-1], "head cut": whole[:50], "head of text": b"a" * 9999, "empty": b""}[what])
    volume = open_survey(path, reading).volume
    box = (slice(0, 40), slice(0, 40), slice(3, 4))
    with pytest.warns(RuntimeWarning, match="a.bricks of a.sgy is not used: ") as caught:
        first = volume.read(box)[0]
    assert len(caught) == 1
    assert str(tmp_path) not in str(caught[0].message)
    np.testing.assert_array_equal(first, cube[box])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(volume.read(box)[0], cube[box])


# Making it


_KILLED = """
import os, signal, sys
from pathlib import Path
from ssl_domains_seismic.copies import write
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey
write._BLOCK = 1 << 18
def progress(done, total):
    if done > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
write.write_copy(open_survey(sys.argv[1], Reading()).volume, Path(sys.argv[2]), progress)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_copy_leaves_nothing_that_looks_whole(make: Make, tmp_path: Path) -> None:
    path, copy = make(smooth(70, 69, 130)), tmp_path / "copies" / "a.bricks"
    copy.parent.mkdir()
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(copy)], check=False)
    assert killed.returncode == -signal.SIGKILL
    left = list(copy.parent.iterdir())
    assert len(left) == 1
    assert not copy.exists()
    volume = copied(path, copy)
    assert volume.copy is not None
    assert list(copy.parent.iterdir()) == [copy]


def test_an_older_copy_stays_when_the_disk_is_full(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(smooth(40, 44, 20))
    copy_surveys(path, tmp_path)
    (before,) = (tmp_path / "segy-copies").iterdir()
    whole = before.read_bytes()
    os.utime(path, ns=(1, 1))
    few = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(command.shutil, "disk_usage", lambda _: few)
    with pytest.raises(ResourceError, match="the copies need 332 kB, the disk has 1 kB free"):
        copy_surveys(path, tmp_path)
    assert before.read_bytes() == whole


def copy_surveys(source: Path, out: Path | None = None, **options: str | None) -> list[str]:
    said: list[str] = []
    command.copy_surveys(source, out, options, said.append, lambda *_: None)
    return said


def test_the_size_is_said_before_the_copy_is_there(make: Make, tmp_path: Path) -> None:
    path = make(smooth(40, 44, 20))
    there: list[bool] = []
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        there.append(Path(copy_place(tmp_path, path)).exists())

    command.copy_surveys(path, tmp_path, {}, say, lambda *_: None)
    (copy,) = (tmp_path / "segy-copies").iterdir()
    assert there == [False]
    assert said[0].startswith(f"a.sgy: 332 kB to segy-copies/{copy.name}, in about ")
    assert copy_surveys(path, tmp_path) == ["a.sgy: its copy is there and fits"]
    os.utime(path, ns=(1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert copy_surveys(path, tmp_path)[0].startswith("a.sgy: 332 kB")


def test_wrong_uses_have_a_hint(make: Make, tmp_path: Path) -> None:
    path = make(smooth(6, 8, 40), name="data/a.sgy")
    sections = tmp_path / "sections.parquet"
    assert run(["seismic", "scan", str(path), "-o", str(sections)]) == 0
    for source, out, options, hint in [
        (tmp_path / "none.sgy", None, {}, "a sample table or a SEG-Y file"),
        (path, None, {}, "-o FOLDER"),
        (sections, tmp_path, {}, "ssl-domains seismic copy"),
        (sections, None, {"lines": "9,21"}, "ssl-domains seismic copy"),
        (sections, None, {}, "--along depth"),
    ]:
        with pytest.raises(UsageError) as caught:
            copy_surveys(source, out, **options)
        assert hint in str(caught.value.hint)


# From the scan to the samples


@pytest.fixture
def two_surveys(make: Make, tmp_path: Path) -> Path:
    """A folder of two surveys: IBM numbers with holes and traces in any order, and IEEE numbers."""
    cube = smooth(40, 44, 20)
    order = np.random.default_rng(0).permutation(1760)[:1700]
    make(cube.reshape(1760, 20)[order], [grid_words(range(40), range(44))[k] for k in order], "data/a.sgy", code=1)
    make(smooth(50, 36, 24, seed=1), name="data/b.sgy")
    return tmp_path / "data"


@pytest.fixture
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offer, "physical_memory", lambda: 100_000)


@pytest.mark.usefixtures("_little_memory")
def test_a_scan_offers_what_the_command_makes(
    two_surveys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tables" / "depth samples.parquet"
    scan = ["seismic", "scan", str(two_surveys), "-o", str(out), "--along", "depth", "--patch", "16"]
    assert run(scan) == 0
    note = next(line for line in capsys.readouterr().out.splitlines() if "depth-major" in line)
    assert "time slices of 2 surveys, larger than memory" in note
    assert "729 kB" in note
    assert note.endswith(f"ssl-domains seismic copy '{out}'")
    assert run(["seismic", "copy", str(out)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["a.sgy", "b.sgy"]
    assert run(["seismic", "copy", str(out)]) == 0
    assert capsys.readouterr().out == "a.sgy: its copy is there and fits\nb.sgy: its copy is there and fits\n"
    assert run(scan) == 0
    assert "depth-major" not in capsys.readouterr().out


@pytest.mark.usefixtures("_little_memory")
def test_sections_are_offered_no_copy(two_surveys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "samples.parquet"
    assert run(["seismic", "scan", str(two_surveys), "-o", str(out), "--patch", "16"]) == 0
    assert "depth-major" not in capsys.readouterr().out
    assert "copy_path" not in pl.read_parquet(out).columns


def test_a_survey_that_fits_memory_is_offered_no_copy(
    two_surveys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["seismic", "scan", str(two_surveys), "-o", str(tmp_path / "s.parquet"), "--along", "depth"]) == 0
    assert "depth-major" not in capsys.readouterr().out


def scanned(data: Path, out: Path) -> SampleTable:
    out.parent.mkdir(exist_ok=True)
    assert run(["seismic", "scan", str(data), "-o", str(out), "--along", "depth", "--patch", "16"]) == 0
    return read_table(out)


def test_samples_of_two_surveys_are_the_same_with_copies_and_after_a_move(two_surveys: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables" / "s.parquet"
    table = scanned(two_surveys, out)
    before = ArrayStore.fill(tmp_path / "before", table, SeismicReader()).of(table)
    plain = [before.read(row) for row in range(len(table))]
    copy_surveys(out)
    out.parent.rename(tmp_path / "moved")
    table = read_table(tmp_path / "moved" / "s.parquet")
    for name, one in (("a.sgy", 1), ("b.sgy", 0)):
        row = table.frame.filter(pl.col("survey") == name).row(0, named=True)
        stacked = SeismicReader().open(row)
        assert isinstance(stacked, StackedVolume)
        (volume,) = stacked.volumes
        assert isinstance(volume, SegyVolume)
        assert volume.copy is not None
        assert Path(volume.copy.path).parent == tmp_path / "moved" / "segy-copies"
        assert (volume.grid.table is not None) == bool(one)
    after = ArrayStore.fill(tmp_path / "after", table, SeismicReader()).of(table)
    for row, expected in enumerate(plain):
        for mine, other in zip(after.read(row), expected, strict=True):
            assert (mine is None) == (other is None)
            assert mine is None or (mine.shape == other.shape and bits(mine) == bits(other))


def digest_of(samples: SampleArrays, rows: list[int]) -> list[bytes]:
    """What a process reads of some samples; at the top of the module, so that a spawned process finds it."""
    return [bits(samples[row]) for row in rows]


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_worker_processes_read_both_surveys_with_their_copies(two_surveys: Path, tmp_path: Path, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("this system can't fork")
    table = scanned(two_surveys, out := tmp_path / "s.parquet")
    copy_surveys(out)
    samples = ArrayStore.fill(tmp_path / "store", table, SeismicReader()).of(table)
    rows = list(range(0, len(table), 7))
    here = digest_of(samples, rows)  # the files are mapped in this process when the others start
    written = pickle.dumps(samples)
    assert len(written) < 100_000
    assert type(pickle.Unpickler(io.BytesIO(written)).load()) is SampleArrays
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(digest_of, [(samples, rows), (samples, rows[::-1])])
    assert found == [here, here[::-1]]


@pytest.mark.usefixtures("_little_memory")
def test_every_stack_of_a_survey_has_its_copy(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cubes = [smooth(40, 44, 20, seed) for seed in range(3)]
    for name, cube, code in zip(("near", "mid", "far"), cubes, (5, 1, 5), strict=True):
        make(cube, name=f"data/{name}.sgy", code=code)
    out = tmp_path / "tables" / "s.parquet"
    scan = ["seismic", "scan", str(tmp_path / "data"), "-o", str(out), "--along", "depth", "--patch", "16"]
    assert run([*scan, "--stacks", "far,near,mid"]) == 0
    assert "time slices of 3 surveys, larger than memory" in capsys.readouterr().out
    row = read_table(out).frame.row(0, named=True)
    plain = SeismicReader().load(row)
    assert run(["seismic", "copy", str(out)]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["far.sgy", "near.sgy", "mid.sgy"]
    assert run(["seismic", "copy", str(out)]) == 0
    assert capsys.readouterr().out.count("its copy is there and fits") == 3
    out.parent.rename(tmp_path / "moved")
    stacked = SeismicReader().open(read_table(tmp_path / "moved" / "s.parquet").frame.row(0, named=True))
    assert isinstance(stacked, StackedVolume)
    assert all(isinstance(one, SegyVolume) and one.copy is not None for one in stacked.volumes)
    assert len({one.copy.path for one in stacked.volumes}) == 3  # type: ignore[attr-defined]
    assert bits(stacked.read(WHOLE)[0]) == bits(plain)
    np.testing.assert_array_equal(plain[..., 1], cubes[0])
