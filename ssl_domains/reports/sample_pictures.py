"""Pictures of a few samples: decoded on their own where no store holds them, as thumbnails and as short descriptions.

Nothing but the asked rows is read, so that looking at pairs costs seconds before anything is filled.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.errors import DataError
from ssl_domains.samples import Reader, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Scaling
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.scaling import FittedScaling, valid_pixels

__all__ = ["EDGE", "Picture", "SamplePictures", "Thumbnail", "decoded", "picture_samples"]

Thumbnail = Callable[[NDArray[np.generic], Mapping[str, Any]], "NDArray[np.uint8] | str"]
Encode = Callable[[SampleTable, ArrayStore], NDArray[np.float32]]

EDGE = 96
"""Pixels of a thumbnail's edge: shown smaller, so that it is sharp; too small to read what is written in a picture."""

_LOOK = 16  # pixels of the edge that samples are compared by
_FIRST = 16  # rows from which the size of the others is told
_BYTES = 2**30  # decoded at most beside a store
_TEXT = 4000  # characters of a thumbnail that is text
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/]+[\\/])*[^\s'\"\\/]+")


@dataclass(frozen=True)
class Picture:
    """What stands for a sample: one of three.

    Attributes:
        uri: A data URI.
        text: Text, or markup that says so by ``__html__``, of a domain without pictures.
        cause: Why there is neither.
    """

    uri: str | None = None
    text: str | None = None
    cause: str | None = None


@dataclass(frozen=True)
class SamplePictures:
    """Pictures, and unit vectors by which samples are compared, by position of the table.

    Attributes:
        pictures: Every row that was asked for.
        features: Rows that could be decoded and described.
        how: By what they are compared, in words.
    """

    pictures: Mapping[int, Picture] = field(default_factory=dict)
    features: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    how: str = ""


def picture_samples(
    table: SampleTable,
    rows: Sequence[int],
    *,
    reader: Reader,
    store: ArrayStore | None,
    scaling: Scaling,
    canvas: Literal["stretch", "fit"] = "stretch",
    thumbnail: Thumbnail | None = None,
    encode: Encode | None = None,
) -> SamplePictures:
    """Decode rows, draw and describe them.

    Args:
        table: The rows.
        rows: Positions; where memory runs short the last ones are left out.
        reader: Decodes what the store doesn't hold.
        store: Of the table, or None.
        scaling: From native unit to [0, 1], fitted on the decoded rows alone; only for the default thumbnail.
        canvas: Of the default thumbnail.
        thumbnail: The domain's own: ``(array in native unit, row) -> uint8 [h, w, 1 or 3]``, or text.
        encode: Features ``[n, F]`` of decodable rows, such as a run's encoder; None compares thumbnails by pixels.
    """
    with decoded(table, rows, reader, store) as (kept, arrays):
        some = table.take(kept)
        positions = arrays.positions(some)
        causes = dict(arrays.problems.iter_rows())
        there = np.flatnonzero(positions >= 0)
        draw, broken = thumbnail, ""
        if draw is None and len(there):
            try:
                draw = _default(scaling.fit(some.take(there), arrays), canvas)
            except DataError as error:
                broken = error.message
        pictures: dict[int, Picture] = {}
        looks: dict[int, NDArray[np.float64]] = {}
        for place, row in enumerate(kept):
            record = some.frame.row(place, named=True)
            if positions[place] < 0:
                cause = causes.get(str(record.get("path") or ""), "it can't be decoded")
                pictures[row] = Picture(cause=_without_paths(cause, record))
            elif draw is None:
                pictures[row] = Picture(cause=broken)
            else:
                pictures[row], look = _drawn(draw, arrays[int(positions[place])], record)
                if look is not None:
                    looks[row] = look
        if encode is not None and len(there):
            features = encode(some.take(there), arrays).astype(np.float64)
            norms = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
            looks = {kept[int(place)]: one for place, one in zip(there, features / norms, strict=True)}
            return SamplePictures(pictures, looks, "the encoder's embedding")
    return SamplePictures(pictures, looks, f"their thumbnails at {_LOOK} × {_LOOK} pixels")


@contextmanager
def decoded(
    table: SampleTable, rows: Sequence[int], reader: Reader, store: ArrayStore | None
) -> Iterator[tuple[list[int], ArrayStore]]:
    """The rows with a store that holds them: the given one when it has them all, else one that is made and removed.

    Yields:
        The rows that were taken on, in order, and the store.
    """
    rows = list(rows)
    if store is not None:
        try:
            store.positions(table.take(rows))
            yield rows, store
            return
        except DataError:  # filled from another table, or in part
            pass
    with TemporaryDirectory(prefix="ssl-domains-") as folder:
        made = ArrayStore.fill(folder, table.take(rows[:_FIRST]), reader)
        sizes = [float(np.prod(made.shape(k))) * 8 for k in range(len(made))]
        least = max(1.0, float(np.mean(sizes))) if sizes else 1.0
        rows = rows[: max(_FIRST, int(_BYTES // least))]
        if len(rows) > _FIRST:
            made = ArrayStore.fill(folder, table.take(rows), reader)
        yield rows, made


def _default(scaling: FittedScaling, canvas: Literal["stretch", "fit"]) -> Thumbnail:
    """The domain's scaling on its canvas; of channels other than 1 or 3, the first."""
    square, by = Canvas(EDGE, canvas), scaling.scaling.group

    def draw(array: NDArray[np.generic], row: Mapping[str, Any]) -> NDArray[np.uint8]:
        scaled = scaling.apply(array, None if by is None else str(row[by]))
        placed, _ = square.apply(scaled if scaled.shape[2] == 3 else scaled[:, :, :1], valid_pixels(array))
        return placed if placed.dtype == np.uint8 else np.round(placed * 255).astype(np.uint8)

    return draw


def _drawn(
    draw: Thumbnail, array: NDArray[np.generic], row: Mapping[str, Any]
) -> tuple[Picture, NDArray[np.float64] | None]:
    try:
        made = draw(array, row)
        if isinstance(made, str):
            long = len(made) > _TEXT
            if long and hasattr(made, "__html__"):
                return Picture(cause=f"its thumbnail has {len(made):,} characters"), None
            return Picture(text=made[:_TEXT] + "…" if long else made), None
        pixels = np.asarray(made)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
            return Picture(cause=f"its thumbnail is {pixels.dtype} {pixels.shape}, not uint8 [h, w, 1 or 3]"), None
    except Exception as error:  # a domain's own code, and a page is worth more than one picture
        return Picture(cause=_without_paths(f"{type(error).__name__}: {error}", row)), None
    return Picture(uri=_uri(_bounded(pixels))), _look(pixels)


def _bounded(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if max(height, width) <= 2 * EDGE:
        return pixels
    scale = 2 * EDGE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8).reshape(size[1], size[0], -1)


def _look(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A unit vector of the coarse appearance, without brightness and contrast; 0 for one colour."""
    small = cv2.resize(pixels.astype(np.float32), (_LOOK, _LOOK), interpolation=cv2.INTER_AREA).reshape(-1)
    flat = small.astype(np.float64) - float(small.mean())
    norm = float(np.linalg.norm(flat))
    return flat / norm if norm > 1e-6 else np.zeros_like(flat)


def _uri(pixels: NDArray[np.uint8]) -> str:
    """The smaller of PNG, which keeps every pixel, and a good JPEG."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    exact, photograph = io.BytesIO(), io.BytesIO()
    image.save(exact, format="PNG", optimize=True)
    image.save(photograph, format="JPEG", quality=88)
    best, kind = (exact, "png") if exact.tell() <= photograph.tell() else (photograph, "jpeg")
    return f"data:image/{kind};base64," + base64.b64encode(best.getvalue()).decode()


def _without_paths(cause: str, row: Mapping[str, Any]) -> str:
    """A cause in which no path is left: folders and files may name people."""
    path = str(row.get("path") or "")
    for name in sorted({path, Path(path).name}, key=len, reverse=True):
        if name:
            cause = cause.replace(name, "the file")
    return _PATH.sub("…", cause)[:200]
