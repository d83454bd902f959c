"""Predictions as SEG-Y: every header byte of the source, its order and its holes, and never half a file."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains_seismic.demo.segy_bytes import IBM, IEEE, SegyFile, text_header
from ssl_domains_seismic.predictions import SegyLayout, WrittenSegy, write_segy

LINE = "PREDICTED CLASSES"


def source_file(path: Path, traces: int = 60, samples: int = 40, code: int = IBM, byte_order: str = ">") -> SegyLayout:
    """A file with random bytes in all headers that a reader does not need, in a random order of lines."""
    rng = np.random.default_rng(traces)
    words: dict[int, NDArray[np.int64] | int] = {byte: rng.integers(-9, 9, traces) for byte in range(73, 89, 4)}
    words |= {byte: rng.integers(-(2**31), 2**31, traces) for byte in range(181, 210, 4)}
    words |= {9: rng.permutation(traces), 21: rng.integers(0, 900, traces), 71: -100, 109: 1000}
    values = rng.standard_normal((traces, samples)).astype(np.float32)
    text = text_header({1: "CLIENT NOBODY", 2: "A LINE", 40: "END TEXTUAL HEADER"})
    SegyFile(text, values, words, 4000, code, byte_order=byte_order).write(path)
    return SegyLayout(3600, traces, samples, 4, byte_order=byte_order)


def blocks(values: NDArray[np.generic], size: int = 7) -> Iterator[NDArray[np.generic]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def headers(path: Path, layout: SegyLayout, sample_bytes: int = 4) -> NDArray[np.uint8]:
    """All trace-header bytes, by the definition of the format."""
    length = layout.trace_header + layout.samples * sample_bytes
    contents = np.frombuffer(path.read_bytes()[layout.first_trace :], np.uint8)
    return contents.reshape(layout.traces, length)[:, : layout.trace_header]


@pytest.fixture
def predicted() -> NDArray[np.float32]:
    return np.random.default_rng(1).random((60, 40)).astype(np.float32)


@pytest.mark.parametrize(("code", "order", "endian"), [(IBM, ">", "big"), (IEEE, ">", "big"), (IEEE, "<", "little")])
def test_segyio_reads_the_values_under_the_headers_of_the_source(
    tmp_path: Path, predicted: NDArray[np.float32], code: int, order: str, endian: str
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source, code=code, byte_order=order)
    written = write_segy(path, source, layout, blocks(predicted), LINE)
    assert written == WrittenSegy(traces=60, text_line=3)
    assert np.array_equal(headers(path, layout), headers(source, layout))
    with (
        segyio.open(path, ignore_geometry=True, endian=endian) as new,
        segyio.open(source, ignore_geometry=True, endian=endian) as old,
    ):
        assert np.array_equal(new.trace.raw[:], predicted)
        assert int(new.format) == 5
        assert new.tracecount == old.tracecount
        assert [dict(header) for header in new.header] == [dict(header) for header in old.header]
        changed = {key for key in old.bin if new.bin[key] != old.bin[key]}
        assert changed == ({segyio.BinField.Format} if code == IBM else set())
        assert new.samples.tolist() == old.samples.tolist()
        assert new.samples[0] == 1000


def test_one_line_is_added_to_the_text_header_and_the_rest_stays(
    tmp_path: Path, predicted: NDArray[np.float32]
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    write_segy(path, source, layout, blocks(predicted), LINE)
    old, new = (file.read_bytes()[:3200] for file in (source, path))
    lines = [(old[start : start + 80], new[start : start + 80]) for start in range(0, 3200, 80)]
    assert [number for number, (before, after) in enumerate(lines, 1) if before != after] == [3]
    assert lines[2][1].decode("cp037") == "C 3 PREDICTED CLASSES".ljust(80)


@pytest.mark.parametrize(
    ("lines", "encoding", "number", "shown"),
    [
        ({0: "C 1 A", 1: "C 2"}, "ascii", 2, "C 2 PREDICTED CLASSES"),
        ({0: "C01 A", 1: "C02"}, "ascii", 2, "C02 PREDICTED CLASSES"),
        ({0: "", 1: "C 2"}, "cp037", 1, "PREDICTED CLASSES"),
        ({0: "\0" * 80}, "ascii", 1, "PREDICTED CLASSES"),
        (dict.fromkeys(range(40), "FULL"), "cp037", None, ""),
    ],
)
def test_the_first_blank_line_is_taken(
    tmp_path: Path, predicted: NDArray[np.float32], lines: dict[int, str], encoding: str, number: int | None, shown: str
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    text = "".join(lines.get(row, f"X {row}").ljust(80) for row in range(40)).encode(encoding)
    source.write_bytes(text + source.read_bytes()[3200:])
    layout = SegyLayout(3600, 60, 40, 4, text_encoding=encoding)
    assert write_segy(path, source, layout, blocks(predicted), LINE).text_line == number
    new = path.read_bytes()[:3200]
    if number is None:
        assert new == text
    else:
        start = 80 * (number - 1)
        assert new[start : start + 80].decode(encoding) == shown.ljust(80)
        assert new[:start] + new[start + 80 :] == text[:start] + text[start + 80 :]


def test_a_long_line_is_cut_and_other_letters_become_question_marks(
    tmp_path: Path, predicted: NDArray[np.float32]
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    write_segy(path, source, layout, blocks(predicted), "α" + "B" * 100)
    assert path.read_bytes()[160:240].decode("cp037") == "C 3 ?" + "B" * 75
    assert path.stat().st_size == source.stat().st_size


def test_extended_text_headers_and_longer_trace_headers_are_kept(
    tmp_path: Path, predicted: NDArray[np.float32]
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    plain = source_file(source)
    contents = source.read_bytes()
    extension = np.random.default_rng(3).integers(0, 255, (60, 240), dtype=np.uint8)
    rows = np.frombuffer(contents[3600:], np.uint8).reshape(60, -1)
    traces = np.hstack([rows[:, :240], extension, rows[:, 240:]])
    source.write_bytes(contents[:3600] + b"\x40" * 3200 + traces.tobytes() + b"a data trailer")
    layout = SegyLayout(6800, 60, 40, 4, trace_header=480)
    write_segy(path, source, layout, blocks(predicted), LINE)
    assert path.read_bytes()[3600:6800] == b"\x40" * 3200
    assert np.array_equal(headers(path, layout), traces[:, :480])
    stored = np.frombuffer(path.read_bytes()[6800:], np.dtype([("header", "V480"), ("samples", ">f4", (40,))]))
    assert np.array_equal(stored["samples"], predicted)
    assert plain.trace_bytes == 400


@pytest.mark.parametrize(("code", "kind"), [(8, "i1"), (16, "u1"), (3, ">i2"), (2, ">i4")])
def test_classes_fit_into_whole_numbers(tmp_path: Path, code: int, kind: str) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "classes.sgy"
    layout = source_file(source)
    classes = np.random.default_rng(0).integers(0, 5, (60, 40)).astype(np.uint8)
    write_segy(path, source, layout, blocks(classes), LINE, code=code)
    width = np.dtype(kind).itemsize
    assert np.array_equal(headers(path, layout, width), headers(source, layout))
    stored = np.frombuffer(path.read_bytes()[3600:], np.dtype([("header", "V240"), ("samples", kind, (40,))]))
    assert np.array_equal(stored["samples"], classes)
    assert int.from_bytes(path.read_bytes()[3224:3226], "big") == code


@pytest.mark.parametrize("value", [0.5, 200.0, np.nan, -129.0])
def test_values_that_a_format_cannot_hold_are_refused(tmp_path: Path, value: float) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "classes.sgy"
    layout = source_file(source)
    with pytest.raises(ValueError, match="don't fit into samples of the type int8"):
        write_segy(path, source, layout, [np.full((60, 40), value, np.float32)], LINE, code=8)
    assert sorted(os.listdir(tmp_path)) == ["source.sgy"]


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([(59, 40)], "59 traces were predicted of 60"),
        ([(60, 40), (1, 40)], "more traces were predicted than the 60"),
        ([(60, 39)], "the survey has 40 samples"),
        ([(60 * 40,)], "the survey has 40 samples"),
        ([], "0 traces were predicted of 60"),
    ],
)
def test_blocks_of_another_shape_leave_no_file(tmp_path: Path, shapes: list[tuple[int, ...]], said: str) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    with pytest.raises(ValueError, match=said):
        write_segy(path, source, layout, [np.zeros(shape, np.float32) for shape in shapes], LINE)
    assert sorted(os.listdir(tmp_path)) == ["source.sgy"]


def test_the_survey_itself_is_never_overwritten(tmp_path: Path, predicted: NDArray[np.float32]) -> None:
    source, link = tmp_path / "source.sgy", tmp_path / "link.sgy"
    layout = source_file(source)
    before = source.read_bytes()
    link.symlink_to(source)
    for path in (source, link):
        with pytest.raises(UsageError, match="is the survey itself"):
            write_segy(path, source, layout, blocks(predicted), LINE)
    assert source.read_bytes() == before


def test_a_source_that_became_shorter_is_a_read_error(tmp_path: Path, predicted: NDArray[np.float32]) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    whole = source.read_bytes()
    source.write_bytes(whole[:-1])
    with pytest.raises(ReadError, match=r"has 27,599 bytes and was read with 27,600: scan it again"):
        write_segy(path, source, layout, blocks(predicted), LINE)
    source.write_bytes(whole)

    def shrinking() -> Iterator[NDArray[np.float32]]:
        yield predicted[:30]
        os.truncate(source, 3600 + 400 * 40 + 100)
        yield predicted[30:]

    with pytest.raises(ReadError, match="the survey ends at trace 41"):
        write_segy(path, source, layout, shrinking(), LINE)
    assert sorted(os.listdir(tmp_path)) == ["source.sgy"]


def test_an_unknown_format_is_a_usage_error(tmp_path: Path, predicted: NDArray[np.float32]) -> None:
    source = tmp_path / "source.sgy"
    layout = source_file(source)
    with pytest.raises(UsageError, match="sample format 1 can't be written") as error:
        write_segy(tmp_path / "predicted.sgy", source, layout, blocks(predicted), LINE, code=1)
    assert error.value.hint == "one of 2, 3, 5, 8, 16"


def test_a_prediction_that_is_replaced_stays_until_the_new_one_is_complete(
    tmp_path: Path, predicted: NDArray[np.float32]
) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    write_segy(path, source, layout, blocks(predicted), LINE)
    old = path.read_bytes()

    def failing() -> Iterator[NDArray[np.float32]]:
        yield predicted[:50]
        assert path.read_bytes() == old
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segy(path, source, layout, failing(), LINE)
    assert path.read_bytes() == old
    assert sorted(os.listdir(tmp_path)) == ["predicted.sgy", "source.sgy"]


_CHILD = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ssl_domains_seismic.predictions import SegyLayout, write_segy
def blocks():
    for number in range(60):
        if number == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        yield np.ones((1, 40), np.float32)
folder = Path(sys.argv[1])
write_segy(folder / "predicted.sgy", folder / "source.sgy", SegyLayout(3600, 60, 40, 4), blocks(), "KILLED")
"""


