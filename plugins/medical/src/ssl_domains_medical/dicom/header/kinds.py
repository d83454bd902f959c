"""What kind of object a DICOM file holds, and which kinds are images of a body: an allow-list of SOP classes."""

from __future__ import annotations

from pydicom.uid import UID, UID_dictionary

__all__ = ["DICOMDIR", "is_secondary", "kind_of", "may_be_sample", "name_of_uid"]

DICOMDIR = "1.2.840.10008.1.3.10"
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SECONDARY = frozenset(_STORAGE + end for end in ("7", "7.1", "7.2", "7.3", "7.4"))
_IMAGES = frozenset(
    _STORAGE + end
    for end in (
        # radiographs, mammograms, intra-oral
        "1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1",
        # CT, MR, ultrasound, nuclear medicine, PET: as slices and enhanced
        "2", "2.1", "2.2", "3", "3.1", "4", "4.1", "4.3", "4.4", "5", "6", "6.1", "6.2", "6.3", "20", "128", "128.1",
        "130",
        # angiography, fluoroscopy, tomosynthesis, breast projections
        "12.1", "12.1.1", "12.2", "12.2.1", "12.3", "13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5",
        # optical coherence tomography, endoscopy, microscopy, photographs of eye and skin
        "14.1", "14.2", "77.1", "77.2", "77.1.1", "77.1.1.1", "77.1.2", "77.1.2.1", "77.1.3", "77.1.4", "77.1.4.1",
        "77.1.5.1", "77.1.5.2", "77.1.5.4", "77.1.5.5", "77.1.5.6", "77.1.5.7", "77.1.6", "77.1.7", "77.1.8", "77.1.9",
    )
)  # fmt: skip


def may_be_sample(sop_class: str | None) -> bool:
    """Whether objects of a SOP class are images. A file that names no class may be one."""
    return sop_class is None or sop_class in _IMAGES or sop_class in _SECONDARY


def is_secondary(sop_class: str | None) -> bool:
    """Whether it is a secondary capture: a screenshot or a scanned document as often as an image."""
    return sop_class in _SECONDARY


def kind_of(sop_class: str) -> str:
    """The kind of an object in words, ``"Segmentation"``; never a UID of the file that is not the standard's."""
    return name_of_uid(sop_class, "object of a private kind").removesuffix(" Storage")


def name_of_uid(uid: str, otherwise: str) -> str:
    """The standard's name of a UID; ``otherwise`` for one that is not in the standard."""
    return UID(uid).name if uid in UID_dictionary else otherwise
