"""Transcripts as labels: a column of text, the alphabet, and the class numbers in the order of the frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes.labels import Labels
from ssl_domains.probes.transcripts.alphabet import FORM, Alphabet, Form, tidy_text
from ssl_domains.probes.transcripts.frame_order import frame_order

__all__ = ["TRANSCRIPTION", "Transcripts", "read_transcripts"]

TRANSCRIPTION = "transcription"
"""``Labels.task`` of transcripts."""


@dataclass(frozen=True)
class Transcripts(Labels):
    """Transcripts of ``n`` samples, as labels.

    As `Labels` they are of the task ``transcription``: ``y`` are their lengths in characters, float64 ``[n]`` (NaN
    where there is none), and there are no classes, so that groups are drawn without strata.

    Attributes:
        texts: Tidy text of each sample in reading order (see `tidy_text`), None where there is none.
        rtl: bool ``[n]``: whether a line is written from right to left.
        alphabet: Characters that a recogniser can write.
    """

    texts: tuple[str | None, ...]
    rtl: NDArray[np.bool_]
    alphabet: Alphabet

    @classmethod
    def of(cls, texts: Sequence[str | None], rtl: NDArray[np.bool_] | None = None, alphabet: Alphabet | None = None,
           form: Form = FORM) -> Transcripts:  # fmt: skip
        """Transcripts of texts.

        Args:
            texts: ``n`` texts in reading order; None or an empty text is no transcript.
            rtl: bool ``[n]``, lines that are written from right to left; None for none.
            alphabet: The alphabet; None takes all characters of the texts. Its form counts then, not ``form``.
            form: Unicode form of the texts.
        """
        form = form if alphabet is None else alphabet.form
        tidy = [tidy_text(text, form) if text is not None else "" for text in texts]
        known = np.array([bool(text) for text in tidy], dtype=np.bool_)
        return cls(
            task=TRANSCRIPTION,  # type: ignore[arg-type]  # no task of a probe of pooled features
            y=np.where(known, np.array([len(text) for text in tidy], dtype=np.float64), np.nan),
            classes=(),
            known=known,
            texts=tuple(text or None for text in tidy),
            rtl=np.zeros(len(tidy), dtype=np.bool_) if rtl is None else np.asarray(rtl, dtype=np.bool_),
            alphabet=Alphabet.of(tidy, form) if alphabet is None else alphabet,
        )

    def take(self, rows: NDArray[Any]) -> Transcripts:
        """The transcripts of the rows at integer positions or where a mask holds, with the same alphabet."""
        places = np.arange(len(self))[rows]
        return replace(
            self, y=self.y[rows], known=self.known[rows], rtl=self.rtl[rows],
            texts=tuple(self.texts[place] for place in places.tolist()),
        )  # fmt: skip

    def with_alphabet(self, alphabet: Alphabet) -> Transcripts:
        """The same transcripts with another alphabet of the same Unicode form."""
        return replace(self, alphabet=alphabet)

    def without(self, rows: NDArray[np.bool_]) -> Transcripts:
        """The same rows, without a transcript where ``rows`` bool ``[n]`` holds."""
        texts = tuple(None if gone else text for text, gone in zip(self.texts, rows.tolist(), strict=True))
        return replace(self, y=np.where(rows, np.nan, self.y), known=self.known & ~rows, texts=texts)

    @property
    def content(self) -> bytes:
        """Texts, directions and alphabet as bytes, for hashes."""
        return repr((self.texts, self.rtl.tolist(), self.alphabet.characters, self.alphabet.form)).encode()

    def codes(self, row: int) -> list[int]:
        """Class numbers of a transcript in the order of the frames, none of them the blank.

        Raises:
            KeyError: When it has a character outside the alphabet.
        """
        return self.alphabet.encode(frame_order(self.texts[row] or "", bool(self.rtl[row])))


def read_transcripts(column: pl.Series, rtl: NDArray[np.bool_] | None = None, *, form: Form = FORM,
                     alphabet: Alphabet | None = None) -> Transcripts:  # fmt: skip
    """Read a column of transcripts.

    Args:
        column: ``n`` texts, or whole numbers, which are taken as they are written; null and empty texts are missing
            transcripts.
        rtl: Lines that are written from right to left, see `read_directions`.
        form: Unicode form of the texts.
        alphabet: The alphabet; None takes all characters of the column.

    Raises:
        UsageError: When the column holds neither.
    """
    textual = column.dtype == pl.String or isinstance(column.dtype, pl.Categorical | pl.Enum)
    if not textual and not column.dtype.is_integer():
        cause = f"transcripts are text; column {column.name!r} holds {column.dtype}"
        hint = "predict it with --label"
        if column.dtype.is_float():
            hint = "in a CSV file, the values of a column that is called text or transcript stay as they are written"
        raise UsageError(cause, hint)
    return Transcripts.of(column.cast(pl.String).to_list(), rtl, alphabet, form)
