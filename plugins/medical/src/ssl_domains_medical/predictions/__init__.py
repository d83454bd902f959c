"""Predicted masks back in the source's geometry.

What comes in are masks of slices, standing as the reader cut them; what goes out are NIfTI volumes: on the grid of the
NIfTI file that was cut (`NiftiMask`), or on the grid that the headers of a DICOM series state (`DicomMask`). Slices
without such a grid, and pictures, become PNG files.
"""

from ssl_domains_medical.predictions.plan import map_files

__all__ = ["map_files"]
