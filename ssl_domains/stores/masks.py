"""Store of label masks: a second array store, separate from that of the images."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import MaskReader, Reader, ReadError, SampleTable
from ssl_domains.stores.array_store import ArrayStore
from ssl_domains.stores.copying import Notice
from ssl_domains.stores.filling import Progress
from ssl_domains.stores.fingerprint import reader_name
from ssl_domains.stores.table_rows import ChangedRows

__all__ = ["MaskStore", "default_mask_store", "mask_names", "names_masks"]

_HIDDEN = {"path": "image_path", "array": "image_array", "region": "image_region"}


def default_mask_store(samples: str | Path) -> Path:
    """Default folder of a sample table's mask store: ``<stem>.masks`` in the folder of the table."""
    path = Path(samples)
    return path.with_name(f"{path.stem}.masks")


def names_masks(table: SampleTable) -> bool:
    """Whether the scan of a table found a mask of any sample."""
    return "mask_path" in table.columns and table.frame["mask_path"].null_count() < len(table)


def mask_names(table: SampleTable) -> dict[int, str]:
    """Names of the mask classes by number, as recorded by the scan; empty when it recorded none."""
    text = table.meta.options.get("mask_names")
    names = {}
    for part in str(text or "").split(","):
        number, _, name = (piece.strip() for piece in part.partition("="))
        if number.isdecimal() and name:
            names[int(number)] = name
    return names


class MaskStore:
    """Masks by position, read-only. Filled like an `ArrayStore`; a mask whose file changed is decoded again."""

    def __init__(self, arrays: ArrayStore) -> None:
        self._arrays = arrays

    @classmethod
    def fill(
        cls,
        folder: str | Path,
        table: SampleTable,
        reader: Reader,
        progress: Progress | None = None,
        *,
        notice: Notice | None = None,
    ) -> MaskStore:
        """Open the store and decode the masks that are not in it yet.

        Args:
            folder: Folder of the store.
            table: Its column ``mask_path`` names the file of each row's mask; null for a row without mask.
            reader: Decodes them.
            progress: Called after each file with the rows done and the rows to do.
            notice: Called with sentences for the user, as in `ArrayStore.fill`.

        Raises:
            UsageError: When the reader can't read masks, or the table names none.
            ResourceError: When the disk is full.
        """
        if not isinstance(reader, MaskReader):
            raise UsageError("this domain's reader knows no masks", "probe a column with --label instead")
        if not names_masks(table):
            raise UsageError("the sample table names no masks", "scan with the masks of the images")
        return cls(ArrayStore.fill(folder, _by_mask(table), _MaskFiles(reader), progress, notice=notice))

    def positions(self, table: SampleTable) -> NDArray[np.int64]:
        """Position of each row's mask, int64 ``[n]``; −1 for a row without mask, or whose mask couldn't be decoded.

        Raises:
            DataError: When a row with a mask is not in the store.
        """
        positions = np.full(len(table), -1, dtype=np.int64)
        if "mask_path" in table.columns:
            named = table.frame["mask_path"].is_not_null().to_numpy()
            positions[named] = self._arrays.positions(_by_mask(table))
        return positions

    @property
    def problems(self) -> pl.DataFrame:
        """Masks that couldn't be decoded: columns ``path`` (of the mask) and ``cause``."""
        return self._arrays.problems

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, position: int) -> NDArray[np.integer[Any]]:
        """The mask at a position: ``[H, W]`` class numbers, 255 for ignored pixels; read-only."""
        mask: NDArray[np.integer[Any]] = np.asarray(self._arrays[position][:, :, 0])
        return mask

    def shape(self, position: int) -> tuple[int, int]:
        """Height and width of a mask, without reading the data."""
        height, width = self._arrays.shape(position)[:2]
        return height, width


class _MaskFiles:
    """Adapter from a `MaskReader` to a `FileReader` whose arrays are the masks."""

    def __init__(self, reader: MaskReader) -> None:
        self._reader = reader
        self.version = f"of {reader_name(reader)}"

    def scan(self, source: Path, **options: Any) -> Any:
        raise UsageError("masks are not scanned on their own", "scan the images with their masks")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        return self._reader.load_mask(_by_image(row))[:, :, None]

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[NDArray[np.generic]]:
        masks = self._reader.load_masks(path, ChangedRows(rows, _by_image))
        if isinstance(masks, Sized) and len(masks) != len(rows):
            raise ReadError(f"the reader gave {len(masks)} masks for {len(rows)} rows")
        return (mask[:, :, None] for mask in masks)


def _by_mask(table: SampleTable) -> SampleTable:
    """The rows with a mask, with the mask's path as ``path``, so that the store watches that file for changes."""
    # A mask is read as its sample is cut, so it is an array of its own: the names of its columns are hidden.
    frame = table.frame.filter(pl.col("mask_path").is_not_null()).rename(_HIDDEN, strict=False)
    return replace(table, frame=frame.with_columns(pl.col("mask_path").alias("path")))


def _by_image(row: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = {name: row[hidden] for name, hidden in _HIDDEN.items() if hidden in row}
    return ChainMap(shown, row)  # type: ignore[arg-type]  # a row is only read
