"""Labels in text files beside their pictures: ``0001.gt.txt`` beside ``0001.png`` (OCRopus, kraken, Calamari)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, each_file
from ssl_domains_text.lines.files.text_file import read_text

__all__ = ["TEXT_BESIDE", "TextsBeside", "text_names", "texts_beside"]

TEXT_BESIDE = ".gt.txt"
"""End of the name of a text file that holds the transcript of the picture beside it."""

_COPIES = frozenset({".bin", ".nrm", ".dew"})
"""Ends of stems of pictures that OCRopus made of another one: with two colours, normalised, dewarped."""


@dataclass(frozen=True)
class TextsBeside:
    """The texts beside pictures.

    Attributes:
        labels: Label of each picture that has such a text.
        encodings: Number of texts that are not UTF-8, by the name of their encoding.
    """

    labels: dict[Path, str] = field(default_factory=dict)
    encodings: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """A remark on how many there are, with their encodings; none where there is no text."""
        if not self.labels:
            return []
        note = f"{plural(len(self.labels), 'picture has its text', 'pictures have their texts')} in .gt.txt beside"
        return [note + "".join(f"; {count:,} of them {name} text" for name, count in sorted(self.encodings.items()))]


def text_names(picture: Path) -> list[Path]:
    """The files that may hold the text of a picture: ``0001.gt.txt`` for ``0001.png``; for ``0001.bin.png``, too."""
    return [Path(f"{stem}{TEXT_BESIDE}") for stem in _stems(picture)]


def texts_beside(files: Sequence[Path], pictures: Sequence[Path], problems: Problems) -> TextsBeside:
    """The label of each picture that has a text file beside it.

    The names are equal up to the suffixes: ``0001.gt.txt`` belongs to ``0001.png``, else to ``0001.bin.png``,
    ``0001.nrm.png`` or ``0001.dew.png``.

    Args:
        files: All files of the source.
        pictures: The pictures.
        problems: Takes text files that can't be read, and those without a picture.
    """
    made = TextsBeside()
    texts = [path for path in files if path.name.lower().endswith(TEXT_BESIDE)]
    if not texts:
        return made
    by_stem: dict[str, Path] = {}
    for picture in pictures:
        stem, *others = _stems(picture)
        by_stem[stem] = picture
        for other in others:
            by_stem.setdefault(other, picture)
    for stem, picture in [*by_stem.items()]:  # a copy of a file may write ä as one character or as two
        by_stem.setdefault(unicodedata.normalize("NFC", stem), picture)
    # Values of a killed scan of an earlier form have no encoding.
    for path, (text, encoding) in each_file(texts, _text, problems, "texts", "with encoding"):
        stem = str(path)[: -len(TEXT_BESIDE)]
        picture_of = by_stem.get(stem) or by_stem.get(unicodedata.normalize("NFC", stem))
        if picture_of is None:
            problems.add(path, "a text without its picture")
        else:
            made.labels[picture_of] = text
            made.encodings.update([encoding] if encoding else [])
    return made


def _text(path: Path) -> list[str | None]:
    text, encoding = read_text(path)
    return [text.rstrip("\r\n"), encoding]


def _stems(picture: Path) -> list[str]:
    """The path of a picture without its suffix, and without that of a copy before it."""
    stem = picture.with_suffix("")
    return [str(stem), str(stem.with_suffix(""))] if stem.suffix.lower() in _COPIES else [str(stem)]
