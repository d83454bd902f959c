"""``ssl-domains lines strips``: lines of real handwritten characters, each of one hand, with sides by drawer."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import write_errors, write_whole
from ssl_domains_text.lines.strips.database import Entry, png, write_database
from ssl_domains_text.lines.strips.glyph_files import Glyph, GlyphSet, read_glyphs
from ssl_domains_text.lines.strips.layout import lay_out

__all__ = ["StripSettings", "draw_strip", "write_strips"]

DATABASE, CHARACTERS = "strips.lmdb", "characters.csv"
"""Folder of the database, and the list of the letters that stand for characters."""

HEIGHT = 40
"""Height of a strip in pixels."""

FRAME = 46
"""Height in pixels to which the whole picture of a glyph is scaled; its ink is usually lower than a strip."""

_MARGIN = 4  # pixels left and right
_DARKER = 1.6  # factor on the ink: thin strokes become pale when they are made smaller
_WIDTHS, _GAPS, _UNSTEADY = (0.75, 1.2), (-0.03, 0.25), 0.05
_LONGEST = 1000


@dataclass(frozen=True)
class StripSettings:
    """How strips are made.

    Attributes:
        train: First and last drawer whose strips are on the training side.
        test: First and last drawer of the test side; the strips of all other drawers are on no side.
        each: Strips of each drawer and alphabet.
        glyphs: Fewest and most glyphs of a strip.
        seed: Seed of glyphs, widths, distances and baselines.
    """

    train: tuple[int, int] = (1, 13)
    test: tuple[int, int] = (17, 20)
    each: int = 12
    glyphs: tuple[int, int] = (3, 7)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (first, last) in (("train", self.train), ("test", self.test)):
            if not 0 <= first <= last:
                raise UsageError(f"--{name} {first}-{last} names no drawers", f"--{name} 1-13")
        if self.train[0] <= self.test[1] and self.test[0] <= self.train[1]:
            raise UsageError("a drawer is on both sides", "--train 1-13 --test 17-20")
        if self.each < 1 or not 1 <= self.glyphs[0] <= self.glyphs[1] <= _LONGEST:
            raise UsageError("a strip has 1 glyph or more, and each hand 1 strip or more", "--glyphs 3-7 --each 12")

    def side(self, drawer: int) -> str:
        """``train``, ``test`` or, for a drawer on no side, nothing."""
        for name, (first, last) in (("train", self.train), ("test", self.test)):
            if first <= drawer <= last:
                return name
        return ""


def write_strips(sources: Sequence[Path], out: Path, settings: StripSettings) -> Iterator[str]:
    """Write strips of the characters in some folders or zip files; yields the lines to print.

    A strip has the characters of one alphabet by one drawer (a *hand*), with random width, distance and baseline. All
    pictures of a hand are used before one is used again, and none is on two sides. The database
    ``strips.lmdb/data.mdb`` has the keys ``image-%09d``, ``label-%09d``, ``writer-%09d`` (``Greek-17``),
    ``alphabet-%09d``, ``drawer-%09d`` and ``split-%09d``; ``characters.csv`` says which letter stands for which
    character. The same pictures and seed give the same bytes.

    Args:
        sources: See `read_glyphs`.
        out: Folder; it is made.
        settings: How strips are made.

    Raises:
        DataError: In the cases of `read_glyphs`, and when a side has no drawer.
        ResourceError: When the disk is full.
    """
    found = read_glyphs(sources)
    hands: dict[tuple[str, int], list[Glyph]] = {}
    for glyph in found.glyphs:
        hands.setdefault((glyph.alphabet, glyph.drawer), []).append(glyph)
    for side in ("train", "test"):
        if not any(settings.side(drawer) == side for _, drawer in hands):
            drawers = sorted({drawer for _, drawer in hands})
            cause = f"no drawer is on the side {side!r}: there are {drawers[0]} to {drawers[-1]}"
            raise DataError(cause, f"--{side} FIRST-LAST says which are")
    yield from found.notes
    yield (
        f"{plural(len(found.glyphs), 'picture')} of {plural(len(found.characters), 'character')} in "
        f"{plural(len({alphabet for alphabet, _ in hands}), 'alphabet')} by {plural(len(hands), 'hand')}"
    )
    entries = [entry for hand, glyphs in sorted(hands.items()) for entry in _of_hand(*hand, glyphs, found, settings)]
    folder = out / DATABASE
    with write_errors(f"the strips {str(out)!r}"):
        folder.mkdir(parents=True, exist_ok=True)
        write_database(folder / "data.mdb", entries)
        write_whole(out / CHARACTERS, lambda part: part.write_bytes(_characters(found)))
    counts = {side: sum(entry.facts.get("split", "") == side for entry in entries) for side in ("train", "test", "")}
    yield f"{plural(len(entries), 'strip')} → {folder}: {counts['train']:,} train, {counts['test']:,} test, " + (
        f"{counts['']:,} of drawers on neither side"
    )
    scan = ["ssl-domains", "lines", "scan", str(folder), "-o", str(out / "samples.parquet")]
    yield f"next: {shlex.join(scan)}"


def draw_strip(glyphs: Sequence[Glyph], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture of a strip, uint8 ``[40, W]``, dark ink on white paper.

    Args:
        glyphs: Its glyphs from left to right.
        rng: Widths, distances and baseline.
    """
    drawn = [_piece(glyph.ink, rng.uniform(*_WIDTHS)) for glyph in glyphs]
    gaps = [round(FRAME * rng.uniform(*_GAPS)) for _ in drawn[1:]]
    middles = [HEIGHT / 2 + below + rng.normal(0, _UNSTEADY * FRAME) for _, below in drawn]
    ink = lay_out([piece for piece, _ in drawn], gaps, middles, HEIGHT, _MARGIN)
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def _piece(ink: NDArray[np.float32], stretch: float) -> tuple[NDArray[np.float32], float]:
    """The ink of a glyph without empty rows and columns, and how far its middle lies below that of its picture."""
    height, width = ink.shape
    size = max(1, round(FRAME * stretch * width / height)), FRAME
    small = np.clip(_DARKER * cv2.resize(ink, size, interpolation=cv2.INTER_AREA), 0, 1)
    rows, columns = (np.flatnonzero(small.max(axis=axis) > 0.15) for axis in (1, 0))
    if not len(rows):
        return np.asarray(small[:HEIGHT], dtype=np.float32), 0.0
    top, below = int(rows[0]), min(int(rows[-1]) + 1, int(rows[0]) + HEIGHT)
    piece = small[top:below, columns[0] : columns[-1] + 1]
    return np.asarray(piece, dtype=np.float32), (top + below - FRAME) / 2


