"""Class numbers from the arrays of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, Unreadable, read_guarded
from ssl_domains_seismic.labels.grid import UNLABELLED

__all__ = ["class_numbers", "stored_array"]


def stored_array(path: Path) -> NDArray[np.generic]:
    """The numbers of a ``.npy`` file, mapped, or of a text file with commas, semicolons or spaces between them.

    Args:
        path: The file.

    Raises:
        ReadError: When it can't be read.
    """
    # The header of a damaged .npy file makes NumPy raise errors of many kinds, from the tokenizer to the memory map.
    array = read_guarded(lambda: _mapped(path) if path.suffix.lower() == ".npy" else _table(path), path)
    if isinstance(array, Unreadable):
        raise ReadError(f"its numbers can't be read: {array.cause}")
    return array


def class_numbers(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Values as uint8 class numbers; NaN becomes `UNLABELLED`.

    Raises:
        ReadError: When a value is no whole number from 0 to 255; with the value.
    """
    if values.dtype.kind not in "buif":
        raise ReadError(f"values of the type {values.dtype} are no class numbers")
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), UNLABELLED, values)
    with np.errstate(invalid="ignore", over="ignore"):
        classes = values.astype(np.uint8)
    wrong = classes != values
    if wrong.any():
        example = values[np.unravel_index(int(wrong.argmax()), wrong.shape)]
        raise ReadError(f"the value {example} is no class number: those are 0 to 254, and 255 for unlabelled")
    return classes


def _mapped(path: Path) -> NDArray[np.generic]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ReadError("it holds several arrays instead of one")
    return array


def _table(path: Path) -> NDArray[np.generic]:
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise ReadError("it is empty")
    separator = ";" if ";" in text else "," if "," in text else None
    return np.loadtxt(text.splitlines(), delimiter=separator, ndmin=2, dtype=np.float64)
