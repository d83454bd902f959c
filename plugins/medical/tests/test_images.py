"""Folders of pictures, and formats side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.samples import ReadError, ScanResult, join_columns
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


KINDS = [(suffix, "uint8", channels) for suffix in (".png", ".tif", ".tiff", ".bmp") for channels in (1, 3)]
DEEP = [(suffix, "uint16", 1) for suffix in (".png", ".tif", ".tiff")]


@pytest.mark.parametrize(("suffix", "dtype", "channels"), KINDS + DEEP)
def test_pictures_keep_their_type(
    tmp_path: Path, scan: Scan, reader: MedicalReader, suffix: str, dtype: str, channels: int
) -> None:
    shape = (4, 6) if channels == 1 else (4, 6, 3)
    pixels = np.arange(np.prod(shape), dtype=dtype).reshape(shape) * (3 if dtype == "uint8" else 900)
    Image.fromarray(pixels.astype(dtype)).save(tmp_path / f"a{suffix}")
    row = scan().samples.frame.row(0, named=True)
    assert (row["rows"], row["columns"], row["channels"], row["dtype"]) == (4, 6, channels, dtype)
    array = reader.load(row)
    assert array.dtype == np.dtype(dtype)
    assert np.array_equal(array.reshape(shape), pixels)


def test_16_bit_colour_is_not_reduced(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 4, 3) * 2000
    cv2.imwrite(str(tmp_path / "a.png"), pixels[:, :, ::-1])
    assert np.array_equal(reader.load(scan().samples.frame.row(0, named=True)), pixels)


def test_transparency_is_dropped(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    pixels = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    assert np.array_equal(reader.load(scan().samples.frame.row(0, named=True)), pixels[:, :, :3])


def test_jpeg(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    Image.fromarray(np.full((8, 8), 100, np.uint8)).save(tmp_path / "a.jpg")
    array = reader.load(scan().samples.frame.row(0, named=True))
    assert array.shape == (8, 8, 1)
    assert np.abs(array.astype(int) - 100).max() <= 1


def test_pages_of_a_tiff_are_slices_of_a_volume(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    pages = [Image.fromarray(np.full((2, 3), 10 * page, np.uint8)) for page in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    frame = scan().samples.frame
    assert frame["slice"].to_list() == [0, 1, 2]
    assert frame["position"].to_list() == [0.0, 0.5, 1.0]
    rows = list(frame.iter_rows(named=True))[::-1]
    assert [int(array[0, 0, 0]) for array in reader.load_file(rows[0]["path"], rows)] == [20, 10, 0]


def test_a_table_joins_by_file_and_no_patient_is_guessed(tmp_path: Path, scan: Scan) -> None:
    for folder in ("patient1", "patient2"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / folder / "a.png")
    samples = scan().samples
    assert "patient" not in samples.columns
    table = pl.DataFrame({"file": ["patient1/a.png", "patient2/a.png"], "patient": ["x", "y"], "cst": [250, 300]})
    assert join_columns(samples, table, "file").frame["cst"].to_list() == [250, 300]


def test_a_damaged_picture_is_a_problem(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    (tmp_path / "a.png").write_bytes(b"not a picture")
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(tmp_path / "b.png")
    data = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(data[:45])
    result = scan()
    assert [Path(path).name for path in result.problems["path"]][:1] == ["a.png"]
    for row in result.samples.frame.iter_rows(named=True):
        with pytest.raises(ReadError, match="can't be decoded"):
            reader.load(row)


def test_formats_mix_in_one_folder(
    tmp_path: Path, write_dicom: Write, write_nifti: Write, scan: Scan, reader: MedicalReader
) -> None:
    write_dicom("a.dcm")
    write_dicom("no_suffix", ImagePositionPatient=[0, 0, 1])
    write_nifti("b.nii.gz", np.zeros((3, 4, 5)))
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "c.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.png").write_text("x")
    result = scan()
    assert dict(result.samples.frame["reader"].value_counts().iter_rows()) == {"dicom": 2, "nifti": 4, "image": 1}
    assert "passed over as no image of a known kind: 1 .txt" in result.notes
    assert len(result.problems) == 0
    for row in result.samples.frame.iter_rows(named=True):
        assert reader.load(row).ndim == 3


def test_a_table_of_paths_made_by_hand_loads(tmp_path: Path, write_dicom: Write, reader: MedicalReader) -> None:
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "c.png")
    assert reader.load({"path": str(tmp_path / "c.png")}).shape == (2, 3, 1)
    assert reader.load({"path": str(write_dicom("a.dcm"))}).shape == (3, 4, 1)


def test_an_empty_folder_gives_an_empty_table(scan: Scan) -> None:
    result: Any = scan()
    assert len(result.samples) == 0
    assert len(result.problems) == 0


def test_one_file_is_a_source(write_dicom: Write, reader: MedicalReader) -> None:
    assert len(reader.scan(write_dicom("a.dcm")).samples) == 1