def _of_hand(
    alphabet: str, drawer: int, glyphs: Sequence[Glyph], found: GlyphSet, settings: StripSettings
) -> Iterator[Entry]:
    """The strips of one drawer and alphabet."""
    rng = np.random.default_rng([settings.seed, drawer, *alphabet.encode()])
    stream = _each_once(len(glyphs), rng)
    letters = found.characters
    for _ in range(settings.each):
        count = int(rng.integers(settings.glyphs[0], settings.glyphs[1] + 1))
        chosen = [glyphs[number] for number in islice(stream, count)]
        text = "".join(letters[glyph.alphabet, glyph.character] for glyph in chosen)
        facts = {"writer": f"{alphabet}-{drawer:02d}", "alphabet": alphabet, "drawer": str(drawer)}
        side = settings.side(drawer)
        yield Entry(png(draw_strip(chosen, rng)), text, facts | ({"split": side} if side else {}))


def _each_once(count: int, rng: np.random.Generator) -> Iterator[int]:
    """Numbers below ``count`` in random order without an end: all of them before one comes again."""
    while True:
        yield from rng.permutation(count).tolist()


def _characters(found: GlyphSet) -> bytes:
    """The list of the letters as a CSV file."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["letter", "alphabet", "character"])
    table.writerows([letter, *name] for name, letter in found.characters.items())
    return file.getvalue().encode()
