"""Pictures of 8, 16 and 32 bits, alone and in one folder: each type has its own window, and all of them train."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, InputDataset
from ssl_domains_fisheye.domain import FISHEYE

RNG = np.random.default_rng(0)


def pictures(folder: Path, arrays: dict[str, NDArray[np.generic]]) -> SampleTable:
    folder.mkdir()
    for name, array in arrays.items():
        Image.fromarray(array).save(folder / name)
    scanned = FISHEYE.reader().scan(folder)
    assert len(scanned.problems) == 0
    return scanned.samples


def values(table: SampleTable, folder: Path) -> tuple[dict[str, tuple[float, float]], NDArray[np.float64]]:
    """The windows of the types, and the least and the greatest value of each row's input ``[n, 2]``."""
    store = ArrayStore.fill(folder, table, FISHEYE.reader())
    assert FISHEYE.scaling is not None
    fitted = FISHEYE.scaling(table).fit(table, store)
    preprocess = ImagePreprocess(fitted, Canvas(16), max(store.of(table).channels()))
    made = InputDataset(table, store, preprocess).__getitems__(range(len(table)))["input"].unit().values
    return dict(fitted.types), np.array([[float(one.min()), float(one.max())] for one in made])


def test_12_bits_in_a_type_of_32_are_not_flat(tmp_path: Path) -> None:
    arrays = {f"{n}.tif": RNG.integers(0, 4096, (16, 16)).astype(np.int32) for n in range(4)}
    types, ends = values(pictures(tmp_path / "images", arrays), tmp_path / "store")
    stacked = np.stack(list(arrays.values()))
    assert types == {"int32": (stacked.min(), stacked.max())}
    assert (ends[:, 1] - ends[:, 0] > 0.9).all()


def test_8_and_16_bits_in_one_folder(tmp_path: Path) -> None:
    arrays: dict[str, NDArray[np.generic]] = {
        "0.png": np.full((16, 16), 51, np.uint8),
        "1.png": np.full((16, 16), 1000, np.uint16),
        "2.png": np.full((16, 16), 3000, np.uint16),
    }
    types, ends = values(pictures(tmp_path / "images", arrays), tmp_path / "store")
    assert types == {"uint8": (0, 255), "uint16": (1000, 3000)}
    assert ends == pytest.approx(np.array([[0.2, 0.2], [0, 0], [1, 1]]))


def test_fractions_have_the_range_of_the_training_rows(tmp_path: Path) -> None:
    arrays = {f"{n}.tif": np.full((16, 16), n / 4, np.float32) for n in range(3)}
    types, ends = values(pictures(tmp_path / "images", arrays), tmp_path / "store")
    assert types == {"float32": (0, 0.5)}
    assert ends[:, 0] == pytest.approx([0, 0.5, 1])


def test_8_bits_alone_stay_8_bits(tmp_path: Path) -> None:
    table = pictures(tmp_path / "images", {"0.png": RNG.integers(0, 256, (16, 16), dtype=np.uint8)})
    store = ArrayStore.fill(tmp_path / "store", table, FISHEYE.reader())
    assert FISHEYE.scaling is not None
    fitted = FISHEYE.scaling(table).fit(table, store)
    array = np.asarray(store.of(table)[0])
    assert fitted.apply(array) is array
    assert fitted.stays_uint8({array.dtype})


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("case", "types"),
    [
        ("int32_tif", {"int32": [0, 4095]}),
        ("mixed_depth", {"uint8": [0, 255], "uint16": [0, 65278]}),
    ],
)
def test_published_folders_train(shared_data: Path, tmp_path: Path, case: str, types: dict[str, list[float]]) -> None:
    from ssl_domains.cli.app import run as command

    folder = shared_data.parent / "cases" / "fisheye" / case
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    table, out = tmp_path / "samples.parquet", tmp_path / "run"
    settings = ("encoder.name=small_conv", "train.max_steps=1", "views.size=32", "train.batch_size=8")
    sets = [part for one in settings for part in ("--set", one)]
    assert command(["fisheye", "scan", str(folder), "-o", str(table)]) == 0
    assert command(["fisheye", "pretrain", str(table), "--out", str(out), *sets]) == 0
    recorded = json.loads((out / "preprocess.json").read_text(encoding="utf-8"))
    assert recorded["scaling"]["types"] == types
