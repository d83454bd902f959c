"""Small DICOM and NIfTI files, made to order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from ssl_domains.samples import ScanResult
from ssl_domains_medical.reader import MedicalReader

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


@pytest.fixture(autouse=True)
def _hash_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")


@pytest.fixture(scope="session")
def pydicom_files() -> Path:
    """pydicom's own test files, which come with the package."""
    return Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture
def reader() -> MedicalReader:
    return MedicalReader()


@pytest.fixture
def scan(tmp_path: Path, reader: MedicalReader) -> Callable[..., ScanResult]:
    """Scan what the test wrote."""
    return lambda **options: reader.scan(tmp_path, **options)


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """Write one CT slice; any element by keyword, None leaves it out."""

    def write(name: str, pixels: Any = None, **elements: Any) -> Path:
        stored = np.arange(12, dtype=np.int16).reshape(3, 4) if pixels is None else np.asarray(pixels)
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
        dataset = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
        frames = stored.shape[0] if stored.ndim == 3 and "NumberOfFrames" in elements else 1
        values = {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
            "StudyInstanceUID": generate_uid(entropy_srcs=["study"]),
            "SeriesInstanceUID": generate_uid(entropy_srcs=["series"]),
            "PatientID": "P-17",
            "PatientName": "Doe^Jane",
            "PatientBirthDate": "19610203",
            "StudyDate": "20200110",
            "Modality": "CT",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "InstanceNumber": 1,
            "ImageOrientationPatient": AXIAL,
            "ImagePositionPatient": [0.0, 0.0, 0.0],
            "Rows": stored.shape[-2],
            "Columns": stored.shape[-1],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": stored.dtype.itemsize * 8,
            "BitsStored": stored.dtype.itemsize * 8,
            "HighBit": stored.dtype.itemsize * 8 - 1,
            "PixelRepresentation": int(stored.dtype.kind == "i"),
            "PixelData": stored.tobytes(),
            **({"NumberOfFrames": frames} if stored.ndim == 3 else {}),
            **elements,
        }
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        if "PixelData" in dataset:
            dataset["PixelData"].VR = "OW"
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def write_nifti(tmp_path: Path) -> Callable[..., Path]:
    """Write a NIfTI file below the test's folder."""

    def write(name: str, voxels: Any, affine: Any = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(np.asarray(voxels), np.eye(4) if affine is None else np.asarray(affine)), path)
        return path

    return write
