"""Labels in text files beside their pictures: ``0001.gt.txt`` beside ``0001.png`` (OCRopus, kraken, Calamari)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssl_domains.samples import Problems, each_file
from ssl_domains_text.lines.files.text_file import read_text

__all__ = ["TEXT_BESIDE", "texts_beside"]

TEXT_BESIDE = ".gt.txt"
"""End of the name of a text file that holds the transcript of the picture beside it."""


def texts_beside(files: Sequence[Path], pictures: Sequence[Path], problems: Problems) -> dict[Path, str]:
    """The label of each picture that has a text file beside it.

    The names are equal up to the suffixes: ``0001.gt.txt`` belongs to ``0001.png``, else to ``0001.bin.png``.

    Args:
        files: All files of the source.
        pictures: The pictures.
        problems: Takes text files that can't be read, and those without a picture.
    """
    texts = [path for path in files if path.name.lower().endswith(TEXT_BESIDE)]
    if not texts:
        return {}
    by_stem: dict[str, Path] = {}
    for picture in pictures:
        stem = str(picture.with_suffix(""))
        by_stem[stem] = picture
        by_stem.setdefault(stem.removesuffix(Path(stem).suffix), picture)
    found = {}
    for path, text in each_file(texts, lambda path: read_text(path)[0].rstrip("\r\n"), problems, "texts"):
        of_picture = by_stem.get(str(path)[: -len(TEXT_BESIDE)])
        if of_picture is None:
            problems.add(path, "a text without its picture")
        else:
            found[of_picture] = text
    return found
