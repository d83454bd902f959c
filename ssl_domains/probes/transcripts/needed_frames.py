"""Does a label fit its frames? CTC needs one frame for each character, and a blank between two equal ones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes.transcripts.transcripts import Transcripts
from ssl_domains.quantities import plural

__all__ = ["LabelProblems", "label_problems", "needed_frames"]

_NAMED = 3


def needed_frames(codes: Sequence[int] | str) -> int:
    """Fewest frames over which CTC can spell a label: its length, and one more for each repeat.

    Example:
        >>> [needed_frames(label) for label in ("abcd", "aaaaaaaa", "book", "abcdefghij")]
        [4, 15, 5, 10]
    """
    return len(codes) + sum(one == other for one, other in itertools.pairwise(codes))


@dataclass(frozen=True)
class LabelProblems:
    """Transcripts that nothing can be learnt from.

    Attributes:
        outside: bool ``[n]``: a character of the transcript is not in the alphabet.
        too_long: bool ``[n]``: it needs more frames than its sample has; false where ``outside`` holds.
        notes: A line for each kind of problem, with the number of rows and the first of them by name.
    """

    outside: NDArray[np.bool_]
    too_long: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> NDArray[np.bool_]:
        """bool ``[n]``: rows with any problem."""
        return self.outside | self.too_long


def label_problems(
    transcripts: Transcripts, frames: NDArray[np.int64], names: Sequence[str], what: str = "row"
) -> LabelProblems:
    """Transcripts that have a character outside the alphabet, or more characters than fit their frames.

    Args:
        transcripts: ``n`` transcripts; rows without one have no problem.
        frames: Number of frames of each sample, int64 ``[n]``.
        names: Name of each sample, for the notes.
        what: What the rows are, for the notes, such as ``"training row"``.
    """
    outside, too_long = np.zeros((2, len(transcripts)), dtype=np.bool_)
    missing: dict[str, int] = {}
    long = []
    for row in np.flatnonzero(transcripts.known).tolist():
        absent = transcripts.alphabet.outside(transcripts.texts[row] or "")
        if absent:
            outside[row] = True
            for character in absent:
                missing[character] = missing.get(character, 0) + 1
            continue
        needed = needed_frames(transcripts.codes(row))
        if needed > frames[row]:
            too_long[row] = True
            long.append(f"{names[row]!r} needs {needed} of {plural(int(frames[row]), 'frame')}")
    notes = []
    if missing:
        shown = ", ".join(
            f"{one!r} ({count})" for one, count in sorted(missing.items(), key=lambda kv: (-kv[1], kv[0]))
        )
        notes.append(f"{plural(int(outside.sum()), what)} with characters outside the alphabet: {shown}")
    if long:
        more = f" and {len(long) - _NAMED} more" if len(long) > _NAMED else ""
        notes.append(
            f"{plural(len(long), what)} whose transcript needs more frames (its characters, and one for each repeat) "
            f"than the encoder gives: {', '.join(long[:_NAMED])}{more}"
        )
    return LabelProblems(outside, too_long, tuple(notes))
