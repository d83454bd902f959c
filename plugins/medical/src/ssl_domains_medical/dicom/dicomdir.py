"""DICOMDIR: the index of a medium. It names images that are found anyway, so it is recognised and passed over."""

from __future__ import annotations

__all__ = ["dicomdir_note"]


def dicomdir_note(count: int) -> str:
    """The line a scan says about the DICOMDIR files it met."""
    what = "DICOMDIR file" if count == 1 else "DICOMDIR files"
    return f"{count} {what} recognised: an index of the medium, not an image"
