"""``ssl-domains lines demo-data``: an LMDB database of strips of digits, and the faults that such databases have."""

from __future__ import annotations

import csv
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ssl_domains.samples import write_errors
from ssl_domains_text.lines.demo.glyphs import glyphs_of
from ssl_domains_text.lines.demo.strips import Strip, draw_strip
from ssl_domains_text.lines.demo.writers import WRITERS, draw_writers
from ssl_domains_text.lines.strips import Entry, write_database
from ssl_domains_text.lines.strips.database import png

__all__ = ["DATABASE", "FEW", "STRIPS", "TABLE", "write_demo_data"]

DATABASE, TABLE = "lines.lmdb", "lines.csv"
"""Folder of the database, and the table of split and transcripts of each entry."""

STRIPS = {"train": 1200, "test": 320}
"""Number of strips on each side of the split."""

FEW = (24, 96)
"""Numbers of training strips with a transcript in ``text_24`` and ``text_96``; the smaller set lies in the larger."""

_TOO_MANY = 7  # entries that the database declares and doesn't have
_UNKNOWN, _LONG = "12a4", "0" * 30


@dataclass(frozen=True)
class _Entry(Entry):
    """A strip, and its side of the split."""

    side: str = ""


def write_demo_data(out: Path, seed: int = 0) -> str:
    """Write the demonstration under ``out`` and return what to say about it.

    Strips of 3 to 7 handwritten digits (scikit-learn), dark on light, by 24 made-up writers to train with and 8 to
    test with; no picture of a digit is on both sides. They lie in an LMDB database with the keys ``image-%09d``,
    ``label-%09d`` and ``writer-%09d``. ``lines.csv`` says by entry ``split``, and the transcripts ``text_24`` and
    ``text_96`` of 24 and 96 training strips (and of all test strips). Planted: a label with a letter, a label of 30
    characters on a strip of three glyphs, a picture that is cut short, and a declared number of entries that is 7 too
    high. The same seed gives the same bytes.

    Args:
        out: Folder; it is made.
        seed: Seed of the data.
    """
    entries = _drawn(seed)
    folder = out / DATABASE
    folder.mkdir(parents=True, exist_ok=True)
    with write_errors(f"the demo data {str(out)!r}"):
        write_database(folder / "data.mdb", entries, declared=len(entries) + _TOO_MANY)
        with open(out / TABLE, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["entry", "split", *(f"text_{few}" for few in FEW)])
            table.writerows(_rows(entries, seed))
        (out / "README.txt").write_text(_NOTE, encoding="utf-8", newline="\n")
    command = [
        *("ssl-domains", "lines", "scan", str(folder), "-o", str(out / "samples.parquet"), "--alphabet", "digits"),
        *("--join", str(out / TABLE), "--on", "entry"),
    ]
    return (
        f"{len(entries):,} strips of digits by {sum(WRITERS.values())} made-up writers, {FEW[0]} and {FEW[1]} with "
        f"transcripts, and planted faults in {out}\nnext: {shlex.join(command)}"
    )


def _drawn(seed: int) -> list[_Entry]:
    """The strips of both sides, and three planted ones among those of the training side."""
    rng = np.random.default_rng([seed, 3])
    writers = draw_writers(seed)
    made: list[_Entry] = []
    for side, count in STRIPS.items():
        glyphs = glyphs_of(side, seed)
        hands = [writer for writer in writers if writer.side == side]
        for number in range(count):
            made.append(_entry(draw_strip(hands[number % len(hands)], glyphs, rng)))
    hand, glyphs = writers[0], glyphs_of("train", seed)
    planted = [_entry(draw_strip(hand, glyphs, rng, count)) for count in (4, 3, 5)]
    unknown = _Entry(planted[0].picture, _UNKNOWN, {"writer": hand.name}, "train")
    long = _Entry(planted[1].picture, _LONG, {"writer": hand.name}, "train")
    half = planted[2].picture[: len(planted[2].picture) // 2]
    broken = _Entry(half, planted[2].text, {"writer": hand.name}, "train")
    for place, entry in zip(
        sorted(rng.choice(STRIPS["train"], size=3, replace=False)), (unknown, long, broken), strict=True
    ):
        made.insert(int(place), entry)
    return made


def _entry(strip: Strip) -> _Entry:
    return _Entry(png(strip.picture), strip.text, {"writer": strip.writer.name}, strip.writer.side)


def _rows(entries: list[_Entry], seed: int) -> list[list[str]]:
    """Entry, side, and the transcripts of few training strips and all test strips."""
    train = [
        number for number, entry in enumerate(entries) if entry.side == "train" and entry.text not in (_UNKNOWN, _LONG)
    ]
    train = [number for number in train if entries[number].picture.endswith(b"IEND\xaeB`\x82")]
    order = np.random.default_rng([seed, 4]).permutation(train)
    labelled = [{*order[:few].tolist()} for few in FEW]
    rows = []
    for number, entry in enumerate(entries):
        chosen = [entry.side == "test" or number in some for some in labelled]
        rows.append([str(number + 1), entry.side, *(entry.text if one else "" for one in chosen)])
    # The planted labels are among those that are used, so that a recogniser meets the one that is too long.
    for number, entry in enumerate(entries):
        if entry.text == _LONG:
            rows[number][2:] = [entry.text] * len(FEW)
    return rows


_NOTE = """Strips of handwritten digits, written by `ssl-domains lines demo-data` to try the commands on. The digits are
those of scikit-learn; the writers are made up. A demonstration, not evidence.

lines.lmdb/data.mdb   pictures, labels and writers: image-000000001, label-000000001, writer-000000001 ...
lines.csv             by entry: side of the split, transcripts of 24 and of 96 training strips and of all test strips

Planted: a label with a letter (12a4), a label of 30 characters on a strip of three digits, a picture that is cut short,
and a number of entries (num-samples) that is 7 too high.
"""
