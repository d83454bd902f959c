"""The header of a picture by Pillow, and the mark at the end of a whole file."""

from __future__ import annotations

import logging
import mmap
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ssl_domains.samples.read_error import ReadError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["opened_picture", "require_end_mark"]

_LIMIT = threading.RLock()
# Pillow logs what it refuses, without the file; the cause is a problem row, and needs no line on the screen.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def opened_picture(path: str | Path | BinaryIO, formats: Sequence[str] | None = None) -> Iterator[Picture]:
    """A picture of which Pillow has read the header only, of any number of pixels; no warning is printed.

    Pillow counts pixels and refuses many of them. What counts here is memory: the caller compares the stated size with
    `require_expandable`.

    Args:
        path: The file, or its bytes as a stream.
        formats: Pillow's names of the formats that are tried; None for all.

    Raises:
        OSError: When it is no picture, or can't be read.
        ValueError: Or SyntaxError, as Pillow raises them for damaged headers.
    """
    from PIL import Image

    with _LIMIT, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a warning is about is an error here, or does no harm
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture = Image.open(path, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    with picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield picture


def require_end_mark(path: Path, mark: bytes, start: int = 0) -> None:
    """Require the bytes that end every whole file of a format, such as ``IEND`` for PNG.

    Args:
        path: The file, not empty.
        mark: The bytes.
        start: Byte from which on they count.

    Raises:
        ReadError: When they are missing, since the file is cut short.
    """
    # Searched from the back: in a whole file the mark is in its last bytes, so that only those are read.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.rfind(mark, start) < 0:
            raise ReadError("the file is truncated: its end mark is missing")
