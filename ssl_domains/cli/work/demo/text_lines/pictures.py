"""Test strips of the demonstration of text lines, each with its transcript and what the models read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ssl_domains.cli.work.demo.text_lines.lines import COLUMN, READ, LineLines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ssl_domains.extending import Domain

__all__ = ["Answer", "ReadStrip", "read_strips"]

SHOWN = 24
"""Strips on the page: spread evenly over the test strips, whatever was read."""


@dataclass(frozen=True)
class Answer:
    """What a model read: the text, and the edits that make it the transcript."""

    text: str
    edits: int


@dataclass(frozen=True)
class ReadStrip:
    """One strip.

    Attributes:
        uri: Its picture, a data URI.
        width: Of the picture in pixels.
        height: Likewise.
        writer: Who wrote it.
        text: Its transcript.
        answers: What each model read, in the order of `READ`.
    """

    uri: str
    width: int
    height: int
    writer: str
    text: str
    answers: tuple[Answer, ...]


def read_strips(lines: LineLines, domain: Domain) -> list[ReadStrip]:
    """Some test strips with what the models read, from the tables that ``predict`` wrote.

    Args:
        lines: The command lines, which know the files.
        domain: The domain of lines, which decodes the pictures.
    """
    import polars as pl

    from ssl_domains.cli.work.tables import open_table
    from ssl_domains.probes.transcripts import edit_distance
    from ssl_domains.reports.sample_pictures import picture_samples
    from ssl_domains.stores import ArrayStore, default_store

    table = open_table(domain, lines.test)
    reader = domain.reader()
    rows = [int(row) for row in np.unique(np.linspace(0, len(table) - 1, SHOWN).round())]
    store = ArrayStore.open(default_store(lines.test), reader)
    made = picture_samples(table, rows, reader=reader, store=store, scaling=None, thumbnail=_whole)
    read = [
        _texts(pl.read_csv(lines.read_file(name), schema_overrides={"sample": pl.String, "text": pl.String}))
        for name in READ
    ]
    strips = []
    for row in rows:
        record = table.frame.row(row, named=True)
        truth = record[COLUMN]
        answers = [texts[record["sample"]] for texts in read]
        strips.append(
            ReadStrip(
                made.pictures[row].uri or "", record["width"], record["height"], record["writer"], truth,
                tuple(Answer(text, edit_distance(truth, text)) for text in answers),
            )
        )  # fmt: skip
    return strips


def _texts(frame: Any) -> dict[str, str]:
    """Sample → text; a strip in which nothing was read has an empty one."""
    return dict(zip(frame["sample"], frame["text"].fill_null(""), strict=True))


def _whole(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A strip as it is in its file, uint8 ``[H, W, 1]``."""
    return np.asarray(array.reshape(*array.shape[:2], -1)[:, :, :1], dtype=np.uint8)
