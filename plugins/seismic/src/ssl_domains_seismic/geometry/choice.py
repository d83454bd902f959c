"""Choose the words of the line numbers, from how pairs fill a grid and from evidence; or say why none can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.geometry.coordinates import MapFit, coordinate_words, coordinates_of, fit_map
from ssl_domains_seismic.geometry.gathers import map_gathers, offset_gathers, shot_gathers
from ssl_domains_seismic.geometry.map_grid import lines_from_map
from ssl_domains_seismic.geometry.pair_score import CANDIDATES, PairScore, pair_score
from ssl_domains_seismic.segy.trace_words import WORDS, TraceWords

__all__ = ["Choice", "Lines", "choose_lines"]

_NEEDS_EVIDENCE = {13: "channel", 25: "channel", 17: "shot"}
_LARGEST = 100  # cells for each trace, of words that the user gives
_CLOSE = 0.5  # a pair with less than this share of the best pair's fill is no rival of it


@dataclass(frozen=True)
class Lines:
    """Line numbers of every trace.

    Attributes:
        score: The pair of words, with its axes; the words of x and y when the numbers were made from the map.
        a: Inline of each trace, int32 ``[n]``.
        b: Crossline of each trace, int32 ``[n]``.
        fit: Place on the map; None without coordinates that fit.
        from_map: Whether the numbers were made from coordinates.
    """

    score: PairScore
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    fit: MapFit | None
    from_map: bool = False


@dataclass(frozen=True)
class Choice:
    """The result of choosing.

    Attributes:
        lines: The chosen line numbers; None for a 2-D file, or when nothing was chosen.
        refusal: Why the file can't be read as a grid, in one sentence; None when it can.
        scores: Every pair that was scored, the best first.
        named: Bytes that the text header names.
        evidence: Sentences about what spoke for and against the pairs.
        rivals: Pairs that could not be told apart, when the choice is ambiguous.
    """

    lines: Lines | None
    refusal: str | None
    scores: tuple[PairScore, ...]
    named: Mapping[str, int]
    evidence: tuple[str, ...] = ()
    rivals: tuple[PairScore, ...] = ()


@dataclass
class _Judge:
    """What is known of a file while its line numbers are chosen."""

    words: TraceWords
    named: Mapping[str, int]
    kind: str
    feet: bool
    evidence: list[str] = field(default_factory=list)
    scores: list[PairScore] = field(default_factory=list)

    def score(self, pair: tuple[int, int]) -> PairScore:
        made = pair_score(pair, self.words[pair[0]], self.words[pair[1]])
        self.scores.append(made)
        return made

    def fit(self, score: PairScore) -> MapFit | None:
        pair = coordinate_words(self.words, self.kind)
        if pair is None or score.inline is None or score.crossline is None or set(pair) & set(score.words):
            return None
        rows, on_inline = score.inline.places(self.words[score.words[0]])
        columns, on_crossline = score.crossline.places(self.words[score.words[1]])
        inside = np.ones(len(rows), dtype=np.bool_)
        for mask in (on_inline, on_crossline):
            inside &= True if mask is None else mask
        chosen = np.flatnonzero(inside)
        if len(chosen) > 20_000:
            chosen = chosen[np.linspace(0, len(chosen) - 1, num=20_000, dtype=np.int64)]
        xy = coordinates_of(self.words, pair, self.kind, self.feet, chosen)
        return fit_map(xy, rows[chosen], columns[chosen])

    def text_names(self, score: PairScore) -> bool:
        return score.words == (self.named.get("inline"), self.named.get("crossline"))

    def choice(self, lines: Lines | None, refusal: str | None, rivals: tuple[PairScore, ...] = ()) -> Choice:
        best = sorted(self.scores, key=lambda one: (one.failure is not None, one.cells <= 1, -one.fill, one.duplicates))
        return Choice(lines, refusal, tuple(best), dict(self.named), tuple(self.evidence), rivals)

    def lines(self, score: PairScore, fit: MapFit | None) -> Lines:
        return Lines(score, self.words[score.words[0]], self.words[score.words[1]], fit)


def choose_lines(
    words: TraceWords,
    named: Mapping[str, int],
    *,
    given: tuple[int, int] | None = None,
    kind: str = "int",
    feet: bool = False,
) -> Choice:
    """Choose the words of inline and crossline.

    Args:
        words: Header words of all traces.
        named: Bytes that the text header names: ``{"inline": 189, …}``.
        given: The user's choice of words; only the gate of duplicates is checked then.
        kind: How the words of coordinates are read: ``"int"``, ``"ibm"`` or ``"ieee"``.
        feet: Whether lengths are in feet.
    """
    judge = _Judge(words, named, kind, feet)
    if named:
        judge.evidence.append("text header: " + ", ".join(f"{word} at {byte}" for word, byte in named.items()))
    if given is not None:
        return _given(judge, given)
    pairs = list(CANDIDATES)
    by_text = (named.get("inline"), named.get("crossline"))
    if by_text[0] in WORDS and by_text[1] in WORDS and by_text not in pairs and by_text[0] != by_text[1]:
        pairs.insert(0, (int(by_text[0] or 0), int(by_text[1] or 0)))
    passing = [score for pair in pairs if (score := judge.score(pair)).failure is None]
    for score in judge.scores:
        if judge.text_names(score) and score.failure is not None:
            judge.evidence.append(f"the text header names words {_pair(score)}, but there: {score.failure}")
    fits = {score.words: judge.fit(score) for score in passing}
    kept = _corroborated(judge, passing, fits)
    gathers = shot_gathers(words)
    if gathers is not None:
        kept = [score for score in kept if fits[score.words] is not None or judge.text_names(score)]
        if not kept:
            return judge.choice(None, gathers + "; only stacked data are read")
        judge.evidence.append(gathers + "; but text header or coordinates say that they are places")
    if not kept:
        return _without_lines(judge, passing)
    best = max(score.fill for score in kept)
    kept = [score for score in kept if score.fill >= _CLOSE * best or judge.text_names(score)]
    return _of_rivals(judge, kept, fits)


def _given(judge: _Judge, given: tuple[int, int]) -> Choice:
    score = judge.score(given)
    if score.inline is None or score.crossline is None or score.cells <= 1:
        return judge.choice(None, f"the words {_pair(score)} of --lines hold no lines: {score.failure}")
    if score.failure is not None and score.duplicates:
        offsets = offset_gathers(judge.words, score)
        return judge.choice(None, offsets or f"the words {_pair(score)} of --lines hold no lines: {score.failure}")
    if score.cells > _LARGEST * score.traces:
        cause = f"the words {_pair(score)} of --lines make a grid of {_shape(score)} for {score.traces:,} traces"
        return judge.choice(None, cause)
    judge.evidence.append(f"words {_pair(score)} were given by --lines")
    return judge.choice(judge.lines(score, judge.fit(score)), None)


def _corroborated(
    judge: _Judge, passing: list[PairScore], fits: Mapping[tuple[int, int], MapFit | None]
) -> list[PairScore]:
    """The pairs without those of shot and channel words that neither text nor coordinates speak for."""
    kept = []
    for score in passing:
        doubtful = [f"{byte} ({_NEEDS_EVIDENCE[byte]})" for byte in score.words if byte in _NEEDS_EVIDENCE]
        if not doubtful or judge.text_names(score) or fits[score.words] is not None:
            kept.append(score)
        else:
            judge.evidence.append(
                f"words {_pair(score)} fill a grid of {_shape(score)}, but {' and '.join(doubtful)} prove no place: "
                "neither the text header nor coordinates say so"
            )
    return kept


def _of_rivals(judge: _Judge, kept: list[PairScore], fits: Mapping[tuple[int, int], MapFit | None]) -> Choice:
    """One pair of several that pass: the first of equal ones, or the one that evidence singles out."""
    different: list[PairScore] = []
    for score in kept:
        twin = next((one for one in different if _equal(judge, one, score)), None)
        if twin is None:
            different.append(score)
        else:
            judge.evidence.append(f"words {_pair(score)} hold the same numbers as {_pair(twin)}")
    if len(different) > 1:
        by_text = [score for score in different if judge.text_names(score)]
        by_map = [score for score in different if fits[score.words] is not None]
        if len(by_text) == 1:
            judge.evidence.append(f"the text header decides for words {_pair(by_text[0])}")
            different = by_text
        elif len(by_map) == 1:
            judge.evidence.append(f"only the numbers at {_pair(by_map[0])} agree with the coordinates")
            different = by_map
    if len(different) == 1:
        score = different[0]
        return judge.choice(judge.lines(score, fits[score.words]), None)
    said = " or ".join(f"{_pair(score)} ({_shape(score)})" for score in different)
    first = ",".join(map(str, different[0].words))
    refusal = f"ambiguous line numbers: words {said}; decide by --lines {first} or the other"
    return judge.choice(None, refusal, tuple(different))


def _without_lines(judge: _Judge, passing: list[PairScore]) -> Choice:
    """No pair of words is left: coordinates alone, gathers, shots × channels, or a 2-D file."""
    words = judge.words
    for score in judge.scores:
        said = offset_gathers(words, score)
        if said is not None:
            return judge.choice(None, said + "; only stacked data are read")
    if passing:
        first = _pair(passing[0])
        return judge.choice(
            None,
            f"probably gathers before stack: words {first} count shots and channels; only stacked data are read "
            f"(--lines {first} if they are lines)",
        )
    pair = coordinate_words(words, judge.kind)
    if pair is not None:
        said = map_gathers(words, pair)
        if said is not None:
            return judge.choice(None, said + "; only stacked data are read")
        xy = coordinates_of(words, pair, judge.kind, judge.feet)
        numbers = lines_from_map(xy) if np.isfinite(xy).all() else None
        if numbers is not None:
            score = pair_score(pair, *numbers)
            if score.failure is None and score.inline is not None and score.crossline is not None:
                judge.scores.append(score)
                fit = fit_map(xy, score.inline.places(numbers[0])[0], score.crossline.places(numbers[1])[0])
                judge.evidence.append(f"no words hold line numbers: lines were counted from x and y at {_pair(score)}")
                return judge.choice(Lines(score, *numbers, fit, from_map=True), None)
    varying = ", ".join(map(str, words.varying())) or "none"
    judge.evidence.append(f"no candidate gives a grid, so the file is one line (2-D); words that vary: {varying}")
    return judge.choice(None, None)


def _equal(judge: _Judge, one: PairScore, other: PairScore) -> bool:
    words = judge.words
    pairs = zip(one.words, other.words, strict=True)
    return all(first == second or np.array_equal(words[first], words[second]) for first, second in pairs)


def _pair(score: PairScore) -> str:
    return f"{score.words[0]},{score.words[1]}"


def _shape(score: PairScore) -> str:
    assert score.inline is not None
    assert score.crossline is not None
    return f"{score.inline.count:,} × {score.crossline.count:,}"
