"""The sprite of inputs that are no pictures: signals as lines, spectrograms by their range, volumes by a slice."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ssl_domains.inputs import Input, InputSpec
from ssl_domains.reports.thumbnails.sprite import Sprite, make_sprite
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import SignalPreprocess


@dataclass(frozen=True)
class Plain:
    """Arrays as they are, with one channel."""

    spec: InputSpec
    name: ClassVar[str] = "plain"
    columns: ClassVar[tuple[str, ...]] = ()

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        return self.spec.input(torch.from_numpy(array.astype(np.float32))[None, None])

    def to_dict(self) -> dict[str, Any]:
        return {}


class NumpyReader:
    version = "1"

    def __init__(self, axes: str) -> None:
        self.axes = axes

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("not part of these tests")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        loaded: NDArray[np.generic] = np.load(row["path"])
        return loaded


def sprite_of(folder: Path, axes: str, array: NDArray[Any], preprocess: Any) -> tuple[Sprite, NDArray[np.uint8]]:
    np.save(folder / "a.npy", array)
    table = SampleTable.of(pl.DataFrame({"path": [str(folder / "a.npy")]}))
    sprite = make_sprite(table, ArrayStore.fill(folder / "store", table, NumpyReader(axes)), preprocess)
    return sprite, np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite.uri.partition(",")[2]))))


def test_a_signal_is_drawn_as_lines(tmp_path: Path) -> None:
    time = np.linspace(0, 20, 500)
    sprite, pixels = sprite_of(tmp_path, "t", np.sin(time), SignalPreprocess())
    assert pixels.shape == (sprite.edge, sprite.edge)
    assert set(np.unique(pixels)) == {40, 255}
    assert (pixels == 40).any(axis=0).all()


def test_numbers_outside_0_to_1_are_shown_by_their_range(tmp_path: Path) -> None:
    levels = np.repeat(np.linspace(-80, 0, 8)[:, None], 20, axis=1)
    _, pixels = sprite_of(tmp_path, "tc", levels, Plain(InputSpec("mel", 1, (8, None))))
    assert pixels[0, 0] == 0
    assert pixels[-1, 0] == 255
    assert (np.diff(pixels[:, 0].astype(int)) >= 0).all()


def test_a_volume_is_shown_by_its_middle_slice(tmp_path: Path) -> None:
    volume = np.zeros((5, 6, 6))
    volume[2] = 1.0
    _, pixels = sprite_of(tmp_path, "zyx", volume, Plain(InputSpec("volume", 1, (5, 6, 6))))
    assert (pixels == 255).all()


@dataclass(frozen=True)
class Folded(Plain):
    """A preprocess that shows only the right half of its input."""

    def shown(self, x: Input) -> Tensor:
        return x.values[0, :, :, x.values.shape[3] // 2 :]


def test_a_preprocess_may_show_its_input_itself(tmp_path: Path) -> None:
    halves = np.zeros((8, 40))
    halves[:, 20:] = 1.0
    _, pixels = sprite_of(tmp_path, "tc", halves, Folded(InputSpec("line", 1, (8, None))))
    assert (pixels == 255).all()
