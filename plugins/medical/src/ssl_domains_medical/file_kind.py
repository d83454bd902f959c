"""The kind of a medical file by its name, for rows of tables that no scan made."""

from __future__ import annotations

from pathlib import Path

from ssl_domains_medical.images import SUFFIXES
from ssl_domains_medical.nifti.volumes import is_nifti

__all__ = ["kind_of"]


def kind_of(path: Path) -> str:
    """``"nifti"``, ``"image"`` or, as DICOM files may have any name, ``"dicom"``: values of the column ``reader``."""
    if is_nifti(path):
        return "nifti"
    return "image" if path.suffix.lower() in SUFFIXES else "dicom"
