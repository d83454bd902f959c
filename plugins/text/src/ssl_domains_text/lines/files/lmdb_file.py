"""Reads an LMDB database by its own parser, so that a damaged file is an error and not the end of the process.

The library ``lmdb`` maps the file and trusts the numbers in it: a file that was cut short ends the process by a signal.
It also forbids that a forked process goes on with an open database. This reader only looks at bytes of the mapped file,
checks each number before it follows it, and has nothing open that a worker process could inherit.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ssl_domains.samples import ReadError, mapped_file

__all__ = ["LmdbFile", "Span"]

_META = struct.Struct("<II")  # magic number, version
_TREE = struct.Struct("<IHHQQQQQ")  # page size (of the first tree), flags, depth, 3 counts of pages, entries, root page
_PAGE = struct.Struct("<QHHHH")  # number, unused, kind, end of the list of nodes, start of the nodes
_NODE = struct.Struct("<HHHH")  # size of the value (low and high half), flags, length of the key
_NUMBER = struct.Struct("<Q")
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_FIRST_TREE, _MAIN_TREE, _TRANSACTION = 40, 88, 144  # places in a meta page
_NO_PAGE = 2**64 - 1
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4  # kinds of pages
_ON_PAGES, _NOT_PLAIN = 1, 6  # flags of nodes: the value has pages of its own; the value is another tree
_REORDERED = 2 | 4 | 8  # flags of a tree whose keys are not sorted byte by byte, or have several values
_DEEPEST = 32
_DAMAGED = "the database is damaged"


class Span(NamedTuple):
    """Where a value lies in the file.

    Attributes:
        start: First byte.
        size: Number of bytes.
    """

    start: int
    size: int


@dataclass(frozen=True)
class LmdbFile:
    """The main database of an LMDB file, read-only. Picklable; it is as safe after a fork as the bytes of a file.

    Each call looks at the file as it is at that time (`mapped_file` maps it once in each process).

    Attributes:
        path: The file, usually called ``data.mdb``.
    """

    path: str

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none.

        Raises:
            ReadError: When the file is no LMDB database, or damaged on the way to the key.
            OSError: When it can't be opened.
        """
        tree = _Tree.of(self.path)
        span = tree.find(key)
        return None if span is None else tree.data[span.start : span.start + span.size]

    def spans(self) -> Iterator[tuple[bytes, Span]]:
        """Every key with the place of its value, in the order of the keys.

        Raises:
            ReadError: When the file is no LMDB database, or damaged; keys before the damage were given.
            OSError: When it can't be opened.
        """
        return _Tree.of(self.path).walk()

    def mapped(self) -> mmap.mmap:
        """The bytes of the file, for values by their `Span`."""
        return _map(self.path)