def test_a_killed_process_leaves_no_file_of_the_final_name(tmp_path: Path, predicted: NDArray[np.float32]) -> None:
    source, path = tmp_path / "source.sgy", tmp_path / "predicted.sgy"
    layout = source_file(source)
    run = subprocess.run([sys.executable, "-c", _CHILD, str(tmp_path)], env={**os.environ}, check=False)
    assert run.returncode == -9
    assert not path.exists()
    write_segy(path, source, layout, blocks(predicted), LINE)
    assert sorted(os.listdir(tmp_path)) == ["predicted.sgy", "source.sgy"], "what the killed one left is taken over"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for traces in (3_000, 12_000):
        source, path = tmp_path / "source.sgy", tmp_path / f"predicted{traces}.sgy"
        layout = source_file(source, traces=traces, samples=400)
        block = np.zeros((500, 400), np.float32)
        tracemalloc.start()
        write_segy(path, source, layout, (block for _ in range(traces // 500)), LINE)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert path.stat().st_size == source.stat().st_size
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 12e6


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("S06", SegyLayout(3600, 25, 40, 4)),
        ("S09", SegyLayout(3600, 30, 30, 4)),
        ("S16", SegyLayout(3600, 20, 30, 4)),
        ("S18", SegyLayout(3600, 16, 30, 4, byte_order="<")),
    ],
)
def test_field_cases_keep_their_240_bytes(shared_data: Path, tmp_path: Path, name: str, layout: SegyLayout) -> None:
    source = shared_data.parent / "cases" / "seismic" / name / "a.sgy"
    if not source.is_file():
        pytest.skip("the folder of cases is not beside the data sets")
    values = np.random.default_rng(0).random((layout.traces, layout.samples)).astype(np.float32)
    path = tmp_path / "predicted.sgy"
    assert write_segy(path, source, layout, blocks(values), LINE).text_line == 2
    assert path.stat().st_size == source.stat().st_size
    assert np.array_equal(headers(path, layout), headers(source, layout))
    old, new = (file.read_bytes()[:3600] for file in (source, path))
    assert {place // 80 for place in range(3200) if old[place] != new[place]} == {1}
    assert old[3200:] == new[3200:], "the format was IEEE already"
    with segyio.open(path, ignore_geometry=True, endian="little" if layout.byte_order == "<" else "big") as file:
        assert np.array_equal(file.trace.raw[:], values)
        if name == "S06":
            assert set(file.attributes(109)[:]) == {1000}
