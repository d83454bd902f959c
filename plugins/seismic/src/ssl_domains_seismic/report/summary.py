"""A survey in one line, for the notes of a scan."""

from __future__ import annotations

from ssl_domains_seismic.geometry.pair_score import PairScore
from ssl_domains_seismic.survey import Survey

__all__ = ["axis_words", "chosen_words", "one_line", "score_words", "vertical_words"]


def one_line(survey: Survey) -> str:
    """Grid, header words, vertical axis, number type and an unusual byte order of a survey that can be sampled."""
    inlines, crosslines, samples = survey.volume.shape
    grid = survey.grid
    if survey.lines is None:
        lines = f"2-D line of {crosslines:,} traces"
    else:
        live = int(grid.live().sum())
        holes = "" if live == inlines * crosslines else f" ({live:,} of {inlines * crosslines:,} cells live)"
        lines = (
            f"{inlines:,} × {crosslines:,} lines{holes} from {chosen_words(survey)}; inline {axis_words(survey, 0)}, "
        )
        lines += f"crossline {axis_words(survey, 1)}"
    order = ", little-endian" if survey.layout.header.order == "<" else ""
    return f"{lines}; {samples:,} samples, {vertical_words(survey)}; {survey.layout.format.name}{order}"


def chosen_words(survey: Survey) -> str:
    """The chosen header words, with their fill and the runner-up."""
    assert survey.lines is not None
    score = survey.lines.score
    if survey.lines.from_map:
        return f"x and y at {score.words[0]},{score.words[1]} (fill {score.fill:.1%})"
    others = [one for one in survey.choice.scores if one.words != score.words]
    runner = f"; runner-up {score_words(others[0])}" if others else ""
    return f"words {score.words[0]},{score.words[1]} (fill {score.fill:.1%}{runner})"


def score_words(score: PairScore) -> str:
    """A pair of words with its fill, or why it failed."""
    said = f"fill {score.fill:.1%}" if score.failure is None else score.failure
    return f"{score.words[0]},{score.words[1]}: {said}"


def axis_words(survey: Survey, number: int) -> str:
    """First and last number of inlines (0) or crosslines (1), and their step."""
    axis = (survey.grid.inline, survey.grid.crossline)[number]
    return f"{axis.first}–{axis.last} by {axis.step}"


def vertical_words(survey: Survey) -> str:
    """First and last time or depth, and the interval."""
    if survey.step is None:
        return "interval unknown"
    last = survey.start + survey.step * (survey.layout.samples - 1)
    return f"{survey.start:g}–{last:g} {survey.unit} by {survey.step:g}"
