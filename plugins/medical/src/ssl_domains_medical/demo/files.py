"""Writing DICOM: single slices as one device exports them, a multi-frame object as another does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MRImageStorage,
    OphthalmicTomographyImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

__all__ = ["SPACING_MM", "Series", "uid_for", "write_dicomdir", "write_multiframe", "write_slice"]

SPACING_MM = 0.25
_PIXEL_MM = [0.012, 0.094]
_ORIENTATION = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]  # rows to the left, columns down: B-scans follow one another backwards


@dataclass(frozen=True)
class Series:
    """What every file of a series says.

    Attributes:
        patient_id: PatientID.
        study_uid: StudyInstanceUID.
        series_uid: SeriesInstanceUID.
        day: StudyDate, YYYYMMDD.
        maker: Manufacturer.
        model: ManufacturerModelName.
        laterality: ``"R"`` or ``"L"``.
        modality: Modality.
    """

    patient_id: str
    study_uid: UID
    series_uid: UID
    day: str
    maker: str
    model: str
    laterality: str | None
    modality: str = "OPT"


def uid_for(*words: object) -> UID:
    """A UID that is always the same for the same words."""
    return generate_uid(entropy_srcs=[str(word) for word in words])


def write_slice(
    path: Path, series: Series, pixels: NDArray[np.uint8], number: int, position_mm: float, **extra: Any
) -> None:
    """One slice in a file of its own; ``extra`` sets further elements by keyword."""
    kind = MRImageStorage if series.modality == "MR" else SecondaryCaptureImageStorage
    dataset = _dataset(path, series, kind, uid_for(series.series_uid, number, *extra.values()))
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient = [0.0, round(position_mm, 4), 0.0]
    dataset.ImageOrientationPatient = _ORIENTATION
    dataset.PixelSpacing = _PIXEL_MM
    if series.laterality:
        dataset.ImageLaterality = series.laterality
    for keyword, value in extra.items():
        setattr(dataset, keyword, value)
    _add_pixels(dataset, pixels)
    _save(dataset, path)


def write_multiframe(
    path: Path, series: Series, frames: Sequence[NDArray[np.uint8]], positions_mm: Sequence[float]
) -> None:
    """A whole volume in one file, positions in its functional groups."""
    dataset = _dataset(path, series, OphthalmicTomographyImageStorage, uid_for(series.series_uid, "volume"))
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = len(frames)
    dataset.SharedFunctionalGroupsSequence = [
        _nested(
            PlaneOrientationSequence={"ImageOrientationPatient": _ORIENTATION},
            PixelMeasuresSequence={"PixelSpacing": _PIXEL_MM, "SliceThickness": SPACING_MM},
            FrameAnatomySequence={"FrameLaterality": series.laterality},
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        _nested(
            PlanePositionSequence={"ImagePositionPatient": [0.0, round(mm, 4), 0.0]},
            FrameContentSequence={"FrameAcquisitionNumber": 1, "DimensionIndexValues": [1, index + 1]},
        )
        for index, mm in enumerate(positions_mm)
    ]
    _add_pixels(dataset, np.stack(frames))
    _save(dataset, path)


def write_dicomdir(path: Path) -> None:
    """The index of a medium, without entries."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = uid_for("dicomdir")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.FileSetID = "DEMO"
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.FileSetConsistencyFlag = 0
    dataset.DirectoryRecordSequence = []
    _save(dataset, path)


def _dataset(path: Path, series: Series, kind: UID, uid: UID) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = series.study_uid, series.series_uid
    dataset.PatientID = series.patient_id
    dataset.PatientName = f"Nobody^{series.patient_id}"
    dataset.PatientBirthDate = "19500101"
    dataset.StudyDate = dataset.SeriesDate = series.day
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = series.modality, series.maker, series.model
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.BurnedInAnnotation = "NO"
    return dataset


def _nested(**sequences: dict[str, Any]) -> Dataset:
    group = Dataset()
    for keyword, values in sequences.items():
        item = Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(group, keyword, [item])
    return group


def _add_pixels(dataset: FileDataset, pixels: NDArray[np.uint8]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"


def _save(dataset: FileDataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
