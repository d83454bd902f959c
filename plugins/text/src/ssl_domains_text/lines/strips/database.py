"""Writes lines as an LMDB database with the keys ``image-%09d``, ``label-%09d`` and one for each further fact."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

__all__ = ["Entry", "png", "write_database"]

_MAP_BYTES = 256 << 20  # LMDB reserves addresses, not memory; larger databases get more
_PAGE_BYTES = 4096


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        picture: Bytes of its picture's file.
        text: Its transcript.
        facts: Further values by the name of their key, such as ``writer``; a scan makes columns of them.
    """

    picture: bytes
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)


def png(picture: NDArray[np.uint8]) -> bytes:
    """The PNG file of a grey picture ``[H, W]``."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    return file.getvalue()


def write_database(path: Path, entries: Sequence[Entry], declared: int | None = None) -> None:
    """Write the entries in one transaction, so that equal entries give equal bytes; no lock file is left.

    Args:
        path: The file, such as ``lines.lmdb/data.mdb``; its folder is there.
        entries: The lines; the first one has the number 1.
        declared: Value of ``num-samples``; None for the number of entries.
    """
    import lmdb

    values = {b"num-samples": str(len(entries) if declared is None else declared).encode()}
    for number, entry in enumerate(entries, 1):
        values[b"image-%09d" % number] = entry.picture
        values[b"label-%09d" % number] = entry.text.encode()
        for name, value in entry.facts.items():
            values[name.encode() + b"-%09d" % number] = value.encode()
    size = max(_MAP_BYTES, sum(2 * len(value) + _PAGE_BYTES for value in values.values()))
    with TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        part = Path(folder) / "data.mdb"
        with (
            lmdb.open(str(part), map_size=size, subdir=False, lock=False) as database,
            database.begin(write=True) as transaction,
        ):
            for key in sorted(values):
                transaction.put(key, values[key], append=True)
        os.replace(part, path)
