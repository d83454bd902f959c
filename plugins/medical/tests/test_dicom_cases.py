"""DICOM as people's archives hold it: the inputs of ``cases/medical`` beside the shared data, with the right values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.audit import audit_split
from ssl_domains.samples import ScanResult, group_split, join_columns, read_frame
from ssl_domains.stores import ArrayStore
from ssl_domains_medical.reader import MedicalReader

pytestmark = pytest.mark.shared_data
Case = Callable[[str], ScanResult]


@pytest.fixture(scope="session")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not (folder / "medical").is_dir():
        pytest.skip(f"there are no cases in {folder}")
    return folder


@pytest.fixture
def case(cases: Path) -> Case:
    return lambda name: MedicalReader().scan(cases / "medical" / name)


def sizes(result: ScanResult) -> list[int]:
    return sorted(result.samples.frame.group_by("volume").len()["len"].to_list())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("c01_dwi_directions", [5] * 6),
        ("c02_same_series_uid", [5] * 2),
        ("c04_trigger_jitter", [6] * 5),
        ("c06_iop_jitter", [8]),
        ("c07_te_jitter", [8]),
        ("c23_enhanced", [5] * 2),
        ("c29_phases", [6] * 2),
    ],
)
def test_volumes(case: Case, name: str, expected: list[int]) -> None:
    result = case(name)
    assert sizes(result) == expected
    assert len(result.problems) == 0
    frame = result.samples.frame
    assert frame["missing_slices"].sum() == frame["same_position"].sum() == 0
    for volume in frame.partition_by("volume"):
        assert volume.sort("slice")["position_mm"].is_sorted()
    if name in ("c06_iop_jitter", "c07_te_jitter"):
        assert frame["spacing_mm"].unique().to_list() == pytest.approx([4.0], abs=0.002)


def test_two_patients_stay_apart(case: Case) -> None:
    frame = case("c02_same_series_uid").samples.frame
    assert frame["patient"].n_unique() == 2
    assert frame.group_by("volume").agg(pl.col("patient").n_unique())["patient"].to_list() == [1, 1]


def test_files_without_preamble_are_read_once(case: Case) -> None:
    result = case("c09_no_meta")
    assert sizes(result) == [3]
    assert result.samples.frame["spacing_mm"].unique().to_list() == [4.0]
    assert any("3 files lack the preamble" in note for note in result.notes)
    # Three files without a suffix hold the same instances.
    assert set(result.problems["cause"]) == {"a copy of another file: same SOPInstanceUID, same header"}
    for row in result.samples.frame.iter_rows(named=True):
        assert MedicalReader().load(row).shape == (16, 16, 1)


def test_a_segmentation_is_passed_over_and_named(case: Case) -> None:
    result = case("c10_seg_beside_mr")
    assert len(result.samples) == 4
    assert "not taken, since they are no images by their kind: 1 Segmentation" in result.notes


def test_ids_in_any_script_are_patients(case: Case) -> None:
    frame = case("c15_nonascii_id").samples.frame
    assert frame["patient"].null_count() == 0
    assert frame["patient"].n_unique() == 5


def test_train_and_test_scanned_apart_share_patients_and_the_audit_finds_them(case: Case) -> None:
    train, test = case("c18_train_test_apart/train").samples, case("c18_train_test_apart/test").samples
    assert set(train.frame["patient"]) == set(test.frame["patient"])
    assert train.frame["patient"].n_unique() == 3
    found = audit_split(group_split(test, "patient"), "split", ["patient"], pretraining=train)
    leaks = [finding for finding in found.leaks if finding.check == "group"]
    assert [(finding.between, finding.found) for finding in leaks] == [("pre-training | test", 1)]
    assert not any("hashed" in note for note in found.notes)
    whole = test.with_columns(split=["test"] * 8 + ["train"])
    found = audit_split(whole, "split", ["patient"], pretraining=train)
    assert max(finding.found for finding in found.leaks if finding.between == "pre-training | test") == 3


REFERENCE = [473, 511, 755, 950, 34, 144]
CAUSES = {
    "nobitsstored": "the header lacks BitsStored, which decoding needs",
    "nophoto": "the header lacks PhotometricInterpretation, which decoding needs",
    "norep": "the header lacks PixelRepresentation, which decoding needs",
    "nospp": "the header lacks SamplesPerPixel, which decoding needs",
    "nof0": "NumberOfFrames is no whole number above 0",
    "slope0": "RescaleSlope is 0, which makes all pixels equal",
}


def test_twenty_encodings(case: Case) -> None:
    result = case("c21_pixels")
    assert {Path(path).stem: cause for path, cause in result.problems.iter_rows()} == CAUSES
    arrays = {}
    for row in result.samples.frame.iter_rows(named=True):
        array = MedicalReader().load(row)
        assert array.dtype == row["dtype"]
        assert array.shape == (16, 16, row["channels"])
        arrays[Path(row["path"]).stem] = array
    assert len(arrays) == 14
    for name in ("badcs", "bigend", "deflate", "ds_comma", "highbit15", "icon", "lut", "ovl"):
        assert arrays[name].dtype == np.uint16, name
        assert arrays[name].ravel()[:6].tolist() == REFERENCE, name
        assert np.array_equal(arrays[name], arrays["bigend"]), name
    assert np.allclose(arrays["float"].ravel()[:6] * 7, REFERENCE, atol=1e-3)
    assert arrays["mono1s"].ravel()[:6].tolist() == [975 - value for value in REFERENCE]
    assert np.array_equal(np.isnan(arrays["pad_impl"]), np.isnan(arrays["pad_us_signed"]))
    assert 0 < np.isnan(arrays["pad_impl"]).mean() <= 1
    assert arrays["palette"].dtype == np.uint16
    assert arrays["palette"][0, 0].tolist() == [40 * 257] * 3
    assert arrays["rgb_planar"][0, 0].tolist() == [40] * 3


def test_what_lacks_samples_per_pixel_is_a_problem_at_scan_and_all_others_decode(case: Case, tmp_path: Path) -> None:
    result = case("c28_undecodable")
    assert set(result.problems["cause"]) == {"the header lacks SamplesPerPixel, which decoding needs"}
    assert len(result.problems) == 4
    store = ArrayStore.fill(tmp_path / "store", result.samples, MedicalReader())
    assert store.of(result.samples).decoded.all()


def test_ids_with_zeros_join_and_others_are_refused(case: Case, cases: Path) -> None:
    samples = case("c26_join_unpadded_some/img").samples
    folder = cases / "medical" / "c26_join_unpadded_some"
    joined = join_columns(samples, read_frame(folder / "clin.csv"), "patient_id").frame
    assert joined["age"].null_count() < len(joined)


def test_the_good_one_beside_a_damaged_rle_file_is_stored(cases: Path, tmp_path: Path) -> None:
    samples = MedicalReader().scan(cases / "damaged" / "rle_rows_differ").samples
    store = ArrayStore.fill(tmp_path / "store", samples, MedicalReader())
    decoded = store.of(samples).decoded
    names = [Path(path).name for path in samples.frame["path"]]
    assert dict(zip(names, decoded.tolist(), strict=True)) == {"a.dcm": False, "good.dcm": True}
