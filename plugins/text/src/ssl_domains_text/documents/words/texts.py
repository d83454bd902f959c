"""The texts of a table's documents, cut into sentences and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ssl_domains.samples import LazyArray, SampleTable
from ssl_domains_text.documents.reader import DocumentReader, reading_text
from ssl_domains_text.documents.segmentation import words_of

__all__ = ["sentences_of", "texts_of"]

_ENDS = {"text": None, "line": re.compile(r"\n+"), "stop": re.compile(r"(?<=[.!?。！？])\s+|\n\s*\n")}


def texts_of(table: SampleTable) -> Iterator[str]:
    """The texts of the rows, in their order; each copy of texts is opened once.

    Raises:
        DataError: When a text can't be read.
    """
    reader = DocumentReader()
    opened: dict[Any, LazyArray | None] = {}
    for row in table.frame.iter_rows(named=True):
        copy = row.get("copy_path")
        start, stop = row["region"]
        with reading_text(row):
            if copy is None:
                array = reader.load(row)[start:stop]
            else:
                if copy not in opened:
                    opened = {copy: reader.open(row)}
                lazy = opened[copy]
                assert lazy is not None
                array, _ = lazy.read((slice(start, stop),))
        yield array.tobytes().decode("utf-8", "replace")


def sentences_of(text: str, by: str) -> Iterator[list[str]]:
    """The sentences of a text, each as its words; see `words_of`.

    Args:
        text: The text.
        by: ``"text"`` takes it whole, ``"line"`` cuts at line feeds, ``"stop"`` behind ``.``, ``!``, ``?`` and at
            empty lines.
    """
    end = _ENDS[by]
    for sentence in [text] if end is None else end.split(text):
        words = words_of(sentence)
        if words:
            yield words
