"""What names of NIfTI files say: patients, sessions, channels of a case, and masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import IdentifierKey, ScanResult, group_split, join_columns
from ssl_domains_medical.nifti import naming
from ssl_domains_medical.nifti.naming import channels_of_cases, mask_word, masks_beside_images, subjects_of
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
SHAPE = (3, 4, 5)


def paths(*names: str) -> list[PurePosixPath]:
    return [PurePosixPath(f"{name}.nii.gz") for name in names]


def patients(*names: str) -> list[str]:
    return [subject.patient for subject in subjects_of(paths(*names), {})]


def masks(*names: str) -> set[str]:
    files = paths(*names)
    return {names[at] for at in masks_beside_images(files, [PurePosixPath(name).name for name in names])}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sub-01/anat/sub-01_T1w", "sub-01/ses-2/dwi/sub-01_ses-2_dwi"], ["sub-01", "sub-01"]),
        (["BraTS_001_t1", "BraTS_001_flair", "BraTS_002_t1"], ["BraTS_001", "BraTS_001", "BraTS_002"]),
        (["IXI002-Guys-0828-T1", "IXI002-Guys-0828-PD"], ["IXI002-Guys-0828"] * 2),
        (["patient001_frame01", "patient001_frame12", "patient001_4d"], ["patient001"] * 3),
        (["p1/t1", "p1/flair", "p2/t1"], ["p1", "p1", "p2"]),
        (["p1/anat/t1", "p2/anat/t1"], ["p1", "p2"]),
        (["p1/head", "p2/head", "p3/head"], ["p1", "p2", "p3"]),
        (["t1/case1", "t1/case2", "t1/case3", "t2/case1", "t2/case2", "t2/case3"], ["case1", "case2", "case3"] * 2),
        (["hippocampus_001", "hippocampus_002"], ["hippocampus_001", "hippocampus_002"]),
        (["t1", "bold"], ["t1", "bold"]),
    ],
)
def test_the_patient_is_the_leading_case_name(names: list[str], expected: list[str]) -> None:
    assert patients(*names) == expected


def test_a_session_belongs_to_its_subject() -> None:
    names = ("sub-01/ses-1/anat/sub-01_ses-1_T1w", "sub-02/ses-1/anat/sub-02_ses-1_T1w", "sub-03_T1w")
    made = subjects_of(paths(*names), {})
    assert [subject.session for subject in made] == ["sub-01_ses-1", "sub-02_ses-1", None]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a_seg"], {"a_seg"}),
        (["a", "a-label"], {"a-label"}),
        (["a", "a_mask", "a_mask_1"], {"a_mask", "a_mask_1"}),
        (["BraTS_001_t1", "BraTS_001_seg", "BraTS_002_seg"], {"BraTS_001_seg"}),
        (["patient001_frame01", "patient001_frame01_gt"], {"patient001_frame01_gt"}),
        (["p1/t1", "p1/seg", "p2/seg"], {"p1/seg"}),
        (
            [
                "sub-01/anat/sub-01_T1w",
                "derivatives/m/sub-01/anat/sub-01_desc-brain_mask",
                "sub-02/sub-02_dseg",
            ],
            {"derivatives/m/sub-01/anat/sub-01_desc-brain_mask"},
        ),
        (["a_seg", "b_seg"], set()),
        (["ab", "a_seg"], set()),
        (["a", "b_mask", "masked"], set()),
    ],
)
def test_a_mask_has_its_image_beside_it(names: list[str], expected: set[str]) -> None:
    assert masks(*names) == expected


def test_words_of_masks_are_whole_words() -> None:
    assert mask_word("a_seg") == ("a", "seg")
    assert mask_word("a_SEG-2") == ("a", "SEG")
    assert mask_word("seg") == ("", "seg")
    assert mask_word("reseg") is None
    assert mask_word("a_seg_t1") is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["imagesTr/a_0000", "imagesTr/a_0001"], {"a": ["0000", "0001"]}),
        (["x/a_0000", "x/a_0001", "x/b_0000", "x/b_0001"], {"a": ["0000", "0001"], "b": ["0000", "0001"]}),
        (["case_0000", "case_0001"], {"case": ["0000", "0001"]}),
        ([f"scan_{number:04d}" for number in range(12)], {}),
        ([f"scan_{number:04d}" for number in range(100)], {}),
        (["scan_0001", "scan_0002"], {}),
        (["a_0000", "b_0000", "c_0000"], {}),
        (["imagesTr/a_0000", "imagesTr/b_0000"], {"a": ["0000"], "b": ["0000"]}),
    ],
)
def test_channels_need_evidence(names: list[str], expected: dict[str, list[str]]) -> None:
    assert {case.case: list(case.numbers) for case in channels_of_cases(paths(*names))} == expected


def test_channels_of_a_case_are_one_sample(write_nifti: Write, scan: Scan, reader: MedicalReader) -> None:
    volumes = {}
    for case in range(3):
        for channel in range(2):
            volumes[case, channel] = np.random.default_rng(2 * case + channel).integers(0, 900, SHAPE).astype(np.int16)
            write_nifti(f"imagesTr/case_{case:03d}_{channel:04d}.nii.gz", volumes[case, channel])
        write_nifti(f"labelsTr/case_{case:03d}.nii.gz", np.zeros(SHAPE, np.uint8))
    result = scan(axis="0")
    frame = result.samples.frame
    assert len(frame) == 3 * SHAPE[0]
    assert frame["channels"].unique().to_list() == [2]
    assert frame["patient"].n_unique() == frame["volume"].n_unique() == 3
    assert any("3 cases of 2 channels" in note for note in result.notes)
    row = frame.filter(pl.col("path").str.contains("case_001")).row(2, named=True)
    assert np.array_equal(reader.load(row), np.stack([volumes[1, 0][2], volumes[1, 1][2]], axis=-1))
    assert group_split(result.samples, "patient", test=0.4, seed=0).frame["split"].n_unique() == 2
    labelled = join_columns(result.samples, pl.DataFrame({"volume": ["case_001"], "age": [61]}), "volume")
    assert labelled.frame["age"].count() == SHAPE[0]


def test_channels_of_other_geometry_are_volumes_of_one_patient(write_nifti: Write, scan: Scan) -> None:
    write_nifti("imagesTr/a_0000.nii.gz", np.zeros(SHAPE, np.int16))
    write_nifti("imagesTr/a_0001.nii.gz", np.zeros((6, 4, 5), np.int16))
    result = scan(axis="0")
    assert result.samples.frame["channels"].unique().to_list() == [1]
    assert result.samples.frame["volume"].n_unique() == 2
    assert result.samples.frame["patient"].n_unique() == 1
    assert any("different shape or place" in note for note in result.notes)


def test_a_case_without_one_of_its_channels_is_a_problem(write_nifti: Write, scan: Scan) -> None:
    for name in ("a_0000", "a_0001", "b_0000", "b_0001", "c_0000"):
        write_nifti(f"imagesTr/{name}.nii.gz", np.zeros(SHAPE, np.int16))
    broken = write_nifti("imagesTr/d_0001.nii.gz", np.zeros(SHAPE, np.int16))
    broken.write_bytes(b"")
    write_nifti("imagesTr/d_0000.nii.gz", np.zeros(SHAPE, np.int16))
    result = scan()
    assert result.samples.frame["patient"].n_unique() == 2
    causes = {Path(path).name: cause for path, cause in result.problems.iter_rows()}
    assert set(causes) == {"c_0000.nii.gz", "d_0000.nii.gz", "d_0001.nii.gz"}
    assert "channel 0001" in causes["c_0000.nii.gz"]


def test_stacked_types_hold_both(write_nifti: Write, scan: Scan, reader: MedicalReader) -> None:
    write_nifti("imagesTr/a_0000.nii.gz", np.full(SHAPE, -5, np.int16))
    write_nifti("imagesTr/a_0001.nii.gz", np.full(SHAPE, 0.5, np.float32))
    row = scan().samples.frame.row(0, named=True)
    assert row["dtype"] == "float32"
    assert np.unique(reader.load(row)).tolist() == [-5.0, 0.5]
    assert reader.load(row).dtype == np.float32


def test_identifiers_of_bids_are_hashed(write_nifti: Write, scan: Scan, tmp_path: Path) -> None:
    for subject in ("01", "02"):
        for session in ("1", "2"):
            write_nifti(f"sub-{subject}/ses-{session}/anat/sub-{subject}_ses-{session}_T1w.nii.gz", np.zeros(SHAPE))
    samples = scan().samples
    assert samples.frame["patient"].n_unique() == 2
    assert samples.frame["session"].n_unique() == 4
    assert {"patient", "session"} <= set(samples.meta.identifiers)
    digest = IdentifierKey.load().digest
    assert set(samples.frame["patient"]) == {digest("sub-01"), digest("sub-02")}
    text = samples.frame.drop("path").write_csv()
    assert "sub-" not in text
    assert "ses-" not in text


def test_a_folder_of_masks_is_left_out_at_any_depth(write_nifti: Write, scan: Scan) -> None:
    for task in ("Task01", "Task02"):
        write_nifti(f"{task}/imagesTr/a.nii.gz", np.zeros(SHAPE))
        write_nifti(f"{task}/labelsTr/a.nii.gz", np.zeros(SHAPE))
    result = scan()
    assert {Path(path).parent.name for path in result.samples.frame["path"]} == {"imagesTr"}
    assert any("labelsTr/ beside imagesTr/ was left out" in note for note in result.notes)


def test_masks_beside_images_are_passed_over_aloud(write_nifti: Write, scan: Scan) -> None:
    for name in ("SECRET_1", "SECRET_1_seg", "SECRET_2", "SECRET_2_mask"):
        write_nifti(f"{name}.nii.gz", np.zeros(SHAPE))
    result = scan()
    assert result.samples.frame["volume"].n_unique() == 2
    (note,) = [note for note in result.notes if "masks" in note]
    assert "1 *mask, 1 *seg" in note
    assert "SECRET" not in "".join(result.notes)


@pytest.mark.parametrize("names", [10, 40])
def test_names_are_read_a_fixed_number_of_times(monkeypatch: pytest.MonkeyPatch, names: int) -> None:
    """100,000 names must not take more than ten times the work of 10,000: the calls for one name are counted."""
    calls = []
    real = naming.stem_of

    def counted(path: Any) -> str:
        calls.append(path)
        return real(path)

    monkeypatch.setattr(naming, "stem_of", counted)
    files = paths(*(f"s{number}/case{number}_t1" for number in range(names)))
    channels_of_cases(files)
    subjects_of(files, {})
    assert len(calls) <= 4 * names


@pytest.mark.parametrize("folder", ["segmentations", "Masks", "label", "seg"])
def test_a_folder_of_masks_in_the_folder_of_an_image_holds_no_samples(
    write_nifti: Callable[..., Path], scan: Callable[..., ScanResult], folder: str
) -> None:
    # TotalSegmentator: one mask an organ, named as the organ
    for case in ("s0001", "s0002"):
        write_nifti(f"{case}/ct.nii.gz", np.ones((3, 4, 5), np.int16))
        for organ in ("liver", "spleen"):
            write_nifti(f"{case}/{folder}/{organ}.nii.gz", np.ones((3, 4, 5), np.uint8))
    result = scan()
    frame = result.samples.frame
    assert {Path(path).name for path in frame["path"]} == {"ct.nii.gz"}
    assert frame["patient"].n_unique() == 2
    assert any(f"{folder}/ beside images was left out" in note for note in result.notes)


def test_a_folder_of_segmentations_that_is_scanned_itself_is_read(
    write_nifti: Callable[..., Path], scan: Callable[..., ScanResult]
) -> None:
    write_nifti("segmentations/liver.nii.gz", np.ones((3, 4, 5), np.uint8))
    assert len(scan().samples) == 4
