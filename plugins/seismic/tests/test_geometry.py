"""Which header words are line numbers: gates, evidence, and the grid that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.line_axis import LineAxis, line_axis
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import Survey, examine, open_survey

from .conftest import grid_words, smooth

Make = Callable[..., Path]
INLINES, CROSSLINES = range(100, 112, 2), range(300, 332, 4)


def whole(survey: Survey) -> NDArray[Any]:
    values: NDArray[Any] = survey.volume.read((slice(None),) * 3)[0]
    return values


def with_words(words: list[dict[int, int]], **more: Callable[[int], int]) -> list[dict[int, int]]:
    """Words of traces, and further ones as functions of the number of the trace: ``w37=lambda k: k``."""
    return [{**given, **{int(name[1:]): of(k) for name, of in more.items()}} for k, given in enumerate(words)]


def text(*lines: str) -> bytes:
    return "".join(f"C{n:2d} {line}".ljust(80) for n, line in enumerate(lines, 1)).ljust(3200).encode("cp037")


def names(first: int, second: int) -> bytes:
    return text(f"INLINE: BYTES {first}-{first + 3}  CROSSLINE: BYTES {second}-{second + 3}")


# Axes


def test_axis_of_stepped_lines() -> None:
    assert line_axis(np.array([110, 104, 100, 104], np.int32)) == LineAxis(100, 2, 6)
    assert line_axis(np.array([7, 7], np.int32)) == LineAxis(7, 1, 1)


def test_a_few_numbers_off_the_axis_are_left_out() -> None:
    lines = np.repeat(np.arange(100, 300, 2), 10).astype(np.int32)
    for odd in (999_999, 0, 151):
        values = lines.copy()
        values[17] = odd
        axis = line_axis(values)
        assert axis == LineAxis(100, 2, 100)
        places, inside = axis.places(values)
        assert inside is not None
        assert np.flatnonzero(~inside).tolist() == [17]
        assert places[18] == 1


def test_numbers_far_apart_are_no_axis() -> None:
    assert line_axis(np.arange(0, 10_000, 100, dtype=np.int32)[:50] + np.arange(50, dtype=np.int32) ** 2) is None


# Choosing


@pytest.mark.parametrize("pair", [(189, 193), (9, 21)])
def test_lines_at_usual_words(make: Make, cube: NDArray[Any], pair: tuple[int, int]) -> None:
    survey = examine(make(cube, grid_words(INLINES, CROSSLINES, *pair)), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == pair
    assert (survey.grid.inline, survey.grid.crossline) == (LineAxis(100, 2, 6), LineAxis(300, 4, 8))
    np.testing.assert_array_equal(whole(survey), cube)


def test_junk_at_the_standard_words_does_not_pass(make: Make, cube: NDArray[Any]) -> None:
    junk = np.random.default_rng(0).integers(0, 4, (48, 2))
    words = with_words(grid_words(INLINES, CROSSLINES, 9, 21), w189=lambda k: junk[k, 0], w193=lambda k: junk[k, 1])
    survey = examine(make(cube, words), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (9, 21)
    (junk_score,) = [score for score in survey.choice.scores if score.words == (189, 193)]
    assert re.search(r"share a cell", str(junk_score.failure))


def test_a_number_that_no_other_trace_has_is_no_line(make: Make, cube: NDArray[Any]) -> None:
    """Word 5 counts the traces, and a flag in word 21 would make a grid of 48 × 2 that is half full."""
    words = with_words(grid_words(INLINES, CROSSLINES), w21=lambda k: int(k >= 24))
    survey = examine(make(cube, words), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (189, 193)
    (other,) = [score for score in survey.choice.scores if score.words == (5, 21)]
    assert (other.fill, other.failure) == (0.5, "most numbers have a single trace")


def test_equal_pairs_are_one(make: Make, cube: NDArray[Any]) -> None:
    words = [{**given, 9: given[189], 21: given[193]} for given in grid_words(INLINES, CROSSLINES)]
    survey = examine(make(cube, words), Reading())
    assert survey.refusals == ()
    assert survey.lines is not None
    assert survey.lines.score.words == (189, 193)
    assert "words 9,21 hold the same numbers as 189,193" in survey.choice.evidence


def _twins(second: str) -> list[dict[int, int]]:
    other = {"swapped": (193, 189), "shifted": (189, 193)}[second]
    add = 0 if second == "swapped" else 1000
    return [{**given, 9: given[other[0]] + add, 21: given[other[1]]} for given in grid_words(INLINES, CROSSLINES)]


@pytest.mark.parametrize("second", ["swapped", "shifted"])
def test_different_pairs_are_ambiguous_until_the_user_decides(make: Make, cube: NDArray[Any], second: str) -> None:
    path = make(cube, _twins(second))
    survey = examine(path, Reading())
    (refusal,) = survey.refusals
    assert refusal.startswith("ambiguous line numbers: words 189,193 (6 × 8) or 9,21 (")
    assert "--lines 189,193" in refusal
    assert [score.words for score in survey.choice.rivals] == [(189, 193), (9, 21)]
    np.testing.assert_array_equal(whole(examine(path, Reading(lines=(189, 193)))), cube)
    swapped = whole(examine(path, Reading(lines=(9, 21))))
    np.testing.assert_array_equal(swapped, cube.transpose(1, 0, 2) if second == "swapped" else cube)


def test_the_text_header_decides(make: Make, cube: NDArray[Any]) -> None:
    survey = examine(make(cube, _twins("swapped"), text=names(9, 21)), Reading())
    assert survey.refusals == ()
    assert survey.grid.shape == (8, 6)
    assert "the text header decides for words 9,21" in survey.choice.evidence


def test_coordinates_decide(make: Make, cube: NDArray[Any]) -> None:
    """Both pairs fill a grid, and only one agrees with the map."""
    shuffled = np.random.default_rng(0).permutation(48)
    words = [
        {
            **given,
            181: 1000 + 25 * (k // 8),
            185: 5000 + 12 * (k % 8),
            9: int(shuffled[k] // 8),
            21: int(shuffled[k] % 8),
        }
        for k, given in enumerate(grid_words(INLINES, CROSSLINES))
    ]
    survey = examine(make(cube, words), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (189, 193)
    assert survey.lines.fit is not None
    assert survey.lines.fit.bins == pytest.approx((25, 12))


def test_words_that_the_text_names_outside_of_the_candidates(make: Make, cube: NDArray[Any]) -> None:
    survey = examine(make(cube, grid_words(INLINES, CROSSLINES, 181, 197), text=names(181, 197)), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (181, 197)


def test_given_words_that_hold_no_lines(make: Make, cube: NDArray[Any]) -> None:
    path = make(cube)
    with pytest.raises(ReadError, match="9,21 of --lines hold no lines"):
        open_survey(path, Reading(lines=(9, 21)))


def test_given_words_that_would_make_a_huge_grid(make: Make) -> None:
    words = [{21: 97 * k, 193: 89 * (k * k % 997)} for k in range(997)]
    survey = examine(make(np.zeros((1, 997, 2), np.float32), words), Reading(lines=(21, 193)))
    assert survey.refusals[0].startswith("the words 21,193 of --lines make a grid of 997 × ")


# Gathers


@pytest.mark.parametrize("offsets", [True, False])
def test_shots_by_channels_are_refused(make: Make, offsets: bool) -> None:
    """Words 17 and 25 fill a grid to 100 %; that proves nothing."""
    words = [
        {9: s + 1, 17: 101 + s, 13: c + 1, 25: c + 1, 21: s + c + 1, 37: -25 * c if offsets else 0}
        for s in range(6) for c in range(40)
    ]  # fmt: skip
    survey = examine(make(smooth(6, 40, 20), words), Reading())
    if offsets:
        assert survey.refusals[0].startswith(
            "gathers before stack: word 9 counts 6 records and word 13 40 channels in each"
        )
    else:
        words = [{**given, 9: 0, 21: 0, 13: 0} for given in words]
        (refusal,) = examine(make(smooth(6, 40, 20), words), Reading()).refusals
        assert refusal.startswith("probably gathers before stack: words 17,25 count shots and channels")


def test_words_of_shots_and_channels_are_lines_where_coordinates_say_so(make: Make, cube: NDArray[Any]) -> None:
    words = [{17: 1 + k // 8, 25: 1 + k % 8, 181: 100 + 25 * (k // 8), 185: 900 + 25 * (k % 8)} for k in range(48)]
    survey = examine(make(cube, words), Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (17, 25)
    assert examine(make(cube, [{**w, 181: 0, 185: 0} for w in words], text=names(17, 25)), Reading()).lines is not None


def test_four_offsets_in_every_cell_are_refused(make: Make) -> None:
    words = [{**given, 37: 100 * offset} for given in grid_words(INLINES, CROSSLINES) for offset in (1, 2, 3, 4)]
    (refusal,) = examine(make(smooth(48, 4, 20), words), Reading()).refusals
    assert refusal.startswith("gathers before stack: about 4 traces in each cell, with offsets 100, 200, 300, 400")


def test_an_offset_word_that_varies_is_no_gather(make: Make, cube: NDArray[Any]) -> None:
    words = [{**given, 37: given[193]} for given in grid_words(INLINES, CROSSLINES)]
    survey = examine(make(cube, words), Reading())
    assert survey.refusals == ()
    assert "offset word (37) varies" in survey.notes[0]


# The grid


def test_holes_and_any_order_of_traces(make: Make, cube: NDArray[Any]) -> None:
    order = np.random.default_rng(1).permutation(48)[:40]
    words = grid_words(INLINES, CROSSLINES)
    survey = examine(make(cube.reshape(48, 40)[order], [words[k] for k in order]), Reading())
    values, valid = survey.volume.read((slice(None),) * 3)
    live = np.isin(np.arange(48), order).reshape(6, 8)
    assert valid is not None
    np.testing.assert_array_equal(valid[:, :, 0], live)
    np.testing.assert_array_equal(values, np.where(live[:, :, None], cube, 0))
    assert survey.grid.order == "traces in no order of lines"


def test_few_duplicates_keep_the_first_trace(make: Make) -> None:
    cube = smooth(10, 20, 20)
    traces = np.concatenate([cube.reshape(200, 20), cube.reshape(200, 20)[:1] + 1])
    words = grid_words(range(10), range(20))
    survey = examine(make(traces, [*words, words[0]]), Reading())
    np.testing.assert_array_equal(whole(survey), cube)
    assert survey.notes == ("1 traces lie in a cell that has one already: the first of the file is taken",)


def test_outlier_lines_are_left_out_and_said(make: Make) -> None:
    cube = smooth(10, 20, 20)
    words = grid_words(range(10), range(20))
    words[57][193] = 999_999
    survey = examine(make(cube, words), Reading())
    assert survey.grid.shape == (10, 20)
    assert int(survey.grid.live().sum()) == 199
    assert survey.notes == ("1 traces have line numbers far from the others, or between them: left out",)


@pytest.mark.parametrize("inline_falls", [False, True])
@pytest.mark.parametrize("crossline_falls", [False, True])
@pytest.mark.parametrize("by_crossline", [False, True])
def test_regular_files_in_any_direction(
    make: Make, cube: NDArray[Any], inline_falls: bool, crossline_falls: bool, by_crossline: bool
) -> None:
    inlines = list(INLINES)[:: -1 if inline_falls else 1]
    crosslines = list(CROSSLINES)[:: -1 if crossline_falls else 1]
    pairs = (
        [(i, x) for x in crosslines for i in inlines] if by_crossline else [(i, x) for i in inlines for x in crosslines]
    )
    traces = np.stack([cube[(i - 100) // 2, (x - 300) // 4] for i, x in pairs])
    survey = examine(make(traces, [{189: i, 193: x} for i, x in pairs]), Reading())
    assert survey.grid.regular is not None
    np.testing.assert_array_equal(whole(survey), cube)
    words = [
        f"inline numbers {'de' if inline_falls else 'in'}crease",
        f"crossline numbers {'de' if crossline_falls else 'in'}crease",
    ]
    outer = "crossline" if by_crossline else "inline"
    assert survey.grid.order == f"sorted by {outer}; " + ", ".join(words[:: -1 if by_crossline else 1])


def test_dead_traces_have_no_data_and_unknown_ones_have(make: Make, cube: NDArray[Any]) -> None:
    words = [{**given, 29: 2 if k == 11 else 0} for k, given in enumerate(grid_words(INLINES, CROSSLINES))]
    survey = examine(make(cube, words), Reading())
    values, valid = survey.volume.read((slice(None),) * 3)
    assert valid is not None
    assert np.argwhere(~valid[:, :, 0]).tolist() == [[1, 3]]
    assert not values[1, 3].any()
    assert survey.notes == ("1 traces are marked as dead (word 29 is 2): places without data",)


def test_without_any_lines_a_file_is_a_2d_line(make: Make) -> None:
    traces = smooth(1, 30, 40)
    survey = examine(make(traces, [{} for _ in range(30)]), Reading())
    assert survey.lines is None
    assert survey.refusals == ()
    assert survey.choice.evidence == (
        "no candidate gives a grid, so the file is one line (2-D); words that vary: 1, 5",
    )
    np.testing.assert_array_equal(whole(survey), traces)


# The map


@pytest.mark.parametrize("degrees", [0, 30, -75, 160])
@pytest.mark.parametrize("bins", [(25.0, 12.5), (12.5, 25.0), (20.0, 20.0)])
def test_x_and_y_alone_are_counted_as_lines(make: Make, degrees: float, bins: tuple[float, float]) -> None:
    cube, (inline, crossline) = smooth(7, 9, 20), bins
    angle = np.radians(degrees)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    words = []
    for i in range(7):
        for x in range(9):
            place = np.array([600_000, 6_000_000]) + crossline * x * along + inline * i * across
            words.append({71: -10, 181: round(10 * place[0]), 185: round(10 * place[1])})
    survey = examine(make(cube, words), Reading())
    assert survey.lines is not None
    assert survey.lines.from_map
    assert survey.lines.fit is not None
    assert survey.lines.fit.rotation == pytest.approx(degrees, abs=0.5)
    assert survey.lines.fit.bins == pytest.approx(bins, abs=0.1)
    np.testing.assert_array_equal(whole(survey), cube)


def test_scalar_and_feet_of_coordinates(make: Make, cube: NDArray[Any]) -> None:
    words = [
        {**w, 71: -100, 181: 100_000 + 2500 * (k // 8), 185: 1250 * (k % 8)}
        for k, w in enumerate(grid_words(INLINES, CROSSLINES))
    ]
    metres = examine(make(cube, words), Reading()).lines
    feet = examine(make(cube, words, binary={3255: ("h", 2)}), Reading()).lines
    assert metres is not None and metres.fit is not None  # noqa: PT018
    assert feet is not None and feet.fit is not None  # noqa: PT018
    assert metres.fit.bins == pytest.approx((25, 12.5))
    assert metres.fit.origin == pytest.approx((1000, 0), abs=1e-6)
    assert feet.fit.bins == pytest.approx((7.62, 3.81))


@pytest.mark.parametrize("kind", ["ibm", "ieee"])
def test_coordinates_as_floats_are_said_and_usable(make: Make, cube: NDArray[Any], kind: str) -> None:
    from .conftest import ibm_words

    def word(value: float) -> int:
        one = np.array([value], dtype=np.float32)
        return int((ibm_words(one).view(np.int32) if kind == "ibm" else one.view(np.int32))[0])

    words = [
        {**w, 71: 1, 181: word(1000 + 25 * (k // 8)), 185: word(500 + 12.5 * (k % 8))}
        for k, w in enumerate(grid_words(INLINES, CROSSLINES))
    ]
    path = make(cube, words)
    unread = examine(path, Reading())
    assert any(note.startswith("word 181 looks like a float: ") and "--coordinates" in note for note in unread.notes)
    assert unread.lines is not None
    assert unread.lines.fit is None
    lines = examine(path, Reading(coordinates=kind)).lines
    assert lines is not None and lines.fit is not None  # noqa: PT018
    assert lines.fit.bins == pytest.approx((25, 12.5))


# The vertical axis


def test_the_start_time_is_scaled_and_may_be_negative(make: Make, cube: NDArray[Any]) -> None:
    for delay, scalar, start in ((1000, 0, 1000), (15_000, -10, 1500), (-200, 0, -200), (15, 10, 150), (15, 77, 15)):
        words = [{**given, 109: delay, 215: scalar} for given in grid_words(INLINES, CROSSLINES)]
        assert examine(make(cube, words), Reading()).start == start


def test_start_times_that_differ_are_refused(make: Make, cube: NDArray[Any]) -> None:
    words = [{**given, 109: 4 * (k % 3)} for k, given in enumerate(grid_words(INLINES, CROSSLINES))]
    (refusal,) = examine(make(cube, words), Reading()).refusals
    said = "the start time differs between traces, from 0 to 8 ms (word 109; 32 of 48 traces differ from the first)"
    assert refusal.startswith(said)
    dead = [{**given, 109: 0, 29: 1} for given in words]
    dead[5] |= {109: 500, 29: 2}
    assert examine(make(cube, dead), Reading()).refusals == ()


def test_depth_is_only_what_the_user_says(make: Make, cube: NDArray[Any]) -> None:
    path = make(cube, interval=5000)
    assert (examine(path, Reading()).unit, examine(path, Reading()).step) == ("ms", 5)
    depth = examine(path, Reading(vertical="depth"))
    assert (depth.unit, depth.step) == ("m", 5)
    feet = examine(make(cube, interval=10_000, binary={3255: ("h", 2)}), Reading(vertical="depth"))
    assert feet.step == pytest.approx(3.048)
