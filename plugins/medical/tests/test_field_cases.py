"""Inputs rebuilt from bug reports of other libraries: what a scan says of them, and that they train."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import ScanResult, group_split, join_columns
from ssl_domains.stores import ArrayStore, SampleArrays
from ssl_domains_medical.reader import MedicalReader
from ssl_domains_medical.scaling import scaling_for

pytestmark = pytest.mark.shared_data
Filled = Callable[[ScanResult], SampleArrays]


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    return folder


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    """The arrays of a scan, all of which must have the type and the channels that the table says."""

    def fill(scanned: ScanResult) -> SampleArrays:
        arrays = ArrayStore.fill(tmp_path / "store", scanned.samples, MedicalReader()).of(scanned.samples)
        assert arrays.decoded.all(), arrays.causes()
        for row, values in enumerate(scanned.samples.frame.iter_rows(named=True)):
            assert arrays[row].shape == (values["rows"], values["columns"], values["channels"])
            assert str(arrays[row].dtype) == values["dtype"]
        return arrays

    return fill


def problems(scanned: ScanResult) -> dict[str, str]:
    return {Path(path).name: cause for path, cause in scanned.problems.iter_rows()}


def test_rgb_is_read_as_colour(cases: Path, filled: Filled) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c12_rgb_nifti")
    assert problems(scanned) == {}
    of_file = {Path(row["path"]).name: row["channels"] for row in scanned.samples.frame.iter_rows(named=True)}
    assert of_file == {"rgb.nii.gz": 3, "grey.nii.gz": 1}
    filled(scanned)


def test_time_is_never_channels(cases: Path, filled: Filled) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c13_4d", axis="axial")
    assert set(problems(scanned)) == {"cplx.nii.gz", "vec5d.nii.gz"}
    assert "complex" in problems(scanned)["cplx.nii.gz"]
    counts = {
        Path(path).name: count for path, count in scanned.samples.frame["path"].value_counts(name="count").iter_rows()
    }
    assert counts == {"bold.nii.gz": 240, "t5.nii.gz": 30, "t1.nii.gz": 6, "f64.nii.gz": 6, "slice2d.nii.gz": 1}
    assert scanned.samples.frame["channels"].unique().to_list() == [1]
    filled(scanned)


def test_channels_of_nnunet_are_one_case_and_no_split_cuts_it(cases: Path, filled: Filled) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c19_nnunet")
    frame = scanned.samples.frame
    assert frame["patient"].n_unique() == 6
    assert frame["channels"].unique().to_list() == [2]
    split = group_split(scanned.samples, "patient", test=0.3, seed=0).frame
    assert split.group_by("patient").agg(pl.col("split").n_unique())["split"].max() == 1
    assert split["split"].n_unique() == 2
    filled(scanned)


def test_mr_beside_a_picture(cases: Path, filled: Filled, tmp_path: Path) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c35_mr_and_png")
    filled(scanned)
    store = ArrayStore.open(tmp_path / "store")
    fitted = scaling_for(scanned.samples).fit(scanned.samples, store)
    assert fitted.types == {"uint16": (119, 65170)}
    assert set(fitted.windows) == set(scanned.samples.frame.filter(pl.col("reader") == "dicom")["volume"])
    assert all(high < 800 for _, high in fitted.windows.values())


def test_a_joined_modality_changes_nothing(cases: Path) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c38_png_with_modality")
    joined = join_columns(scanned.samples, pl.read_csv(cases / "medical" / "c38_png_with_modality.csv"), "file")
    assert joined.frame["modality"].unique().to_list() == ["CT"]
    assert scaling_for(joined) == scaling_for(scanned.samples)


def test_a_16_bit_picture_is_scaled_by_the_range_of_its_type(cases: Path, filled: Filled, tmp_path: Path) -> None:
    scanned = MedicalReader().scan(cases / "medical" / "c39_one_16bit_rgb")
    dtypes = {Path(row["path"]).name: row["dtype"] for row in scanned.samples.frame.iter_rows(named=True)}
    assert dtypes == {"bit.png": "uint8", "la.png": "uint8", "rgba.png": "uint8", "rgb16.png": "uint16"}
    filled(scanned)
    fitted = scaling_for(scanned.samples).fit(scanned.samples, ArrayStore.open(tmp_path / "store"))
    assert fitted.types == {"uint8": (0, 255), "uint16": (77, 65524)}


@pytest.mark.parametrize(("name", "cause"), [("nan_in_srow", "not finite"), ("dim_32767", "its header states")])
def test_one_damaged_volume_beside_a_good_one(cases: Path, filled: Filled, name: str, cause: str) -> None:
    scanned = MedicalReader().scan(cases / "damaged" / name)
    assert {file: cause in text for file, text in problems(scanned).items()} == {"a.nii": True}
    assert {Path(path).name for path in scanned.samples.frame["path"]} == {"good.nii.gz"}
    filled(scanned)


@pytest.mark.parametrize("case", ["c35_mr_and_png", "c39_one_16bit_rgb"])
def test_mixed_folders_train(cases: Path, tmp_path: Path, case: str) -> None:
    from ssl_domains.cli.app import run as command

    table, folder = tmp_path / "samples.parquet", tmp_path / "run"
    settings = ("encoder.name=small_conv", "train.max_steps=1", "views.size=32", "train.batch_size=4")
    sets = [part for one in settings for part in ("--set", one)]
    assert command(["medical", "scan", str(cases / "medical" / case), "-o", str(table)]) == 0
    assert command(["medical", "pretrain", str(table), "--out", str(folder), *sets]) == 0
    recorded = json.loads((folder / "preprocess.json").read_text(encoding="utf-8"))["scaling"]["types"]
    assert np.isfinite(recorded["uint16"]).all()
