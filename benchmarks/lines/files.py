"""Made-up databases of text lines: many small pictures to scan, and strips of digits to train on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ssl_domains_text.lines.demo.glyphs import glyphs_of
from ssl_domains_text.lines.demo.strips import draw_strip
from ssl_domains_text.lines.demo.writers import draw_writers
from ssl_domains_text.lines.strips import Entry, write_database
from ssl_domains_text.lines.strips.database import png

__all__ = ["write_noise", "write_strips"]

_PICTURES = 200  # different pictures of noise; entries share them


def write_noise(folder: Path, lines: int) -> list[Entry]:
    """Write grey PNG pictures 32 pixels high and 60 to 180 wide with labels of 3 to 12 letters, and return them."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(_PICTURES):
        file = io.BytesIO()
        picture = rng.integers(0, 256, size=(32, int(rng.integers(60, 181)))).astype(np.uint8)
        Image.fromarray(picture).save(file, format="PNG")
        pictures.append(file.getvalue())
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    labels = ["".join(rng.choice(letters, size=int(rng.integers(3, 13)))) for _ in range(lines)]
    return _written(folder, [Entry(pictures[k % _PICTURES], label) for k, label in enumerate(labels)])


def write_strips(folder: Path, count: int) -> list[Entry]:
    """Write strips of 3 to 7 handwritten digits by 24 made-up writers, and return them."""
    rng = np.random.default_rng(0)
    hands = [writer for writer in draw_writers(0) if writer.side == "train"]
    glyphs = glyphs_of("train", 0)
    strips = [draw_strip(hands[number % len(hands)], glyphs, rng) for number in range(count)]
    return _written(folder, [Entry(png(one.picture), one.text, {"writer": one.writer.name}) for one in strips])


def _written(folder: Path, entries: Sequence[Entry]) -> list[Entry]:
    folder.mkdir(parents=True)
    write_database(folder / "data.mdb", entries)
    return list(entries)
