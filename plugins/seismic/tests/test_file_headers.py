"""Text header, binary header, and where the traces lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.report.header import header_report
from ssl_domains_seismic.segy.layout import read_layout
from ssl_domains_seismic.segy.text_header import named_bytes, read_text_header
from ssl_domains_seismic.survey import examine

Make = Callable[..., Path]


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", [1, 2, 3, 5, 6, 8, 10, 11, 16])
def test_the_byte_order_is_that_of_a_known_format(make: Make, cube: NDArray[Any], order: str, code: int) -> None:
    layout = read_layout(make(np.abs(cube) % 100, code=code, order=order))
    assert (layout.header.order, layout.format.code, layout.traces, layout.samples) == (order, code, 48, 40)


@pytest.mark.parametrize(
    ("code", "word"), [(7, "3 bytes"), (15, "3 bytes"), (4, "gain"), (9, "8 bytes"), (12, "8 bytes")]
)
def test_a_format_that_is_not_read_is_one_sentence(make: Make, cube: NDArray[Any], code: int, word: str) -> None:
    with pytest.raises(ReadError, match=rf"format {code} \(.*{word}.*\) are not read"):
        read_layout(make(cube, header_code=code))


@pytest.mark.parametrize("code", [13, 300])
def test_an_unknown_format_is_no_segy(make: Make, cube: NDArray[Any], code: int) -> None:
    with pytest.raises(ReadError, match=f"format code at byte 3225 is {code}"):
        read_layout(make(cube, header_code=code))


@pytest.mark.parametrize("size", [0, 100, 3599, 3600, 3700])
def test_a_file_that_is_too_short(make: Make, cube: NDArray[Any], size: int) -> None:
    path = make(cube)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ReadError):
        read_layout(path)


def test_interval_and_samples_are_unsigned(make: Make) -> None:
    layout = read_layout(make(np.zeros((2, 2, 40_000), np.int8), code=8, interval=40_000))
    assert (layout.interval_us, layout.samples, layout.notes) == (40_000, 40_000, ())


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (100, "truncated: 47 whole traces of at least 48; 300 of the 400 bytes of the next are there and left out"),
        (900, "truncated: 45 whole traces of at least 46; 300 of the 400 bytes of the next are there and left out"),
    ],
)
def test_a_truncated_file_names_the_traces_that_are_whole_and_those_that_should_be(
    make: Make, cube: NDArray[Any], cut: int, said: str
) -> None:
    path = make(cube)
    path.write_bytes(path.read_bytes()[:-cut])
    layout = read_layout(path)
    assert (layout.traces, layout.truncated, layout.notes) == (48 - (cut + 399) // 400, said, ())
    assert said in header_report(path)
    values, valid = examine(path, Reading()).volume.read((slice(None),) * 3)
    assert valid is not None
    assert int(valid.sum()) == layout.traces
    np.testing.assert_array_equal(values.reshape(48, 40)[: layout.traces], cube.reshape(48, 40)[: layout.traces])


@pytest.mark.parametrize("cut", [0, 400, 500])
def test_revision_two_says_how_many_traces_a_truncated_file_should_have(
    make: Make, cube: NDArray[Any], cut: int
) -> None:
    binary = {3501: ("B", 2), 3502: ("B", 0), 3269: ("i", 40), 3513: ("Q", 48), 3521: ("Q", 3600)}
    path = make(cube, binary=binary)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    rest = "; 300 of the 400 bytes of the next are there and left out"
    right = {0: None, 400: "truncated: 47 whole traces of 48 by the header"}
    right[500] = f"truncated: 46 whole traces of 48 by the header{rest}"
    assert read_layout(path).truncated == right[cut]


def test_a_trailer_of_revision_two_is_no_truncated_trace(make: Make, cube: NDArray[Any]) -> None:
    binary = {3501: ("B", 2), 3502: ("B", 0), 3269: ("i", 40), 3513: ("Q", 48), 3521: ("Q", 3600)}
    layout = read_layout(make(cube, binary=binary, tail=b"a short trailer"))
    assert (layout.traces, layout.truncated) == (48, None)
    assert layout.notes == ("the header says 48 traces; what follows them is not read",)


def test_samples_that_contradict_each_other_are_those_that_fit_the_file(make: Make, cube: NDArray[Any]) -> None:
    layout = read_layout(make(cube, binary={3221: ("H", 77)}))
    assert layout.samples == 40
    assert layout.notes == (
        "the first trace header says 40 samples a trace, the binary header 77: the first fits the size of the file",
    )


def test_without_an_interval_there_are_no_times(make: Make, cube: NDArray[Any]) -> None:
    survey = examine(make(cube, interval=0), Reading())
    assert survey.step is None
    assert "there are no times" in survey.notes[0]


@pytest.mark.parametrize("encoding", ["cp037", "ascii"])
def test_the_encoding_of_the_text_is_recognised(encoding: str) -> None:
    text = "".join(f"C{n:2d} LINE {n} of the text".ljust(80) for n in range(1, 41))
    made = read_text_header(text.encode(encoding))
    assert made.encoding == {"cp037": "ebcdic", "ascii": "ascii"}[encoding]
    assert made.lines[6] == "C 7 LINE 7 of the text"
    assert len(made.lines) == 40


def _texts(*last: str) -> bytes:
    blocks = [f"C 1 FURTHER TEXT {number}" for number in range(2)] + list(last)
    return b"".join(block.ljust(3200).encode("cp037") for block in blocks)


@pytest.mark.parametrize(("count", "between"), [(2, _texts()), (-1, _texts("((SEG: EndText))"))])
def test_further_text_headers_shift_the_traces(make: Make, cube: NDArray[Any], count: int, between: bytes) -> None:
    path = make(cube, binary={3505: ("h", count)}, between=between)
    survey = examine(path, Reading())
    assert survey.layout.first == 3600 + len(between)
    assert survey.layout.extended is not None
    assert survey.layout.extended.lines[40] == "C 1 FURTHER TEXT 1"
    np.testing.assert_array_equal(_whole(survey), cube)


def test_a_number_of_further_texts_without_a_text_is_ignored(make: Make, cube: NDArray[Any]) -> None:
    survey = examine(make(cube, binary={3505: ("h", 1), 3501: ("H", 0)}), Reading())
    np.testing.assert_array_equal(_whole(survey), cube)


def test_an_end_mark_that_never_comes(make: Make, cube: NDArray[Any]) -> None:
    with pytest.raises(ReadError, match="further text headers"):
        read_layout(make(cube, binary={3505: ("h", -1)}))


@pytest.mark.parametrize("order", [">", "<"])
def test_revision_two(make: Make, cube: NDArray[Any], order: str) -> None:
    """The first trace may begin anywhere, traces have further headers, and numbers have more bits."""
    binary = {
        3501: ("B", 2), 3502: ("B", 0), 3217: ("H", 0), 3221: ("H", 0), 3269: ("i", 40), 3273: ("d", 2500.0),
        3507: ("i", 2), 3513: ("Q", 48), 3521: ("Q", 5000),
    }  # fmt: skip
    path = make(cube, binary=binary, between=bytes(1400), extensions=2, order=order, tail=b"trailer " * 200)
    survey = examine(path, Reading())
    assert (survey.layout.first, survey.layout.head, survey.layout.traces, survey.step) == (5000, 720, 48, 2.5)
    np.testing.assert_array_equal(_whole(survey), cube)


def test_bytes_that_the_text_names() -> None:
    for line in (
        "C 5 INLINE NUMBER BYTES 9-12, CROSSLINE NUMBER BYTES 21-24",
        "C 5 IN-LINE: 9-12   X-LINE: 21-24",
        "C12 9-12 INLINE   21-24 XLINE",
        "C12 IL (BYTES 9 - 12) XL (BYTES 21 - 24)",
    ):
        assert named_bytes((line,)) == {"inline": 9, "crossline": 21}, line
    assert named_bytes(("C 7 CDP X: BYTES 181-184  CDP Y: BYTES 185-188",)) == {"x": 181, "y": 185}
    assert named_bytes(("C 3 INLINES 100-500 OF THE SURVEY, DATE 12-15",)) == {}
    assert named_bytes(("C 5 INLINE 9-12", "C 6 INLINE 189-192")) == {}


def _whole(survey: Any) -> NDArray[Any]:
    values: NDArray[Any] = survey.volume.read((slice(None),) * 3)[0]
    return values
