"""Put the thumbnails of many samples into one picture (a sprite), so that a page needs one data URI for all."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.inputs import Input
from ssl_domains.reports.thumbnails.traces import trace_picture
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Crop, InputDataset, Preprocess, extended

__all__ = ["Sprite", "make_sprite"]

_EDGE_GREY, _EDGE_COLOUR = 44, 32
"""Side of a thumbnail in pixels: large enough to recognise a sample, too small to read text burnt into it."""


@dataclass(frozen=True)
class Sprite:
    """Thumbnails in rows of ``columns``, in the order of the table.

    Attributes:
        uri: ``data:image/png;base64,…``.
        edge: Side of a thumbnail in pixels.
        columns: Number of thumbnails in a row.
        rows: Number of rows.
    """

    uri: str
    edge: int
    columns: int
    rows: int


def make_sprite(table: SampleTable, store: ArrayStore, preprocess: Preprocess, crop: Crop | None = None) -> Sprite:
    """Thumbnails of decodable rows, after the preprocessing of the encoder; with a crop, of the centre.

    An input of two sides is shown as a picture, one of one side as lines, and a volume by its middle slice. A
    preprocess with ``shown(x)`` gives the picture ``[C, h, w]`` of a batch of one, such as a line folded into rows.
    """
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0, crop=crop)
    # Three channels are shown as colours; of any other number of channels, only the first is shown.
    flat = len(preprocess.spec.space) >= 2
    colour = flat and preprocess.spec.channels == 3 and 3 in store.of(table).channels()
    edge = _EDGE_COLOUR if colour else _EDGE_GREY
    columns = math.ceil(math.sqrt(len(table)))
    rows = math.ceil(len(table) / columns)
    sheet = np.zeros((rows * edge, columns * edge, 3 if colour else 1), dtype=np.uint8)
    for i in range(len(table)):
        made = dataset.finish(dataset[i]["input"])
        y, x = divmod(i, columns)
        if hasattr(preprocess, "shown"):
            made = replace(made, values=preprocess.shown(made)[None], valid=None)
        pixels = _pixels(made, edge, sheet.shape[2]) if flat else trace_picture(made.values[0].T.numpy(), edge, edge)
        sheet[y * edge : (y + 1) * edge, x * edge : (x + 1) * edge] = pixels
    file = io.BytesIO()
    Image.fromarray(sheet if colour else sheet[:, :, 0]).save(file, format="PNG", optimize=True)
    return Sprite("data:image/png;base64," + base64.b64encode(file.getvalue()).decode(), edge, columns, rows)


def _pixels(made: Input, edge: int, channels: int) -> NDArray[np.uint8]:
    """One input of two or more sides as a square picture, uint8 ``[edge, edge, channels]``."""
    image = made.unit().values[0, :channels]
    while image.ndim > 3:  # a volume is shown by its middle slice
        image = image[:, image.shape[1] // 2]
    low, high = image.min(), image.max()
    if bool(low < 0) or bool(high > 1):  # not pictures in [0, 1]: spectrograms, for instance
        image = (image - low) / (high - low).clamp(min=1e-12)
    small = F.interpolate(image[None], size=(edge, edge), mode="bilinear", antialias=True, align_corners=False)[0]
    pixels: NDArray[np.uint8] = (small.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return pixels
