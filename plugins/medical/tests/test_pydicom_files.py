"""pydicom's own test files: real devices, real faults, and compressed pictures with uncompressed twins.

Nothing is downloaded: only what is inside the package is read.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest

from ssl_domains.samples import ReadError, ScanResult
from ssl_domains_medical.dicom.frames import number, numbers, text
from ssl_domains_medical.dicom.header.headers import ALLOWED, read_header, value_of
from ssl_domains_medical.dicom.header.values import Values
from ssl_domains_medical.dicom.pixels import decode_frames
from ssl_domains_medical.reader import MedicalReader

# Every file here that a free decoder reads and whose original is here too, compressed ones first. Where the original is
# RGB, RLE stands for the uncompressed twin: it is lossless, and pydicom ships no plain file of that picture.
LOSSLESS = [
    ("MR_small_RLE.dcm", "MR_small.dcm"),
    ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
    ("rtdose_rle.dcm", "rtdose.dcm"),
    ("rtdose_rle_1frame.dcm", "rtdose_1frame.dcm"),
    ("MR_small_bigendian.dcm", "MR_small.dcm"),
    ("MR_small_expb.dcm", "MR_small.dcm"),
    ("MR_small_implicit.dcm", "MR_small.dcm"),
    ("MR_small_padded.dcm", "MR_small.dcm"),
    ("rtdose_expb.dcm", "rtdose.dcm"),
    ("rtdose_expb_1frame.dcm", "rtdose_1frame.dcm"),
    ("liver_expb_1frame.dcm", "liver_1frame.dcm"),
    ("SC_rgb_small_odd_big_endian.dcm", "SC_rgb_small_odd.dcm"),
]
LOSSY = [
    ("SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_rle.dcm"),  # JPEG, RGB
    ("SC_rgb_gdcm_KY.dcm", "SC_rgb_rle.dcm"),  # JPEG 2000, irreversible
    ("SC_rgb_dcmtk_+eb+cy+n2.dcm", "SC_ybr_full_422_uncompressed.dcm"),  # JPEG, chroma halved in both
    ("SC_jpeg_no_color_transform.dcm", "SC_rgb_jpeg_dcmd.dcm"),  # JPEG, RGB without a marker that says so
]


@pytest.fixture(scope="module")
def dicomdirtests(pydicom_files: Path) -> ScanResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        return MedicalReader().scan(pydicom_files / "dicomdirtests")


@pytest.fixture(scope="module")
def everything(pydicom_files: Path) -> ScanResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        return MedicalReader().scan(pydicom_files)


def test_31_images_of_2_patients(dicomdirtests: ScanResult) -> None:
    assert len(dicomdirtests.samples) == 31
    assert dicomdirtests.samples.frame["patient"].drop_nulls().n_unique() == 2
    assert dicomdirtests.samples.frame["patient"].null_count() == 0


def test_50_files_without_pixels_are_problems_with_their_cause(dicomdirtests: ScanResult) -> None:
    assert len(dicomdirtests.problems) == 50
    assert dicomdirtests.problems["cause"].unique().to_list() == ["no pixel data (CT Image Storage)"]
    assert dicomdirtests.problems["path"].str.contains("TINY_ALPHA").all()


def test_8_dicomdirs_are_recognised(dicomdirtests: ScanResult) -> None:
    assert "8 DICOMDIR files recognised: an index of the medium, not an image" in dicomdirtests.notes


def test_what_is_no_dicom_is_passed_over_by_kind(dicomdirtests: ScanResult) -> None:
    assert "passed over as no image of a known kind: 1 .txt, 1 without suffix" in dicomdirtests.notes


def test_slices_follow_their_positions(dicomdirtests: ScanResult) -> None:
    frame = dicomdirtests.samples.frame
    for volume in frame.partition_by("volume"):
        assert volume["position_mm"].drop_nulls().is_sorted()
    tilted = frame.filter(pl.col("path").str.contains("CT5N"))
    assert tilted["volume"].n_unique() == 1  # two acquisitions, one after the other along the table
    assert tilted["spacing_mm"].to_list() == pytest.approx([2.5] * 5, abs=0.001)
    assert frame["localizer"].sum() == 2


def test_shared_uids_are_reported(everything: ScanResult) -> None:
    assert "7 SOPInstanceUIDs are shared by 23 files: copies, or UIDs that aren't unique" in everything.notes


def test_objects_that_are_no_images_are_counted_by_kind(everything: ScanResult) -> None:
    (note,) = (note for note in everything.notes if note.startswith("not taken"))
    for kind in ("7 RT Dose", "1 RT Structure Set", "2 Segmentation", "1 12-lead ECG Waveform", "1 Comprehensive SR"):
        assert kind in note


def test_every_header_reads_as_pydicom_reads_it(pydicom_files: Path) -> None:
    """The own reader of elements against pydicom, element by element."""
    compared = 0
    for path in sorted(pydicom_files.rglob("*")):
        try:
            header = read_header(path)
        except (ReadError, OSError):
            continue
        if not isinstance(header.dataset, Values):
            continue
        other = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(ALLOWED), force=True)
        for name in ALLOWED:
            expected, value = value_of(other, name), header.get(name)
            if str(name).startswith("PixelPadding") and expected is not None:
                assert value % 65536 == expected % 65536  # the same 16 bits, signed or not
            elif numbers(expected) is not None or number(expected) is not None:
                assert (numbers(value) or number(value)) == (numbers(expected) or number(expected)), (path, name)
            elif not isinstance(expected, pydicom.Sequence):
                assert _words(value) == _words(expected), (path, name)
            compared += value is not None
    assert compared > 2000


def _words(value: Any) -> list[str]:
    return [word.strip() for word in (text(value) or "").split("\\")]


def test_every_file_is_a_sample_a_problem_or_counted(everything: ScanResult, pydicom_files: Path) -> None:
    files = {str(path) for path in pydicom_files.rglob("*") if path.is_file()}
    told = set(everything.samples.frame["path"]) | set(everything.problems["path"])
    assert told < files
    dicomdirs = {path for path in files - told if Path(path).name.startswith("DICOMDIR")}
    assert len(dicomdirs) == 8
    passed_over = [note for note in everything.notes if note.startswith(("passed over", "not taken"))]
    counts = [
        int(word) for note in passed_over for word in note.split(": ")[1].replace(",", "").split() if word.isdigit()
    ]
    assert len(files - told - dicomdirs) == sum(counts)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("MR_truncated.dcm", "truncated: the last 62 bytes of the pixel data are missing"),
        ("meta_missing_tsyntax.dcm", "no transfer syntax: the header doesn't say how the pixels are encoded"),
        ("nested_priv_SQ.dcm", "the header lacks Rows, which decoding needs"),
        ("MR_small_RLE.dcm", "a copy of another file: same SOPInstanceUID, same header"),
    ],
)
def test_causes(everything: ScanResult, name: str, cause: str) -> None:
    rows = everything.problems.filter(pl.col("path").str.ends_with("/" + name))
    assert rows["cause"].to_list() == [cause]


def test_syntaxes_without_a_free_decoder_say_how_to_get_one(everything: ScanResult) -> None:
    if importlib.util.find_spec("libjpeg") is not None:
        pytest.skip("the extra gpl-jpeg is installed, so there is a decoder")
    causes = everything.problems.filter(pl.col("path").str.contains("jpeg_ls|JPEGLS|_jls_"))["cause"]
    assert len(causes) == 5
    assert all("no decoder for JPEG-LS" in cause and "gpl-jpeg" in cause for cause in causes)


def test_samples_decode_to_the_shape_their_row_says(everything: ScanResult) -> None:
    known = {"JPEG2000-embedded-sequence-delimiter.dcm"}  # damaged
    failed = set()
    for row in everything.samples.frame.iter_rows(named=True):
        try:
            array = MedicalReader().load(row)
        except Exception:  # named below
            failed.add(Path(row["path"]).name)
            continue
        assert array.shape == (row["rows"], row["columns"], row["channels"]), row["path"]
        assert array.dtype == row["dtype"], row["path"]
    assert failed <= known


@pytest.mark.parametrize(("compressed", "plain"), LOSSLESS)
def test_a_lossless_file_equals_its_twin(pydicom_files: Path, compressed: str, plain: str) -> None:
    first, second = frames(pydicom_files / compressed), frames(pydicom_files / plain)
    assert first.dtype == second.dtype
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("compressed", "plain"), LOSSY)
def test_a_lossy_file_is_within_two_levels_of_its_twin(pydicom_files: Path, compressed: str, plain: str) -> None:
    difference = frames(pydicom_files / compressed).astype(int) - frames(pydicom_files / plain)
    assert np.abs(difference).max() <= 2


def test_the_one_lossy_twin_that_compression_itself_changed_more(pydicom_files: Path) -> None:
    # 3×3 pixels of saturated colour: the encoder lost up to 4 levels. OpenCV's own JPEG decoder finds the same values.
    import cv2
    from pydicom.encaps import generate_frames

    path = pydicom_files / "SC_rgb_small_odd_jpeg.dcm"
    ours = frames(path)[0]
    assert np.abs(ours.astype(int) - frames(pydicom_files / "SC_rgb_small_odd.dcm")[0]).max() == 4
    stream = next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))
    other = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.abs(ours.astype(int) - other).max() <= 2


def test_a_deflated_file_and_one_that_misdeclares_its_encoding_decode(pydicom_files: Path) -> None:
    assert frames(pydicom_files / "image_dfl.dcm").shape == (1, 512, 512, 1)
    misdeclared, plain = frames(pydicom_files / "SC_rgb_jpeg.dcm"), frames(pydicom_files / "SC_rgb_jpeg_dcmd.dcm")
    assert np.array_equal(misdeclared, plain)


def test_a_palette_becomes_rgb(pydicom_files: Path) -> None:
    assert frames(pydicom_files / "examples_palette.dcm").shape == (1, 350, 800, 3)


def frames(path: Path) -> np.ndarray[Any, Any]:
    count = int(pydicom.dcmread(path, stop_before_pixels=True).get("NumberOfFrames") or 1)
    return np.stack(decode_frames(str(path), range(count)))
