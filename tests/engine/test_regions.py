"""Runs on many regions of one array: read in place, in little memory, and the same with any workers and processes."""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import nibabel
import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray

import small_run
from ssl_domains.engine import Run
from ssl_domains.evaluation import embed
from ssl_domains.inputs import InputSpec
from ssl_domains.pairs import Ask
from ssl_domains.samples import Region, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.testing.process_pool import ProcessPool
from ssl_domains.views import InputDataset, RandomCrop

sys.path.append(str(Path(__file__).parents[2]))  # the benchmarks lie beside the distribution

from benchmarks.regions import Amplitudes, RegionReader, Sizes, embed_regions, make_table, pretrain_regions

SIZES = Sizes(regions=2000, length=5000, crop=800, steps=4, workers=2)
LIMIT = 400e6
"""Anonymous memory that all processes together may take above the imports, in bytes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("regions")
    make_table(made / "data", SIZES)
    return made


def options(folder: Path, out: str, **sizes: int) -> dict[str, Any]:
    return {"folder": str(folder / "data"), "out": str(folder / out), "sizes": {**vars(SIZES), **sizes}}


def weights(folder: Path, out: str) -> dict[str, torch.Tensor]:
    return small_run.weights(Run.open(folder / out))


def in_new_processes(size: int, function: Callable[..., Any], **given: Any) -> list[dict[str, Any]]:
    """Results of processes that ran nothing before, as what other tests leave would be measured too."""
    pool = ProcessPool(size=size, timeout=600)
    try:
        return pool(function, **given)
    finally:
        pool.close()


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, Any]:
    """Memory of a run in one process with two workers."""
    return in_new_processes(1, pretrain_regions, **options(folder, "alone"))[0]


def test_one_process_and_its_workers_take_little_memory(alone: dict[str, Any], folder: Path) -> None:
    assert alone["processes"] == 3
    assert alone["peak"] < LIMIT
    stored = sum(path.stat().st_size for path in (folder / "data" / "store").rglob("*") if path.is_file())
    assert stored < 100_000 < (folder / "data" / "recording.npy").stat().st_size / 100


def test_workers_change_nothing(alone: dict[str, Any], folder: Path) -> None:
    in_new_processes(1, pretrain_regions, **options(folder, "no-workers", workers=0))
    expected = weights(folder, "alone")
    for name, value in weights(folder, "no-workers").items():
        assert torch.equal(value, expected[name]), name


def test_two_processes_train_what_one_trains(folder: Path) -> None:
    # One step: in further ones, Adam makes large what rounding changes in the smallest gradients.
    in_new_processes(1, pretrain_regions, **options(folder, "one-step", workers=0, steps=1))
    found = in_new_processes(2, pretrain_regions, **options(folder, "two", workers=1, steps=1))
    assert sum(one["peak"] for one in found) < LIMIT
    expected = weights(folder, "one-step")
    gradients = 0
    for name, value in weights(folder, "two").items():
        gradients += name.endswith("exp_avg")
        largest = float(expected[name].abs().max())
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-3 * largest, msg=name)
    assert gradients > 20


def test_every_region_is_embedded_as_if_it_were_a_file(alone: dict[str, Any], folder: Path) -> None:
    [found] = in_new_processes(1, embed_regions, **options(folder, "alone"))
    assert found["rows"] == SIZES.regions
    assert found["peak"] < LIMIT
    run = Run.open(folder / "alone")
    table = make_table(folder / "data", SIZES)
    frame = embed(run, table, ArrayStore.open(folder / "data" / "store"))
    recording = np.load(folder / "data" / "recording.npy")
    encoder = run.encoder()
    for row in (0, 1234, SIZES.regions - 1):
        start = row * SIZES.length + (SIZES.length - SIZES.crop) // 2
        with torch.no_grad():
            one = Amplitudes(SIZES.crop)(recording[start : start + SIZES.crop])
            expected = encoder(one.values, one.valid).pooled[0]
        np.testing.assert_allclose(frame["embedding"][row].to_numpy(), expected.numpy(), rtol=1e-3, atol=1e-5)


class NiftiReader(RegionReader):
    """Reads raw NIfTI volumes ``[z, y, x]`` where they lie."""

    axes = "zyx"

    def open(self, row: Mapping[str, Any]) -> Region:
        return Region.nifti(row["path"]).transpose(2, 1, 0)


class WavReader(RegionReader):
    """Reads PCM wav ``[time, channels]`` where it lies."""

    def open(self, row: Mapping[str, Any]) -> Region:
        return Region.wav(row["path"])


class Whole(Amplitudes):
    """Any number of axes, unchanged: ``[1, 1, *shape]``."""

    rank: ClassVar[int] = 3

    @property
    def spec(self) -> InputSpec:
        return InputSpec("numbers", 1, (None,) * self.rank)

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Any:
        return self.spec.input(torch.from_numpy(np.ascontiguousarray(array[None, None]).astype(np.float32)))


class Flat(Whole):
    rank: ClassVar[int] = 2


def _npy(path: Path, rng: np.random.Generator) -> NDArray[np.int16]:
    array = rng.integers(-999, 999, (40_000, 2), dtype=np.int16)
    np.save(path, array)
    return array


def _wav(path: Path, rng: np.random.Generator) -> NDArray[np.int16]:
    array = rng.integers(-999, 999, (40_000, 2), dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array.astype("<i2").tobytes())
    return array


def _nifti(path: Path, rng: np.random.Generator) -> NDArray[np.int16]:
    array = rng.integers(-999, 999, (30, 40, 50), dtype=np.int16)  # x, y, z
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)
    return np.ascontiguousarray(array.transpose(2, 1, 0))


@pytest.mark.parametrize(
    ("name", "write", "reader", "preprocess"),
    [("a.npy", _npy, RegionReader, Flat), ("a.wav", _wav, WavReader, Flat), ("a.nii", _nifti, NiftiReader, Whole)],
)
def test_crops_of_regions_are_read_in_place(
    name: str, write: Callable[..., Any], reader: Any, preprocess: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    array = write(tmp_path / name, rng)
    count, rank = 50, array.ndim
    sides = np.array([min(side, 12 + 8 * (axis == 0)) for axis, side in enumerate(array.shape)])
    starts = rng.integers(0, np.array(array.shape) - sides + 1, (count, rank))
    regions = np.stack([starts, starts + sides], axis=2).reshape(count, -1)
    table = SampleTable(
        pl.DataFrame(
            {
                "sample": [f"r{number}" for number in range(count)],
                "path": [str(tmp_path / name)] * count,
                "array": ["one"] * count,
                "region": regions.tolist(),
                **{f"start{axis}": starts[:, axis] for axis in range(rank)},
            }
        )
    )
    store = ArrayStore.fill(tmp_path / "store", table, reader())
    assert sum(path.stat().st_size for path in (tmp_path / "store").iterdir()) < 30_000
    cut = (9, *([None] * (rank - 1)))
    names = [f"place{axis}" for axis, side in enumerate(cut) if side is not None]
    origin = [f"start{axis}" for axis, side in enumerate(cut) if side is not None]
    crop = RandomCrop(cut, emitted=names, origin=origin)
    data = InputDataset(table, store, preprocess(0), crop=crop, views=2, seed=1)
    rows = np.arange(count)
    for view in data.__getitems__(Ask(3, rows, rows[None]))["crops"]:
        assert len(set(view.emitted["place0"].tolist())) > 10
        for row in range(count):
            start = int(view.emitted["place0"][row])
            expected = array[start : start + 9]
            for axis in range(1, rank):
                expected = expected.take(range(starts[row, axis], starts[row, axis] + sides[axis]), axis=axis)
            np.testing.assert_array_equal(view.input.values[row, 0].numpy(), expected)
            assert starts[row, 0] <= start <= starts[row, 0] + sides[0] - 9