class _Tree(NamedTuple):
    """The tree of keys: the bytes of the file, the size of a page, the root page and the depth."""

    data: mmap.mmap
    page_size: int
    root: int
    depth: int

    @classmethod
    def of(cls, path: str) -> _Tree:
        data = _map(path)
        metas = []
        if len(data) >= 512 and _META.unpack_from(data, 16) == (_MAGIC, _VERSION):
            page_size = _TREE.unpack_from(data, _FIRST_TREE)[0]
            if page_size & (page_size - 1) or not 256 <= page_size <= 1 << 16:
                raise ReadError(f"{_DAMAGED}: it states pages of {page_size} bytes")
            for start in (0, page_size):
                if start + 512 <= len(data) and _META.unpack_from(data, start + 16) == (_MAGIC, _VERSION):
                    (written,) = _NUMBER.unpack_from(data, start + _TRANSACTION)
                    metas.append((written, -start))
        if not metas:
            raise ReadError("no LMDB database, or one of another version")
        start = -max(metas)[1]  # the page that the last transaction wrote
        _, flags, depth, *_, root = _TREE.unpack_from(data, start + _MAIN_TREE)
        if flags & _REORDERED:
            raise ReadError("the keys of the database are not sorted byte by byte, which is not read")
        if depth > _DEEPEST:
            raise ReadError(f"{_DAMAGED}: it states a tree {depth} pages deep")
        return cls(data, page_size, root, depth)

    def page(self, number: int) -> tuple[int, int, int]:
        """First byte, kind and number of nodes of a page."""
        start = number * self.page_size
        if number < 2 or start + self.page_size > len(self.data):
            raise ReadError(f"{_DAMAGED} or cut short: page {number} is not in it")
        stated, _, kind, end, _ = _PAGE.unpack_from(self.data, start)
        kind &= _BRANCH | _LEAF | _OVERFLOW
        if stated != number or kind not in (_BRANCH, _LEAF) or not 16 <= end <= self.page_size:
            raise ReadError(f"{_DAMAGED} at page {number}")
        return start, kind, (end - 16) // 2

    def node(self, page: int, place: int) -> tuple[int, int, bytes, int]:
        """Size of the value (or the page, in a branch), flags, key and first byte behind the key."""
        (offset,) = struct.unpack_from("<H", self.data, page + 16 + 2 * place)
        if not 16 <= offset <= self.page_size - 8:
            raise ReadError(f"{_DAMAGED}: an entry lies outside its page")
        low, high, flags, length = _NODE.unpack_from(self.data, page + offset)
        behind = page + offset + 8 + length
        if behind > page + self.page_size:
            raise ReadError(f"{_DAMAGED}: a key lies outside its page")
        return low | high << 16, flags, self.data[behind - length : behind], behind

    def find(self, key: bytes) -> Span | None:
        number = self.root
        for _ in range(self.depth if number != _NO_PAGE else 0):
            page, kind, count = self.page(number)
            branch = kind == _BRANCH
            low, high = int(branch), count  # the first key of a branch is empty and stands for all that are smaller
            while low < high:
                middle = (low + high) // 2
                if self.node(page, middle)[2] < key or (branch and self.node(page, middle)[2] == key):
                    low = middle + 1
                else:
                    high = middle
            if not branch:
                if low == count or self.node(page, low)[2] != key:
                    return None
                return self.span(page, low)
            if not count:
                raise ReadError(f"{_DAMAGED}: a page is empty")
            number = self.child(page, low - 1)
        return None

    def child(self, page: int, place: int) -> int:
        size, flags, _, _ = self.node(page, place)
        return size | flags << 32

    def span(self, page: int, place: int) -> Span | None:
        """Where the value of a leaf's node lies; None for a value that is another tree."""
        size, flags, _, behind = self.node(page, place)
        if flags & _NOT_PLAIN:
            return None
        if not flags & _ON_PAGES:
            if behind + size > page + self.page_size:
                raise ReadError(f"{_DAMAGED}: a value lies outside its page")
            return Span(behind, size)
        if behind + 8 > page + self.page_size:
            raise ReadError(f"{_DAMAGED}: a value lies outside its page")
        (number,) = _NUMBER.unpack_from(self.data, behind)
        start = number * self.page_size
        if number < 2 or start + 16 + size > len(self.data):
            raise ReadError(f"{_DAMAGED} or cut short: the value of an entry is not in it")
        if not _PAGE.unpack_from(self.data, start)[2] & _OVERFLOW:
            raise ReadError(f"{_DAMAGED} at page {number}")
        return Span(start + 16, size)

    def walk(self) -> Iterator[tuple[bytes, Span]]:
        left = len(self.data) // self.page_size  # no page is entered twice, so that a circle ends
        opened: list[tuple[int, int, int, int]] = []  # page, kind, nodes, the next of them

        def enter(number: int) -> None:
            opened.append((*self.page(number), 0))

        if self.root != _NO_PAGE:
            enter(self.root)
        while opened:
            page, kind, count, place = opened.pop()
            if kind == _LEAF:
                for number in range(count):
                    span = self.span(page, number)
                    if span is not None:
                        yield self.node(page, number)[2], span
                continue
            if place >= count:
                continue
            opened.append((page, kind, count, place + 1))
            left -= 1
            if left < 0 or len(opened) > _DEEPEST:
                raise ReadError(f"{_DAMAGED}: its pages form a circle")
            enter(self.child(page, place))


def _map(path: str) -> mmap.mmap:
    try:
        return mapped_file(str(Path(path)))
    except ValueError as error:
        raise ReadError("the file is empty") from error
