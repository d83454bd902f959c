"""From labels as they are written to transcripts, with a reason for each label that is left out, and counts of both."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ssl_domains.errors import UsageError
from ssl_domains.quantities import plural
from ssl_domains.text_direction import Direction, direction_of
from ssl_domains_text.lines.labels.alphabet import named_character, outside

__all__ = ["LabelRules", "Transcripts", "transcripts_of"]

_SHOWN = 12


@dataclass(frozen=True)
class LabelRules:
    """Which labels are used, and how they are changed; what is not asked for is not done.

    Attributes:
        alphabet: Characters that a label may have; None for all.
        longest: Most characters of a label; None for any number.
        lower: Whether capitals become small letters.
        direction: ``"auto"`` takes the direction of the script of each label; ``"ltr"`` and ``"rtl"`` are that of all.

    Raises:
        UsageError: For a length or a direction that none can have.
    """

    alphabet: frozenset[str] | None = None
    longest: int | None = None
    lower: bool = False
    direction: Literal["auto", "ltr", "rtl"] = "auto"

    def __post_init__(self) -> None:
        if self.longest is not None and self.longest < 1:
            raise UsageError(f"--longest {self.longest} leaves no label", "give a number of characters, such as 25")
        if self.direction not in ("auto", "ltr", "rtl"):
            raise UsageError(f"--direction {self.direction} is no direction", "give auto, ltr or rtl")


@dataclass
class Transcripts:
    """The transcripts of all lines, and what was done to them.

    Attributes:
        texts: Transcript of each line; None for a line without one.
        problems: Reason why the label of a line is left out; None where it isn't, or where there is no label.
        directions: Direction of each line; empty where all are left to right.
        notes: Remarks, in sentences.
    """

    texts: list[str | None] = field(default_factory=list)
    problems: list[str | None] = field(default_factory=list)
    directions: list[Direction] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def transcripts_of(written: Sequence[str | None], causes: Sequence[str], rules: LabelRules) -> Transcripts:
    """Check and normalise the labels of all lines.

    Every label is brought to the composed form of Unicode (NFC), and spaces at its ends are taken off. A label is left
    out when it can't be read, is empty, has control characters, has characters outside the alphabet, or is too long.

    Args:
        written: Label of each line as it is written; None for a line without.
        causes: Why the label of a line can't be used, as the reader found; empty where it can.
        rules: What else is asked for.
    """
    made, done = Transcripts(), Counter[str]()
    reasons, characters = Counter[str](), Counter[str]()
    directions: list[Direction | None] = []
    for label, cause in zip(written, causes, strict=True):
        text, reason, problem, wrong = _transcript(label, cause, rules, done)
        made.texts.append(text)
        made.problems.append(problem)
        reasons[reason] += bool(reason)
        characters.update(wrong)
        directions.append(None if text is None else direction_of(text))
    _add_directions(made, directions, rules)
    labelled = len(written) - sum(label is None and not cause for label, cause in zip(written, causes, strict=True))
    made.notes = [
        *_label_notes(labelled, len(written), reasons, characters),
        *_change_notes(done),
        *made.notes,
    ]
    return made


def _transcript(
    label: str | None, cause: str, rules: LabelRules, done: Counter[str]
) -> tuple[str | None, str, str | None, list[str]]:
    """(the transcript, kind of the reason why there is none, the reason, characters outside the alphabet)."""
    if cause:
        return None, cause, cause, []
    if label is None:
        return None, "", None, []
    text = unicodedata.normalize("NFC", label)
    done["composed"] += text != label
    stripped = text.strip()
    done["stripped"] += stripped != text
    text = stripped
    if rules.lower:
        small = unicodedata.normalize("NFC", text.lower())
        done["lowered"] += small != text
        text = small
    if not text:
        return None, "empty", "the label is empty", []
    control = [one for one in dict.fromkeys(text) if unicodedata.category(one) in ("Cc", "Cs")]
    if control:
        shown = ", ".join(map(named_character, control[:_SHOWN]))
        return None, "with control characters", f"the label has control characters: {shown}", []
    wrong = [] if rules.alphabet is None else outside(text, rules.alphabet)
    if wrong:
        shown = ", ".join(map(named_character, wrong[:_SHOWN])) + (", …" if len(wrong) > _SHOWN else "")
        return None, "outside the alphabet", f"characters outside the alphabet: {shown}", wrong
    if rules.longest is not None and len(text) > rules.longest:
        kind = f"longer than {rules.longest} characters"
        return None, kind, f"{len(text)} characters, more than {rules.longest}", []
    return text, "", None, []


def _add_directions(made: Transcripts, directions: Sequence[Direction | None], rules: LabelRules) -> None:
    """The direction of each line, where some are read from right to left; and a note that says so."""
    counts = Counter(directions)
    usual: Direction = "rtl" if counts["rtl"] > counts["ltr"] else "ltr"
    if rules.direction == "ltr" and "rtl" in directions:
        made.directions = ["ltr"] * len(directions)  # said, as without the column the letters would say otherwise
        return
    if rules.direction != "auto":
        usual, directions = rules.direction, [rules.direction] * len(directions)
    if usual == "ltr" and "rtl" not in directions:
        return
    made.directions = [one or usual for one in directions]
    right = made.directions.count("rtl")
    made.notes.append(
        f"{plural(right, 'line is', 'lines are')} read from right to left (column direction): text keeps the order of "
        "reading; a recogniser is trained with its characters in the order of the frames, from left to right"
    )


def _label_notes(labelled: int, lines: int, reasons: Counter[str], characters: Counter[str]) -> list[str]:
    if not labelled:
        return ["no line has a label: they serve for pretraining"] if lines else []
    dropped = sum(reasons.values())
    if not dropped:
        notes = [f"{plural(labelled, 'label')}, all can be used"]
    else:
        shown = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common() if count)
        notes = [
            f"{plural(labelled, 'label')}, {labelled - dropped:,} can be used; left out: {shown}; their lines stay "
            "without a label (column text_problem)"
        ]
    if characters:
        listed = [f"{named_character(one)} in {count:,}" for one, count in characters.most_common(_SHOWN)]
        more = ", …" if len(characters) > _SHOWN else ""
        notes.append(f"outside the alphabet: {', '.join(listed)}{more}")
    if lines > labelled:
        notes.append(f"{plural(lines - labelled, 'line has', 'lines have')} no label")
    return notes


def _change_notes(done: Counter[str]) -> list[str]:
    words = {
        "composed": "are normalised to composed characters (Unicode NFC)",
        "stripped": "lose spaces at their ends",
        "lowered": "lose their capitals (--lower)",
    }
    found = [f"{done[name]:,} {text}" for name, text in words.items() if done[name]]
    return [f"of the labels, {', '.join(found)}"] if found else []
