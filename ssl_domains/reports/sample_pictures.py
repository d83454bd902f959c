"""Thumbnails and feature vectors of a few samples.

Only the requested rows are decoded, so that a pair sheet takes seconds, even before an array store is filled.
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
from ssl_domains.reports.thumbnails.traces import trace_picture
from ssl_domains.samples import Reader, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Scaling
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.scaling import FittedScaling, valid_pixels

__all__ = ["EDGE", "Picture", "SamplePictures", "Thumbnail", "decoded", "picture_samples"]

Thumbnail = Callable[[NDArray[np.generic], Mapping[str, Any]], "NDArray[np.uint8] | str"]
Encode = Callable[[SampleTable, ArrayStore], NDArray[np.float32]]

EDGE = 96
"""Side of a thumbnail in pixels: larger than shown, to be sharp; too small to read text burnt into a picture."""

_LOOK = 16  # side in pixels of the pictures that are compared
_FIRST = 16  # rows that are decoded first, to estimate the size of the others
_BYTES = 2**30  # most bytes to decode without a store
_TEXT = 4000  # most characters of a thumbnail that is text
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/]+[\\/])*[^\s'\"\\/]+")


@dataclass(frozen=True)
class Picture:
    """The thumbnail of a sample: exactly one of the three attributes is set.

    Attributes:
        uri: Picture as a data URI.
        text: Text, or markup with ``__html__``, for a domain without pictures.
        cause: Reason why there is no thumbnail.
    """

    uri: str | None = None
    text: str | None = None
    cause: str | None = None


@dataclass(frozen=True)
class SamplePictures:
    """Thumbnails of samples, and unit vectors to compare them, by position in the table.

    Attributes:
        pictures: Position → thumbnail, for all rows that were not left out.
        features: Position → unit vector, for rows that could be decoded.
        how: What the vectors are, as text.
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
    scaling: Scaling | None,
    canvas: Literal["stretch", "fit"] = "stretch",
    thumbnail: Thumbnail | None = None,
    encode: Encode | None = None,
) -> SamplePictures:
    """Decode rows, and make their thumbnails and feature vectors.

    Args:
        table: The table.
        rows: Positions of rows; the last ones are left out when they would need more than 1 GB.
        reader: Decodes rows that the store does not hold.
        store: Array store of the table, or None.
        scaling: For pictures: scaling from native unit to [0, 1] for the default thumbnail, fitted on the decoded rows
            only. None draws signals ``[t]`` or ``[t, c]`` as lines.
        canvas: How the default thumbnail is brought to the square.
        thumbnail: The domain's function ``(array in native unit, row) -> uint8 [h, w, 1 or 3]``, or text.
        encode: Computes features ``[n, F]`` of decodable rows, such as with a run's encoder; None compares the pixels
            of thumbnails.
    """
    with decoded(table, rows, reader, store) as (kept, arrays):
        some = table.take(kept)
        samples = arrays.of(some)
        causes = iter(samples.causes())
        decodable = np.flatnonzero(samples.decoded)
        draw, broken = thumbnail, ""
        if draw is None and len(decodable):
            try:
                draw = _lines if scaling is None else _default(scaling.fit(some.take(decodable), arrays), canvas)
            except DataError as error:
                broken = error.message
        pictures: dict[int, Picture] = {}
        looks: dict[int, NDArray[np.float64]] = {}
        for place, row in enumerate(kept):
            record = some.frame.row(place, named=True)
            if not samples.decoded[place]:
                pictures[row] = Picture(cause=_without_paths(next(causes), record))
            elif draw is None:
                pictures[row] = Picture(cause=broken)
            else:
                pictures[row], look = _drawn(draw, samples[place], record)
                if look is not None:
                    looks[row] = look
        if encode is not None and len(decodable):
            features = encode(some.take(decodable), arrays).astype(np.float64)
            norms = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
            looks = {kept[int(place)]: one for place, one in zip(decodable, features / norms, strict=True)}
            return SamplePictures(pictures, looks, "the encoder's embedding")
    return SamplePictures(pictures, looks, f"their thumbnails at {_LOOK} × {_LOOK} pixels")


