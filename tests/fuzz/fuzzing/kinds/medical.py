"""DICOM, DICOMDIR and NIfTI, each damaged file beside good ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

from fuzzing.kind import READ, Command, Kind, Plan
from fuzzing.kinds.shared import SMALL, texture
from fuzzing.mutations.dicom import DICOM
from fuzzing.mutations.nifti import GZIP, NIFTI
from fuzzing.mutations.raw import RAW

__all__ = ["KINDS"]

SCAN = Command("medical scan in -o out.parquet", READ, "out.parquet")
TRAIN = Command(f"medical pretrain out.parquet --out run --dry-run {SMALL}", READ)
FILLING = (Plan((SCAN,), 4), Plan((SCAN, TRAIN), 1))


def _uid(*words: object) -> str:
    return generate_uid(entropy_srcs=[str(word) for word in words])


def _dicom(path: Path, number: int, syntax: str = ExplicitVRLittleEndian, frames: int = 0, **elements: Any) -> Dataset:
    """Write a CT slice of 12 × 16 pixels, or a multi-frame object, with a patient of its own for each number."""
    stored = (texture(number, 12, 16, 1)[..., 0].astype(np.int16) * 4 - 100).astype(np.int16)
    if frames:
        stored = np.stack([stored + frame for frame in range(frames)])
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax if syntax != RLELossless else ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = EnhancedMRImageStorage if frames else CTImageStorage
    meta.MediaStorageSOPInstanceUID = _uid("instance", number)
    dataset = FileDataset(
        str(path),
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
    )
    values = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyDate": "20200110",
        "StudyTime": "101500",
        "Modality": "MR" if frames else "CT",
        "PatientName": "Doe^Jane",
        "PatientID": f"P-{number}",
        "SliceThickness": "1.5",
        "StudyInstanceUID": _uid("study", number),
        "SeriesInstanceUID": _uid("series", number),
        "StudyID": "1",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "ImagePositionPatient": [0.0, 0.0, float(number)],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 12,
        "Columns": 16,
        "PixelSpacing": [0.5, 0.5],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        **({"NumberOfFrames": frames} if frames else {}),
        **elements,
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = stored.astype(">i2" if syntax == ExplicitVRBigEndian else "<i2").tobytes()
    dataset["PixelData"].VR = "OW"
    if syntax == RLELossless:
        dataset.compress(RLELossless, generate_instance_uid=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return dataset


def _enhanced(path: Path, number: int) -> None:
    groups = []
    for frame in range(3):
        position, orientation = Dataset(), Dataset()
        position.ImagePositionPatient = [0.0, 0.0, 2.0 * frame]
        orientation.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        group = Dataset()
        group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
        groups.append(group)
    _dicom(path, number, frames=3, PerFrameFunctionalGroupsSequence=groups)


def _jpeg(path: Path, number: int) -> None:
    from io import BytesIO

    from PIL import Image

    dataset = _dicom(path, number)
    stream = BytesIO()
    Image.fromarray(texture(number, 12, 16)).convert("L").save(stream, "JPEG")
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)


DICOMS: dict[str, Callable[[Path, int], object]] = {
    "big_endian": lambda path, number: _dicom(path, number, ExplicitVRBigEndian),
    "deflated": lambda path, number: _dicom(path, number, DeflatedExplicitVRLittleEndian),
    "enhanced": _enhanced,
    "explicit": _dicom,
    "frames": lambda path, number: _dicom(path, number, frames=2),
    "implicit": lambda path, number: _dicom(path, number, ImplicitVRLittleEndian),
    "jpeg": _jpeg,
    "rle": lambda path, number: _dicom(path, number, RLELossless),
}


def _good_slices(folder: Path) -> None:
    for number in range(4):
        _dicom(folder / "in" / f"good-{number}.dcm", 100 + number)


def make_dicom(folder: Path, shared: Path) -> None:
    """A file of each encoding beside four slices."""
    for case, write in DICOMS.items():
        _good_slices(folder / case)
        write(folder / case / "in" / "target.dcm", 1)


def make_dicomdir(folder: Path, shared: Path) -> None:
    """The index of a medium with two patients, beside four slices."""
    case = folder / "medium"
    _good_slices(case)
    files = FileSet()
    files.UID = _uid("medium")
    for number in (1, 2):
        files.add(_dicom(folder / f"file-{number}.dcm", number))
    files.write(case / "in" / "medium")
    for number in (1, 2):
        (folder / f"file-{number}.dcm").unlink()


def _volume(path: Path, number: int, shape: tuple[int, ...] = (6, 5, 4), dtype: str = "int16", **options: Any) -> None:
    values = np.random.default_rng(number).integers(0, 200, shape)
    kind = nibabel.Nifti2Image if options.get("second") else nibabel.Nifti1Image
    image = kind(values.astype(dtype), np.diag([1.0, 1.0, 2.0, 1.0]))
    if options.get("scaled"):
        image.header.set_slope_inter(0.5, 10)
    if options.get("big"):
        image = kind(values.astype(dtype), image.affine, image.header.as_byteswapped(">"))
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    if path.suffix == ".gz":  # without the time of writing, so that a seed makes the same file again
        import gzip

        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 6, mtime=0))


VOLUMES: dict[str, dict[str, Any]] = {
    "big_endian": {"big": True},
    "float": {"dtype": "float32"},
    "second": {"second": True},
    "scaled": {"scaled": True, "dtype": "uint8"},
    "short": {},
}


def _make_nifti(suffix: str) -> Callable[[Path, Path], None]:
    def make(folder: Path, shared: Path) -> None:
        for case, options in VOLUMES.items():
            for number in range(2):
                _volume(folder / case / "in" / f"good{number}.nii", 10 + number)
            _volume(folder / case / "in" / f"target{suffix}", 1, **options)

    return make


def make_masks(folder: Path, shared: Path) -> None:
    """Volumes with label masks."""
    for number, name in enumerate(("good0", "good1", "target")):
        _volume(folder / "masks" / "in" / f"{name}.nii", number)
        values = np.random.default_rng(number).integers(0, 3, (6, 5, 4)).astype(np.uint8)
        (folder / "masks" / "labels").mkdir(exist_ok=True)
        nibabel.save(
            nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 2.0, 1.0])), folder / "masks" / "labels" / f"{name}.nii"
        )


KINDS = (
    Kind("dicom", make_dicom, ("in/target.dcm",), (*RAW, *DICOM, *DICOM, *DICOM), FILLING, ("in/good-*.dcm",)),
    Kind(
        "dicomdir", make_dicomdir, ("in/medium/DICOMDIR",), (*RAW, *DICOM, *DICOM), (Plan((SCAN,)),), ("in/good-*.dcm",)
    ),
    Kind("nifti", _make_nifti(".nii"), ("in/target.nii",), NIFTI, FILLING, ("in/good*.nii",)),
    Kind("nifti_gz", _make_nifti(".nii.gz"), ("in/target.nii.gz",), GZIP, FILLING, ("in/good*.nii",)),
    Kind(
        "nifti_masks",
        make_masks,
        ("labels/target.nii",),
        NIFTI,
        (Plan((Command("medical scan in -o out.parquet --masks labels", READ, "out.parquet"),)),),
        ("in/good*.nii",),
    ),
)
