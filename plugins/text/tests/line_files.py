"""Small files of text lines: pictures, databases, pages and lists."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["alto", "database", "iam", "lines_database", "page_xml", "picture", "png", "strip"]


def strip(width: int = 60, height: int = 20, seed: int = 0, channels: int = 1) -> NDArray[np.uint8]:
    """Dark marks on light paper, uint8 ``[H, W]`` or ``[H, W, 3]``."""
    rng = np.random.default_rng(seed)
    made = np.full((height, width), 220, dtype=np.int64) + rng.integers(-5, 6, size=(height, width))
    for left in range(3, width - 6, 8):
        top = int(rng.integers(2, 6))
        made[top : height - 3, left : left + 3] = rng.integers(20, 60)
    grey = np.clip(made, 0, 255).astype(np.uint8)
    return grey if channels == 1 else np.stack([grey, grey, np.clip(made + 10, 0, 255).astype(np.uint8)], axis=2)


def png(array: NDArray[Any], kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format=kind)
    return file.getvalue()


def picture(path: Path, width: int = 60, height: int = 20, seed: int = 0, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".jpg": "JPEG", ".tif": "TIFF"}.get(path.suffix, "PNG")
    path.write_bytes(png(strip(width, height, seed, channels), kind))
    return path


def database(folder: Path, values: Mapping[bytes, bytes]) -> Path:
    """An LMDB database as the library writes it; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(folder), map_size=64 << 20) as opened, opened.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)
    return folder / "data.mdb"


def lines_database(folder: Path, labels: Sequence[str | None], declared: int | None = None) -> Path:
    """A database of lines, one for each label; no label for None."""
    values: dict[bytes, bytes] = {}
    for number, label in enumerate(labels, 1):
        values[b"image-%09d" % number] = png(strip(40 + number, seed=number))
        if label is not None:
            values[b"label-%09d" % number] = label.encode()
    values[b"num-samples"] = str(len(labels) if declared is None else declared).encode()
    return database(folder, values)


def iam(folder: Path, lines: Sequence[str], size: tuple[int, int] = (60, 20)) -> Path:
    """``words.txt`` or ``lines.txt``, with a picture for each line that has an id."""
    folder.mkdir(parents=True, exist_ok=True)
    words = any(line.split()[:1] and line.split()[0].count("-") == 3 for line in lines if not line.startswith("#"))
    name = "words" if words else "lines"
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            identifier = line.split()[0]
            form = "-".join(identifier.split("-")[:2])
            picture(folder / name / form.split("-")[0] / form / f"{identifier}.png", *size, seed=number)
    path = folder / f"{name}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def page_xml(lines: Sequence[str], picture: str, size: tuple[int, int], year: str = "2019-07-15") -> str:
    """A PAGE-XML file of the given TextLine elements."""
    space = f"http://schema.primaresearch.org/PAGE/gts/pagecontent/{year}"
    body = "\n".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<PcGts xmlns="{space}"><Page imageFilename="{picture}" '
        f'imageWidth="{size[0]}" imageHeight="{size[1]}"><TextRegion id="r1">{body}</TextRegion></Page></PcGts>'
    )


def alto(lines: Sequence[str], picture: str, size: tuple[float, float], version: int = 4, unit: str = "pixel") -> str:
    """An ALTO file of the given TextLine elements."""
    return (
        f'<alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#"><Description><MeasurementUnit>{unit}'
        f"</MeasurementUnit><sourceImageInformation><fileName>{picture}</fileName></sourceImageInformation></Description>"
        f'<Layout><Page ID="p" WIDTH="{size[0]}" HEIGHT="{size[1]}"><PrintSpace><TextBlock ID="b">'
        f"{''.join(lines)}</TextBlock></PrintSpace></Page></Layout></alto>"
    )
