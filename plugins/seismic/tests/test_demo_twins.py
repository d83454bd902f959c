"""Each small file of the demonstration has the fault that it is said to have, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray

from drawn_survey import drawn
from ssl_domains_seismic.demo.survey import CROSSLINES, INLINES, Survey
from ssl_domains_seismic.demo.twins import CHANNELS, CUT_OUT, SHOTS, write_twins
from ssl_domains_seismic.reader import SeismicReader

TRACE = 240 + 4 * 100
TRACES = 20 * 24


@pytest.fixture(scope="module")
def survey() -> Survey:
    return drawn(0)


@pytest.fixture(scope="module")
def meant(survey: Survey) -> NDArray[np.float32]:
    """What the cut-outs hold, ``[trace, sample]``."""
    return survey.stacks["near"][CUT_OUT].reshape(TRACES, 100)


@pytest.fixture(scope="module")
def folder(survey: Survey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("twins")
    write_twins(out, survey, 0)
    assert survey.live[CUT_OUT[:2]].all(), "the hole is elsewhere"
    return out


def words(path: Path, byte: int, order: str = ">") -> list[int]:
    """A trace-header word of every whole trace, read without any library."""
    contents = path.read_bytes()
    traces = (len(contents) - 3600) // TRACE
    return [
        int(np.frombuffer(contents, order + "i4", 1, 3600 + number * TRACE + byte - 1)[0]) for number in range(traces)
    ]


def code(path: Path, order: str = ">") -> int:
    return int(np.frombuffer(path.read_bytes(), order + "i2", 1, 3224)[0])


def close(got: NDArray[np.float32], meant: NDArray[np.float32]) -> bool:
    return bool(np.abs(got - meant).max() <= 1e-6 * np.abs(meant).max())


def test_the_truncated_file_lacks_two_and_a_half_traces(folder: Path, meant: NDArray[np.float32]) -> None:
    path = folder / "truncated.sgy"
    assert path.stat().st_size == 3600 + TRACES * TRACE - int(2.5 * TRACE)
    with pytest.raises(RuntimeError, match=r"trace count inconsistent|file size"):
        segyio.open(path, ignore_geometry=True)
    assert words(path, 9) == np.repeat(INLINES[CUT_OUT[0]], 24)[:-3].tolist()
    whole = folder / "whole.sgy"
    whole.write_bytes(path.read_bytes()[: 3600 + (TRACES - 3) * TRACE])
    with segyio.open(whole, ignore_geometry=True) as file:
        assert close(file.trace.raw[:], meant[:-3])


def test_the_little_endian_file_is_good_when_it_is_read_so(folder: Path, meant: NDArray[np.float32]) -> None:
    path = folder / "little_endian.sgy"
    assert code(path, "<") == 5
    assert code(path) == 5 << 8, "no code of the standard"
    with segyio.open(path, iline=9, xline=21, endian="little") as file:
        assert file.ilines.tolist() == INLINES[CUT_OUT[0]].tolist()
        assert file.xlines.tolist() == CROSSLINES[CUT_OUT[1]].tolist()
        assert np.array_equal(file.trace.raw[:], meant)
        assert segyio.tools.dt(file) == 4000
        assert file.samples[0] == 1000


def test_ieee_samples_stand_under_the_code_of_ibm(folder: Path, meant: NDArray[np.float32]) -> None:
    path = folder / "ieee_under_code_1.sgy"
    assert code(path) == 1
    with segyio.open(path, iline=9, xline=21) as file:
        assert not np.allclose(file.trace.raw[:], meant, rtol=0.1, atol=1), "read by its code it is wrong"
    stored = np.frombuffer(path.read_bytes()[3600:], np.dtype([("header", "V240"), ("samples", ">f4", (100,))]))
    assert np.array_equal(stored["samples"], meant)


def test_two_pairs_of_words_hold_the_lines_in_opposite_order(folder: Path, meant: NDArray[np.float32]) -> None:
    path = folder / "swapped_words.sgy"
    assert words(path, 9) == words(path, 193)
    assert words(path, 21) == words(path, 189)
    with segyio.open(path, iline=9, xline=21) as right, segyio.open(path, iline=189, xline=193) as swapped:
        assert right.ilines.tolist() == swapped.xlines.tolist() == INLINES[CUT_OUT[0]].tolist()
        assert right.xlines.tolist() == swapped.ilines.tolist() == CROSSLINES[CUT_OUT[1]].tolist()
        assert close(right.trace.raw[:], meant)
        assert b"BYTES" not in right.text[0], "nothing says which words are right"


def test_shots_and_channels_fill_a_grid_and_are_no_lines(folder: Path) -> None:
    path = folder / "shots_by_channels.sgy"
    shot, channel, midpoint = words(path, 9), words(path, 13), words(path, 21)
    cells = set(zip(shot, channel, strict=True))
    assert len(shot) == len(cells) == len(set(shot)) * len(set(channel)) == SHOTS * CHANNELS
    assert len(set(zip(shot, midpoint, strict=True))) == SHOTS * CHANNELS, "shot and midpoint are unique as well"
    assert set(words(path, 181)) == set(words(path, 185)) == {0}
    assert path.read_bytes()[3228:3230] == b"\0\1", "the binary header says: as recorded"
    offset, source, receiver = (np.array(words(path, byte)) for byte in (37, 73, 81))
    assert np.array_equal(receiver - source, offset)
    assert len(set(offset.tolist())) == CHANNELS, "a trace for every offset: it is not stacked"
    middle = (source + receiver) / 2
    assert all(len({m for m, n in zip(middle, midpoint, strict=True) if n == number}) == 1 for number in set(midpoint))


def test_reflections_of_the_gathers_come_later_with_offset(folder: Path) -> None:
    with segyio.open(folder / "shots_by_channels.sgy", ignore_geometry=True) as file:
        traces = file.trace.raw[:].reshape(SHOTS, CHANNELS, -1).mean(0)
    first = np.abs(traces[:, :]).argmax(1)
    arrival = np.hypot(120.0, 1000 * 25 * (np.arange(1, CHANNELS + 1) + 3) / 2200.0) / 4
    near = arrival < np.hypot(120.0, 1000 * 25 * 9 / 2200.0) / 4
    assert np.abs(traces[near, np.rint(arrival[near]).astype(int)]).min() > 700
    assert first.max() <= 100


def test_a_scan_says_the_fault_of_each_file(folder: Path, tmp_path: Path) -> None:
    for path in sorted(folder.glob("*.sgy")):
        if path.name != "whole.sgy":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    result = SeismicReader().scan(tmp_path)
    causes = {Path(path).name: cause for path, cause in result.problems.iter_rows()}
    assert sorted(causes) == ["ieee_under_code_1.sgy", "shots_by_channels.sgy", "swapped_words.sgy", "truncated.sgy"]
    assert causes["truncated.sgy"] == (
        "truncated: 477 whole traces of at least 478; 320 of the 640 bytes of the next are there and left out"
    )
    assert causes["ieee_under_code_1.sgy"].startswith("the format code says IBM, and the samples fit IEEE better")
    assert causes["swapped_words.sgy"].startswith("ambiguous line numbers: words 189,193 (24 × 20) or 9,21 (20 × 24)")
    assert causes["shots_by_channels.sgy"].startswith(
        f"gathers before stack: word 9 counts {SHOTS} records and word 13 {CHANNELS} channels in each"
    )
    assert set(result.samples.frame["survey"]) == {"little_endian.sgy", "truncated.sgy"}
