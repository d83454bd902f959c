"""The scores of the audio demonstration, read from the reports of its probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ssl_domains.cli.work.demo.audio.lines import ARMS, FLOORS_BY, AudioLines

if TYPE_CHECKING:
    from ssl_domains.evaluation import ProbeReport, ProbeRow

__all__ = ["CLAIMS", "AudioScores", "ScoreRow"]

METRIC = "balanced accuracy"
_ENCODER, _RANDOM = "frozen encoder", "random initialisation"
_LINEAR, _TREES = "linear", "trees"


@dataclass(frozen=True)
class ScoreRow:
    """A line of the table.

    Attributes:
        name: Name of the arm or floor.
        about: Its description.
        words: Score of the word on new speakers, with the labels of one, two and all speakers.
        random: Score of the known speaker on random thirds of the clips.
        session: Score of the known speaker on the last day, which neither training nor probe saw.
        floor: Whether it is a floor, and no arm.
    """

    name: str
    about: str
    words: tuple[float, ...]
    random: float
    session: float
    floor: bool = False


_Claim = tuple[Callable[[ScoreRow], float], tuple[str, ...], tuple[str, ...]]

CLAIMS: dict[str, _Claim] = {
    "the speaker on a new day: {speaker, other_session} > {clip, within_speaker}": (
        lambda row: row.session,
        ("speaker", "other_session"),
        ("clip", "within_speaker"),
    ),
    "the word: within_speaker > {speaker, other_session}": (
        lambda row: row.words[-1],
        ("within_speaker",),
        ("speaker", "other_session"),
    ),
}
"""Claim in words → (score, arms that score more, arms that score less); each of the first beats each of the second."""


@dataclass(frozen=True)
class AudioScores:
    """The lines of the table; arms first, then floors."""

    CAPTION: ClassVar[str] = (
        f"{METRIC} of a linear probe: the word on 4 new speakers (chance 0.100), with labels of 1, 2 and all 8 others; "
        "and which of\nthese 8 it is (chance 0.125), on clips drawn at random and on a day that neither training nor "
        "probe saw: the difference is\nwhat the session gave away"
    )
    NAMES: ClassVar[tuple[str, ...]] = tuple(arm.name for arm in ARMS)
    rows: tuple[ScoreRow, ...]

    @property
    def arms(self) -> tuple[ScoreRow, ...]:
        """The lines of the arms."""
        return tuple(row for row in self.rows if not row.floor)

    def arm(self, name: str) -> ScoreRow:
        """The line of an arm."""
        return next(row for row in self.arms if row.name == name)

    def broken(self) -> list[str]:
        """Claims that don't hold, in words; empty where all hold."""
        return [
            f"{claim}: {value(self.arm(better)):.3f} is not above {value(self.arm(worse)):.3f} ({better}, {worse})"
            for claim, (value, above, below) in CLAIMS.items()
            for better in above
            for worse in below
            if value(self.arm(better)) <= value(self.arm(worse))
        ]

    @classmethod
    def read(cls, lines: AudioLines) -> AudioScores:
        """Read the reports in the run folders.

        Args:
            lines: The command lines, which know the folders.
        """
        from ssl_domains.evaluation import read_probe_reports

        rows: list[ScoreRow] = []
        floors: list[ScoreRow] = []
        for arm in ARMS:
            reports = read_probe_reports(lines.run_folder(arm.name))
            word, random, session = (
                next(one for one in reports if (one.label, one.group) == key)
                for key in (("word", "speaker"), ("speaker", "sample"), ("speaker", "day"))
            )
            names = [name for name in dict.fromkeys(row.arm for row in word.rows) if not name.startswith(_RANDOM)]
            for name in names:
                floor = not name.startswith(_ENCODER)
                of_random, of_session = (_means(one, _same(one, name, floor))[-1] for one in (random, session))
                words = tuple(_means(word, name))
                made = ScoreRow(
                    *((name, name) if floor else (arm.name, arm.about)), words, of_random, of_session, floor
                )
                (floors if floor else rows).append(made)
            assert arm.name == FLOORS_BY or len(names) == 1
        return cls((*rows, *floors))

    @property
    def sentences(self) -> list[str]:
        """Which arm wins, and whether the claims hold, in words."""
        word = max(self.arms, key=lambda row: row.words[-1])
        speaker = max(self.arms, key=lambda row: row.session)
        of_word = max((row for row in self.rows if row.floor), key=lambda row: row.words[-1])
        of_speaker = max((row for row in self.rows if row.floor), key=lambda row: row.session)
        broken = self.broken()
        return [
            f"Best for the word on new speakers: {word.about} ({word.words[-1]:.3f}); "
            f"it {_verb(word.words[-1], of_word.words[-1])} the best floor, {of_word.about} ({of_word.words[-1]:.3f}).",
            f"Best for the speaker on a new day: {speaker.about} ({speaker.session:.3f}); "
            f"it {_verb(speaker.session, of_speaker.session)} the best floor, {of_speaker.about} "
            f"({of_speaker.session:.3f}).",
            f"Orders that the data was made for: {'; '.join(CLAIMS)}. "
            + ("They hold here." if not broken else f"Not here: {'; '.join(broken)}."),
            "One seed of simulated data: another seed may order close arms otherwise.",
        ]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table."""
        headings = ["features", "word, 1 speaker", "2", "8", "speaker, random clips", "new day", "difference"]
        cells = [
            [row.about, *(f"{value:.3f}" for value in (*row.words, row.random, row.session, row.random - row.session))]
            for row in self.rows
        ]
        return headings, cells


def _verb(score: float, floor: float) -> str:
    return "beats" if score > floor else "does not beat"


def _same(report: ProbeReport, name: str, floor: bool) -> str:
    """The name of an arm in another report: that of an encoder says how many labels its rule read."""
    return name if floor else next(row.arm for row in report.rows if row.arm.startswith(_ENCODER))


def _means(report: ProbeReport, arm: str) -> list[float]:
    """Mean score of an arm over folds and draws, for each fraction from the smallest."""
    rows = [row for row in report.rows if row.arm == arm and row.probe in (_LINEAR, _TREES)]
    fractions = sorted({row.fraction for row in rows})
    return [_mean([row for row in rows if row.fraction == fraction]) for fraction in fractions]


def _mean(rows: Sequence[ProbeRow]) -> float:
    values = [row.values[METRIC] for row in rows]
    known = [value for value in values if value is not None]
    assert len(known) == len(values), "every class is in every fold"
    return sum(known) / len(known)
