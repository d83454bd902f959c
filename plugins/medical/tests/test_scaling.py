"""Which window each row has, in folders of one kind and in mixed ones, and what a joined table can't change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.samples import SampleTable, ScanResult, join_columns
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, FittedScaling, ImagePreprocess, InputDataset
from ssl_domains_medical.reader import MedicalReader
from ssl_domains_medical.scaled_by import scaled_by
from ssl_domains_medical.scaling import CT_WINDOW, scaling_for

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


def kinds(**columns: list[object]) -> list[str]:
    rows = len(columns["reader"])
    return scaled_by(pl.DataFrame({"channels": [1] * rows, **columns}))["scaled_by"].to_list()


def test_the_kind_of_each_row() -> None:
    made = kinds(
        reader=["dicom", "dicom", "dicom", "image", "nifti", "dicom"],
        modality=["CT", "MR", "OPT", None, None, "MR"],
        dtype=["int16", "uint16", "uint8", "uint16", "uint8", "uint8"],
    )
    assert made == ["hounsfield", "volume", "type", "type", "type", "volume"]


def test_a_joined_modality_of_pictures_says_nothing() -> None:
    assert kinds(reader=["image"] * 2, dtype=["uint8"] * 2, modality=["CT", "CT"]) == ["type", "type"]


def test_tables_of_one_kind_are_scaled_as_before() -> None:
    table = SampleTable.of(pl.DataFrame({"scaled_by": ["hounsfield"] * 2}))
    scaling = scaling_for(table)
    assert (scaling.scope, scaling.lo, scaling.hi, scaling.column) == ("fixed", *CT_WINDOW, None)
    assert scaling_for(table.with_columns(scaled_by=["type"] * 2)).lo is None
    assert scaling_for(table.with_columns(scaled_by=["volume"] * 2)).column is None


def fitted(samples: SampleTable, folder: Path) -> tuple[FittedScaling, ArrayStore]:
    store = ArrayStore.fill(folder, samples, MedicalReader())
    assert store.of(samples).decoded.all(), store.of(samples).causes()
    return scaling_for(samples).fit(samples, store), store


def test_ct_mr_and_pictures_in_one_folder(write_dicom: Write, tmp_path: Path, scan: Scan) -> None:
    write_dicom("ct.dcm", np.array([[-1000, 0, 1000]], np.int16), SeriesInstanceUID="1.1")
    write_dicom(
        "mr.dcm", np.array([[10, 20, 30]], np.uint16), SeriesInstanceUID="1.2", Modality="MR", PatientID="other"
    )
    Image.fromarray(np.array([[0, 600, 1200]], np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.array([[0, 51, 255]], np.uint8)).save(tmp_path / "shallow.png")
    samples = scan().samples
    scaling, store = fitted(samples, tmp_path / "store")
    assert scaling.types == {"uint16": (0, 1200), "uint8": (0, 255)}
    groups, arrays = scaling.groups(samples), store.of(samples)
    scaled = {}
    for row, path in enumerate(samples.frame["path"]):
        made = scaling.apply(np.asarray(arrays[row]), groups[row])
        scaled[Path(path).name] = (made.ravel() / (255 if made.dtype == np.uint8 else 1)).tolist()
    assert scaled["ct.dcm"] == pytest.approx([0, 0.5, 1])
    assert scaled["mr.dcm"] == pytest.approx([0, 0.5, 1], abs=0.01)
    assert scaled["deep.png"] == pytest.approx([0, 0.5, 1])
    assert scaled["shallow.png"] == pytest.approx([0, 0.2, 1])
    preprocess = ImagePreprocess(scaling, Canvas(8, "fit"), 1)
    assert preprocess.columns == ("scaled_by", "volume")
    inputs = InputDataset(samples, store, preprocess).__getitems__(range(4))["input"].unit()
    assert bool(inputs.values.isfinite().all())
    assert 0.9 < float(inputs.values.max()) <= 1


def test_a_joined_modality_changes_no_window(tmp_path: Path, scan: Scan) -> None:
    for number in range(3):
        Image.fromarray(np.full((2, 2), 80 * number, np.uint8)).save(tmp_path / f"p{number}.png")
    samples = scan().samples
    table = pl.DataFrame({"file": [f"p{number}.png" for number in range(3)], "modality": ["CT"] * 3})
    joined = join_columns(samples, table, "file")
    assert joined.frame["modality"].to_list() == ["CT"] * 3
    assert scaling_for(joined) == scaling_for(samples)
    lost = SampleTable.of(joined.frame)  # edited by another program: without metadata
    assert scaling_for(lost) == scaling_for(samples)
    assert scaling_for(SampleTable.of(joined.frame.drop("scaled_by"))) == scaling_for(samples)


def test_one_deep_picture_among_many_is_scaled_by_its_own_type(tmp_path: Path, scan: Scan) -> None:
    for number in range(5):
        Image.fromarray(np.full((2, 3, 3), 10 * number, np.uint8)).save(tmp_path / f"p{number}.png")
    deep = np.arange(18, dtype=np.uint16).reshape(2, 3, 3) * 100
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    samples = scan().samples
    scaling, store = fitted(samples, tmp_path / "store")
    assert scaling.types == {"uint8": (0, 255), "uint16": (0, 1700)}
    arrays = store.of(samples)
    for row in range(len(samples)):
        assert str(arrays[row].dtype) == samples.frame["dtype"][row]


def test_no_reader_column_that_decoding_reads_can_come_from_a_joined_table(
    write_nifti: Write, write_dicom: Write, tmp_path: Path, scan: Scan
) -> None:
    for name, read in (("nifti", {"reader", "slice", "axis", "frame", "channel_numbers"}), ("dicom", {"frame"})):
        folder = tmp_path / name
        if name == "nifti":
            write_nifti("nifti/a.nii.gz", np.zeros((3, 4, 5)))
        else:
            write_dicom("dicom/a.dcm")
        columns = set(MedicalReader().scan(folder).samples.columns)
        assert read | {"reader", "scaled_by", "dtype"} <= columns
