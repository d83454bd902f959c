"""What a NIfTI header states, and files whose header and contents disagree."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from ssl_domains.samples import ReadError, ScanResult
from ssl_domains.stores import ArrayStore
from ssl_domains_medical.nifti import volumes
from ssl_domains_medical.nifti.header import read_header
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
SHAPE = (3, 4, 5)
RNG = np.random.default_rng(0)


def patched(path: Path, at: int, form: str, *values: Any) -> Path:
    """Overwrite header values of a file, compressed or not."""
    compressed = path.name.endswith(".gz")
    data = bytearray(gzip.decompress(path.read_bytes()) if compressed else path.read_bytes())
    struct.pack_into("<" + form, data, at, *values)
    path.write_bytes(gzip.compress(bytes(data)) if compressed else bytes(data))
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("at", "form", "values", "cause"),
    [
        (280, "f", (float("nan"),), "affine"),
        (42, "h", (32767,), "header states"),
        (42, "h", (0,), ""),
        (42, "h", (-3,), ""),
        (40, "h", (99,), ""),
        (70, "h", (1234,), ""),
        (70, "h", (32,), "complex"),
        (108, "f", (1e7,), "header states"),
        (108, "f", (1e9,), "voxels begin at byte"),
        (108, "f", (float("nan"),), "voxels begin at byte"),
        (0, "i", (7,), "no NIfTI header"),
    ],
)
def test_a_damaged_header_is_a_problem_and_the_next_file_is_read(
    write_nifti: Write, scan: Scan, suffix: str, at: int, form: str, values: tuple[Any, ...], cause: str
) -> None:
    patched(write_nifti(f"a{suffix}", np.zeros(SHAPE, np.float32)), at, form, *values)
    good = write_nifti("good.nii.gz", np.zeros(SHAPE, np.float32))
    result = scan()
    assert result.samples.frame["path"].unique().to_list() == [str(good)]
    (row,) = result.problems.iter_rows()
    assert Path(row[0]).name == f"a{suffix}"
    assert cause in row[1]
    assert str(good.parent) not in row[1]


def test_voxel_sizes_of_zero_or_nan_give_a_problem_or_a_finite_place(write_nifti: Write, scan: Scan) -> None:
    for number, size in enumerate((0.0, float("nan"), -1.0)):
        path = write_nifti(f"a{number}.nii", np.zeros(SHAPE, np.int16))
        patched(path, 80, "fff", size, size, size)
        patched(path, 252, "hh", 1, 0)  # the affine comes from the voxel sizes
    result = scan()
    assert len(result.problems) + result.samples.frame["volume"].n_unique() == 3
    assert result.samples.frame.select("position_mm", "spacing_mm", "pixel_spacing_mm").to_numpy().dtype.kind == "f"
    assert np.isfinite(result.samples.frame.select("position_mm", "spacing_mm", "pixel_spacing_mm").to_numpy()).all()


@pytest.mark.parametrize("cut", [30, 200, 4000])
def test_a_truncated_compressed_file_is_a_problem_at_scan(write_nifti: Write, scan: Scan, cut: int) -> None:
    path = write_nifti("a.nii.gz", RNG.normal(size=(20, 20, 20)))
    path.write_bytes(path.read_bytes()[:-cut])
    write_nifti("good.nii.gz", np.zeros(SHAPE))
    result = scan()
    assert [Path(row).name for row in result.problems["path"]] == ["a.nii.gz"]
    assert "cut short" in result.problems["cause"][0]


def test_a_compressed_file_of_several_parts_is_read(write_nifti: Write, scan: Scan, reader: MedicalReader) -> None:
    voxels = RNG.integers(0, 99, SHAPE).astype(np.int16)
    path = write_nifti("a.nii.gz", voxels)
    whole = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(whole[:400]) + gzip.compress(whole[400:]))
    result = scan(axis="0")
    assert len(result.problems) == 0
    assert np.array_equal(reader.load(result.samples.frame.row(1, named=True))[:, :, 0], voxels[1])


def test_a_header_that_states_too_much_is_refused_before_memory_is_asked_for(
    write_nifti: Write, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.000001")
    write_nifti("a.nii.gz", np.zeros((10, 10, 10)))
    assert "more than the limit" in scan().problems["cause"][0]


def test_a_file_of_countless_slices_is_refused(write_nifti: Write, scan: Scan) -> None:
    write_nifti("a.nii.gz", np.zeros((1, 1100, 1, 1000), np.uint8))
    result = scan()
    assert len(result.samples) == 0
    assert "more than one file may hold" in result.problems["cause"][0]


def test_a_damaged_file_is_expanded_once(
    write_nifti: Write, scan: Scan, reader: MedicalReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_nifti("a.nii.gz", RNG.normal(size=(9, 9, 9)))
    samples = scan().samples
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    opened = []
    real = volumes.voxels_of
    monkeypatch.setattr(volumes, "voxels_of", lambda image: opened.append(1) or real(image))
    store = ArrayStore.fill(tmp_path / "store", samples, reader)
    assert not store.of(samples).decoded.any()
    assert len(store.of(samples).causes()) == 9
    assert len(opened) == 1


def test_each_time_point_is_a_sample(write_nifti: Write, scan: Scan, reader: MedicalReader) -> None:
    voxels = RNG.integers(0, 900, (3, 4, 5, 2)).astype(np.int16)
    write_nifti("series.nii.gz", voxels)
    write_nifti("long.nii.gz", np.zeros((3, 4, 5, 40), np.float32))
    write_nifti("vectors.nii.gz", np.zeros((3, 4, 5, 1, 3), np.float32))
    result = scan(axis="2")
    frame = result.samples.frame
    assert len(frame) == 5 * 2 + 5 * 40
    assert frame["channels"].unique().to_list() == [1]
    assert frame["sample"].n_unique() == len(frame)
    assert frame["volume"].n_unique() == 42
    assert frame["series"].n_unique() == 2
    assert sorted(frame["time"].unique()) == list(range(40))
    assert [Path(path).name for path in result.problems["path"]] == ["vectors.nii.gz"]
    rows = [row for row in frame.iter_rows(named=True) if row["path"].endswith("series.nii.gz")]
    for row, array in zip(rows, reader.load_file(rows[0]["path"], rows), strict=True):
        assert np.array_equal(array[:, :, 0], voxels[:, :, row["slice"], row["time"]])


@pytest.mark.parametrize(("names", "size"), [("RGB", 3), ("RGBA", 4)])
def test_colours_are_read_as_colour(tmp_path: Path, scan: Scan, reader: MedicalReader, names: str, size: int) -> None:
    pixels = RNG.integers(0, 255, (*SHAPE, size), dtype=np.uint8)
    stored = np.ascontiguousarray(pixels).view([(name, "u1") for name in names])[..., 0]
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), tmp_path / "a.nii.gz")
    row = scan(axis="0").samples.frame.row(1, named=True)
    assert (row["channels"], row["dtype"], row["scaled_by"]) == (3, "uint8", "type")
    assert np.array_equal(reader.load(row), pixels[1, :, :, :3])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("slope", [None, 0.5])
def test_the_table_says_the_type_of_the_array(
    tmp_path: Path, scan: Scan, reader: MedicalReader, dtype: str, slope: float | None
) -> None:
    image = nibabel.Nifti1Image(np.ones(SHAPE, dtype), np.eye(4))
    image.header.set_data_dtype(dtype)
    if slope is not None:
        image.header.set_slope_inter(slope, 1.0)
    nibabel.save(image, tmp_path / "a.nii")
    row = scan().samples.frame.row(0, named=True)
    assert str(reader.load(row).dtype) == row["dtype"]


@pytest.mark.parametrize(("shape", "expected"), [((6, 4), (4, 6)), ((6, 4, 1), (4, 6)), ((1, 6, 4), (4, 6))])
def test_a_flat_volume_is_one_picture(
    write_nifti: Write, scan: Scan, reader: MedicalReader, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    write_nifti("a.nii", np.arange(24, dtype=np.int16).reshape(shape))
    frame = scan().samples.frame
    assert len(frame) == 1
    assert (frame["rows"][0], frame["columns"][0]) == expected
    assert reader.load(frame.row(0, named=True)).shape == (*expected, 1)


def test_a_file_that_is_no_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"x" * 400)
    with pytest.raises((ReadError, OSError)):
        read_header(tmp_path / "a.nii.gz")


def test_a_name_that_is_wrong_about_compression_is_said(tmp_path: Path, scan: Callable[..., ScanResult]) -> None:
    import gzip

    plain = tmp_path / "plain.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((3, 4, 5), np.int16), np.eye(4)), tmp_path / "good.nii")
    content = (tmp_path / "good.nii").read_bytes()
    plain.write_bytes(content)
    (tmp_path / "packed.nii").write_bytes(gzip.compress(content))
    causes = {Path(path).name: cause for path, cause in scan().problems.select("path", "cause").iter_rows()}
    assert causes == {
        "plain.nii.gz": "its name says that it is compressed (.gz), and its content is not",
        "packed.nii": "it is compressed, and its name doesn't say so: name it .nii.gz",
    }
