"""What several kinds share: tiny pictures, a scanned table, a run; made by the command line itself."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["SMALL", "command_line", "make_shared", "picture", "pictures_table", "texture"]

SMALL = (
    "--set encoder.name='small_conv' --set head.hidden=16 --set head.out=8 --set views.size=16 --set train.epochs=1 "
    "--set train.batch_size=4 --set train.device='cpu'"
)
"""Options of a training that takes a fraction of a second."""


def command_line(words: str, folder: Path, code: int = 0) -> None:
    """Run a command line in a folder.

    Raises:
        RuntimeError: When it exits with another code than ``code``.
    """
    from ssl_domains.cli.app import run

    with contextlib.chdir(folder):
        ended = run(words.split())
    if ended != code:
        raise RuntimeError(f"exit {ended}: {words}")


def texture(number: int, height: int = 20, width: int = 24, channels: int = 3) -> np.ndarray:
    """Pixels that differ from those of every other number, uint8 ``[height, width, channels]``."""
    return np.random.default_rng(number).integers(0, 256, (height, width, channels), dtype=np.uint8)


def picture(path: Path, number: int, height: int = 20, width: int = 24, mode: str = "RGB", **options: object) -> None:
    """Write a picture, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(texture(number, height, width)).convert(mode).save(path, **options)


def pictures_table(folder: Path) -> None:
    """Sixteen pictures of eight patients, labels for them, and their table ``samples.parquet`` with a split."""
    lines = ["file,person,class,age,visit"]
    for number in range(16):
        person, name = f"p{number // 2}", f"p{number // 2}-{number % 2}.png"
        picture(folder / "in" / name, number, mode="L")
        lines.append(f"{name},{person},{'ab'[number % 2]},{20 + number}.5,2020-01-{number + 1:02d}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command_line("medical scan in -o samples.parquet --join labels.csv --on file --split-by person --test 0.25", folder)


def make_shared(folder: Path) -> None:
    """A table of pictures and a run trained on it, which embeds, probes and reports."""
    pictures_table(folder)
    command_line(f"medical pretrain samples.parquet --out run {SMALL}", folder)