@contextmanager
def decoded(
    table: SampleTable, rows: Sequence[int], reader: Reader, store: ArrayStore | None
) -> Iterator[tuple[list[int], ArrayStore]]:
    """A store with the given rows: the given store if it has all of them, else a temporary store.

    Yields:
        The rows that are in the store, in order, and the store.
    """
    rows = list(rows)
    if store is not None:
        try:
            store.of(table.take(rows))
            yield rows, store
            return
        except DataError:  # filled from another table, or in part
            pass
    with TemporaryDirectory(prefix="ssl-domains-") as folder:
        made = ArrayStore.fill(folder, table.take(rows[:_FIRST]), reader)
        samples = made.of(table.take(rows[:_FIRST]))
        sizes = samples.shapes()[samples.decoded].prod(axis=1) * 8.0
        least = max(1.0, float(sizes.mean())) if len(sizes) else 1.0
        rows = rows[: max(_FIRST, int(_BYTES // least))]
        if len(rows) > _FIRST:
            made = ArrayStore.fill(folder, table.take(rows), reader)
        yield rows, made


def _default(scaling: FittedScaling, canvas: Literal["stretch", "fit"]) -> Thumbnail:
    """The default thumbnail: the scaled array on the canvas; of more than 3, or of 2 channels, only the first."""
    square = Canvas(EDGE, canvas)

    def draw(array: NDArray[np.generic], row: Mapping[str, Any]) -> NDArray[np.uint8]:
        scaled = scaling.apply(array, scaling.scaling.key(row))
        placed, _ = square.apply(scaled if scaled.shape[2] == 3 else scaled[:, :, :1], valid_pixels(array))
        return placed if placed.dtype == np.uint8 else np.round(placed * 255).astype(np.uint8)

    return draw


def _lines(array: NDArray[np.generic], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The default thumbnail of a signal ``[t]`` or ``[t, c]``."""
    if array.ndim > 2:
        cause = f"an array of {array.ndim} sides has no default picture"
        raise DataError(cause, "give the domain a `thumbnail`")
    return trace_picture(array, 2 * EDGE, 2 * EDGE)


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
    except DataError as error:
        return Picture(cause=_without_paths(f"{error.message}: {error.hint}", row)), None
    except Exception as error:  # code of a plugin: one failing thumbnail must not stop the page
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
    """Unit vector of the coarse picture, minus its mean; zeros for a constant picture."""
    small = cv2.resize(pixels.astype(np.float32), (_LOOK, _LOOK), interpolation=cv2.INTER_AREA).reshape(-1)
    flat = small.astype(np.float64) - float(small.mean())
    norm = float(np.linalg.norm(flat))
    return flat / norm if norm > 1e-6 else np.zeros_like(flat)


def _uri(pixels: NDArray[np.uint8]) -> str:
    """Data URI of the picture as PNG or as JPEG of quality 88, whichever is smaller."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    exact, photograph = io.BytesIO(), io.BytesIO()
    image.save(exact, format="PNG", optimize=True)
    image.save(photograph, format="JPEG", quality=88)
    best, kind = (exact, "png") if exact.tell() <= photograph.tell() else (photograph, "jpeg")
    return f"data:image/{kind};base64," + base64.b64encode(best.getvalue()).decode()


def _without_paths(cause: str, row: Mapping[str, Any]) -> str:
    """The message with paths removed, as names of folders and files may identify people."""
    path = str(row.get("path") or "")
    for name in sorted({path, Path(path).name}, key=len, reverse=True):
        if name:
            cause = cause.replace(name, "the file")
    return _PATH.sub("…", cause)[:200]
