"""Samples that are slabs of volumes, cut along two axes, with masks: a kind of data whose arrays are no pictures.

A volume ``[z, y, x]`` is bright where its label is 1 and dark where it is 0; a tenth of the voxels has no label. Slabs
of three planes lie across ``z`` or across ``y``; they overlap. Their map is that of the middle plane, and stands with
``x`` downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.samples import Region, SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.views import Canvas, HorizontalFlip, RandomResizedCrop, VerticalFlip, ViewRecipe, register_preprocess

SIDE, SIZE, VOLUMES = 24, 16, 6
AXES = {"z": (2, 1), "y": (2, 0)}
"""Axes that run down the rows and along the columns of the map of a slab."""
WHY = "for the test"


def slab_map(volume: NDArray[Any], across: str, region: Sequence[int]) -> NDArray[Any]:
    """The middle plane of a slab with ``x`` downwards, written out for each of the two ways to cut."""
    z0, z1, y0, y1, x0, x1 = region
    if across == "z":
        return np.asarray(volume[z0 + 1, y0:y1, x0:x1]).T
    return np.asarray(volume[z0:z1, y0 + 1, x0:x1]).T


@register_preprocess
@dataclass(frozen=True)
class SlabPreprocess:
    """The middle plane of a slab on the canvas."""

    name: ClassVar[str] = "test-slab"
    columns: ClassVar[tuple[str, ...]] = ("across",)
    canvas: ClassVar[Canvas] = Canvas(SIZE)
    spec: ClassVar[InputSpec] = InputSpec("image", 1, (SIZE, SIZE))

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        across = (facts or {})["across"]
        plane = slab_map(array, across, [0, array.shape[0], 0, array.shape[1], 0, array.shape[2]])
        placed, _ = self.canvas.apply(np.ascontiguousarray(plane, dtype=np.float32)[:, :, None])
        return self.spec.input(torch.from_numpy(np.ascontiguousarray(placed.transpose(2, 0, 1)))[None])

    def map_axes(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int, int]:
        return AXES[(facts or {})["across"]]

    def to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SlabPreprocess:
        return cls()


class SlabReader:
    """Opens volumes in place; the mask of a slab is cut from the volume of labels."""

    version = "1"
    axes = "zyx"

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the table of the test is made by hand")

    def open(self, row: Mapping[str, Any]) -> Region:
        return Region.npy(row["path"])

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        return np.asarray(np.load(row["path"]))

    def load_mask(self, row: Mapping[str, Any]) -> NDArray[np.uint8]:
        return self.load_masks(row["mask_path"], [row])[0]

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[NDArray[np.uint8]]:
        labels = np.load(path)
        return [np.ascontiguousarray(slab_map(labels, row["across"], row["region"])) for row in rows]


@dataclass(frozen=True)
class SlabWorld:
    """Table, arrays, masks, label volumes and a run of two steps."""

    table: SampleTable
    store: ArrayStore
    masks: MaskStore
    labels: list[NDArray[np.uint8]]
    run: Run

    def labelled_voxels(self, rows: NDArray[Any]) -> dict[tuple[int, ...], int]:
        """Volume and voxel → label, of every labelled voxel that the maps of some rows show."""
        found: dict[tuple[int, ...], int] = {}
        for row in self.table.take(rows).frame.iter_rows(named=True):
            z0, z1, y0, y1, x0, x1 = row["region"]
            z = [z0 + 1] if row["across"] == "z" else range(z0, z1)
            y = range(y0, y1) if row["across"] == "z" else [y0 + 1]
            volume = row["volume"]
            for at in ((a, b, c) for a in z for b in y for c in range(x0, x1)):
                if self.labels[volume][at] != 255:
                    found[volume, *at] = int(self.labels[volume][at])
        return found


def make_slabs(folder: Path, names: str = "0=dark,1=bright") -> SlabWorld:
    """The world in a folder; the last two volumes are the test side."""
    rng = np.random.default_rng(0)
    labels, rows = [], []
    for volume in range(VOLUMES):
        label = (np.indices((SIDE,) * 3).sum(axis=0) // 7 + volume) % 2
        label = label.astype(np.uint8)
        np.save(folder / f"v{volume}.npy", (0.25 + 0.5 * label + rng.normal(0, 0.05, label.shape)).astype(np.float32))
        label[rng.uniform(size=label.shape) < 0.1] = 255
        np.save(folder / f"l{volume}.npy", label)
        labels.append(label)
        for across in AXES:
            for place in range(8):
                start = rng.integers(0, SIDE - 12, 3)
                sides = [3, 12, 10] if across == "z" else [12, 3, 10]
                region = [int(end) for a, side in zip(start, sides, strict=True) for end in (a, a + side)]
                rows.append(
                    {
                        "sample": f"v{volume}-{across}{place}", "path": str(folder / f"v{volume}.npy"),
                        "array": f"v{volume}", "region": region, "across": across, "volume": volume,
                        "mask_path": str(folder / f"l{volume}.npy"), "split": "test" if volume > 3 else "train",
                    }
                )  # fmt: skip
    table = SampleTable.of(pl.DataFrame(rows))
    table = replace(table, meta=replace(table.meta, options={"mask_names": names}))
    store = ArrayStore.fill(folder / "store", table, SlabReader())
    masks = MaskStore.fill(folder / "masks", table, SlabReader())
    settings = (
        "encoder.name=small_conv", "train.max_steps=2", "train.batch_size=16", "train.device=cpu", "head.hidden=16",
        "head.out=8",
    )  # fmt: skip
    training = table.take(np.asarray(table.rows_of("train")))
    parts = Parts(
        training, store, Objective(), Composition(), slab_recipe(2), None, SimCLR, preprocess=SlabPreprocess()
    )
    return SlabWorld(table, store, masks, labels, pretrain(load_config(sets=settings), parts, folder / "run"))


def slab_recipe(views: int) -> ViewRecipe:
    steps = (RandomResizedCrop((0.5, 1.0), reason=WHY), HorizontalFlip(reason=WHY), VerticalFlip(reason=WHY))
    return ViewRecipe(steps, SIZE, views)
