"""The alphabet of a recogniser: its characters, their class numbers, and the Unicode form of all texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ssl_domains.errors import UsageError

__all__ = ["BLANK", "FORM", "Alphabet", "Form", "tidy_text"]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
"""A Unicode normal form."""

FORM: Form = "NFC"
"""The form in which texts are compared unless another one is named: letters with accents are one character."""

BLANK = 0
"""Class number of the CTC blank; characters count from 1."""

_DIRECTION_MARKS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF))


def tidy_text(text: str, form: Form = FORM) -> str:
    """A transcript in the form in which it is learnt and scored.

    Unicode is normalised; marks of direction, which show nothing, are removed; white space is taken off at both ends,
    and each stretch of it inside is one space, as a picture does not show how many there were.

    Example:
        >>> tidy_text("cafe\\u0301  au\\tlait ")
        'café au lait'
    """
    return " ".join(unicodedata.normalize(form, text.translate(_DIRECTION_MARKS)).split())


@dataclass(frozen=True)
class Alphabet:
    """Characters that a recogniser can write.

    Attributes:
        characters: The ``K`` characters, each one Unicode code point. Class ``k + 1`` is ``characters[k]``, class 0 the
            blank.
        form: Unicode form of all texts.
    """

    characters: tuple[str, ...]
    form: Form = FORM

    @classmethod
    def of(cls, texts: Iterable[str], form: Form = FORM) -> Alphabet:
        """All characters of some texts, by code point."""
        return cls(tuple(sorted({character for text in texts for character in tidy_text(text, form)})), form)

    @classmethod
    def given(cls, characters: str, form: Form = FORM) -> Alphabet:
        """The alphabet of characters that a user writes one behind the other; any white space is the space.

        Raises:
            UsageError: When there is none.
        """
        pieces = {" " if one.isspace() else piece for one in characters for piece in unicodedata.normalize(form, one)}
        if not pieces:
            raise UsageError("an alphabet without a character", "write all characters one behind the other")
        return cls(tuple(sorted(pieces)), form)

    def __len__(self) -> int:
        return len(self.characters)

    @property
    def classes(self) -> int:
        """Number of outputs of a head, ``K + 1`` with the blank."""
        return len(self.characters) + 1

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {character: code for code, character in enumerate(self.characters, start=1)}

    def outside(self, text: str) -> str:
        """The characters of a text that are not in the alphabet, each once, in the order of the text."""
        return "".join(dict.fromkeys(one for one in text if one not in self._codes))

    def encode(self, text: str) -> list[int]:
        """Class numbers of a text.

        Raises:
            KeyError: For a character that is not in the alphabet; see `outside`.
        """
        return [self._codes[character] for character in text]

    def decode(self, codes: Sequence[int]) -> str:
        """The text of class numbers; blanks are left out."""
        return "".join(self.characters[code - 1] for code in codes if code != BLANK)
