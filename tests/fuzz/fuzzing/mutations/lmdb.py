"""Damage to LMDB databases: fields of meta pages, page headers, lists of nodes and nodes."""

from __future__ import annotations

import struct
from random import Random

from fuzzing.mutations.raw import RAW

__all__ = ["LMDB", "lmdb_meta", "lmdb_node", "lmdb_page"]

_PAGE = 4096
_META_FIELDS = ((16, 4), (20, 4), (40, 4), (44, 2), (46, 2), (80, 8), (88, 4), (92, 2), (94, 2), (128, 8), (144, 8))
_HEADER_FIELDS = ((0, 8), (8, 2), (10, 2), (12, 2), (14, 2))


def _value(rng: Random, size: int, pages: int) -> int:
    top = 2 ** (8 * size) - 1
    return (
        rng.choice(
            (0, 1, 2, 3, 15, 16, 17, 40, _PAGE - 1, _PAGE, pages - 1, pages, rng.randrange(1 << 16), top, top - 1)
        )
        & top
    )


def _put(data: bytes, place: int, size: int, value: int) -> bytes:
    form = {2: "<H", 4: "<I", 8: "<Q"}[size]
    return data[:place] + struct.pack(form, value) + data[place + size :]


def lmdb_meta(data: bytes, rng: Random) -> bytes:
    """A field of one of the two meta pages."""
    if len(data) < 2 * _PAGE:
        raise ValueError
    start = rng.choice((0, _PAGE))
    field, size = rng.choice(_META_FIELDS)
    return _put(data, start + field, size, _value(rng, size, len(data) // _PAGE))


def lmdb_page(data: bytes, rng: Random) -> bytes:
    """A field of the header of a page, or a place in its list of nodes."""
    if len(data) < 3 * _PAGE:
        raise ValueError
    start = rng.randrange(2, len(data) // _PAGE) * _PAGE
    field, size = rng.choice((*_HEADER_FIELDS, (16 + 2 * rng.randrange(8), 2), (16 + 2 * rng.randrange(8), 2)))
    return _put(data, start + field, size, _value(rng, size, len(data) // _PAGE))


def lmdb_node(data: bytes, rng: Random) -> bytes:
    """A field of a node: size of its value, flags, length of its key, or a page number."""
    pages = [
        start
        for start in range(2 * _PAGE, len(data) - _PAGE + 1, _PAGE)
        if struct.unpack_from("<H", data, start + 10)[0] in (1, 2)
    ]
    if not pages:
        raise ValueError
    start = rng.choice(pages)
    count = (struct.unpack_from("<H", data, start + 12)[0] - 16) // 2
    if not 0 < count < _PAGE // 2:
        raise ValueError
    (offset,) = struct.unpack_from("<H", data, start + 16 + 2 * rng.randrange(count))
    if offset > _PAGE - 16:
        raise ValueError
    size = rng.choice((2, 2, 2, 8))
    return _put(
        data, start + offset + (2 * rng.randrange(4) if size == 2 else 8), size, _value(rng, size, len(data) // _PAGE)
    )


LMDB = (*RAW, *(lmdb_meta,) * 8, *(lmdb_page,) * 8, *(lmdb_node,) * 8)
