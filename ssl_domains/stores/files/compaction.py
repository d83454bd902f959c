"""Removal of dead bytes: arrays in the data file that no entry of the index names any more."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.header import Header
from ssl_domains.stores.files.index import Index
from ssl_domains.stores.files.journal import ALIGNMENT, write_all

__all__ = ["compacted", "dead_bytes", "living_end"]

DEAD_SHARE, DEAD_BYTES = 0.5, 64 << 20  # a store with more dead bytes than both is compacted
_BLOCK = 4 << 20


def dead_bytes(header: Header, index: Index) -> int:
    """Bytes of the data file that belong to no array."""
    return header.end - int(_aligned(index.nbytes).sum())


def living_end(index: Index) -> int:
    """The byte of the data file behind the last array that the index names."""
    copied = index.places == Place.COPIED
    return int((index.values("offset") + _aligned(index.nbytes))[copied].max(initial=0))


def compacted(header: Header, index: Index) -> tuple[Header, Index] | None:
    """Copy the living arrays to the data file of a new generation, if enough bytes are dead.

    The store itself is not changed: the caller makes the new generation the current one.

    Returns:
        Header and index of the new generation; None when there are few dead bytes, or no room for a second file.
    """
    dead = dead_bytes(header, index)
    if dead <= DEAD_BYTES or dead <= DEAD_SHARE * header.end:
        return None
    living = header.end - dead
    if shutil.disk_usage(header.folder).free < living + _BLOCK:
        return None
    new = replace(header, generation=header.generation + 1, index=1, end=living)
    order = np.flatnonzero(index.places == Place.COPIED)
    order = order[np.argsort(index.values("offset")[order], kind="stable")]
    starts, sizes = index.values("offset")[order], index.nbytes[order]
    offsets = index.values("offset").copy()
    offsets[order] = np.cumsum(_aligned(sizes)) - _aligned(sizes)
    try:
        _copy(header.data_path, new.data_path, starts, _aligned(sizes))
    except OSError:
        with contextlib.suppress(OSError):
            new.data_path.unlink()
        return None
    return new, replace(index, rows=index.rows.with_columns(offset=pl.Series(offsets)))


def _aligned(sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return -(-sizes // ALIGNMENT) * ALIGNMENT


def _copy(
    source: Path,
    target: Path,
    starts: np.ndarray[tuple[int], np.dtype[np.int64]],
    sizes: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    """Copy stretches of a file one after the other, and force them to the disk."""
    with source.open("rb") as old, target.open("wb") as new:
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            old.seek(start)
            left = size
            while left:
                block = old.read(min(left, _BLOCK))
                if not block:
                    raise OSError(f"{source.name} ends early")
                write_all(new.fileno(), block)
                left -= len(block)
        os.fsync(new.fileno())
