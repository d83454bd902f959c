"""The own parser of LMDB files against the library, and damaged files."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
from pathlib import Path

import lmdb
import numpy as np
import pytest

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.lmdb_file import LmdbFile

from .line_files import database


def by_library(path: Path) -> dict[bytes, bytes]:
    with lmdb.open(str(path), subdir=False, readonly=True, lock=False) as opened, opened.begin() as transaction:
        return {bytes(key): bytes(value) for key, value in transaction.cursor()}


def by_parser(path: Path) -> dict[bytes, bytes]:
    file = LmdbFile(str(path))
    data = file.mapped()
    return {key: data[span.start : span.start + span.size] for key, span in file.spans()}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some thousand keys, values on pages of their own among them, written and changed in several transactions."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("large")
    sizes = rng.choice(
        [0, 1, 30, 500, 2030, 2040, 5000, 20_000], size=3000, p=[0.05, 0.3, 0.3, 0.2, 0.05, 0.05, 0.03, 0.02]
    )
    path = database(folder, {b"image-%09d" % k: rng.bytes(int(size)) for k, size in enumerate(sizes)})
    with lmdb.open(str(folder), map_size=128 << 20) as opened:
        for start in range(0, 3000, 500):
            with opened.begin(write=True) as transaction:
                for k in range(start, start + 250):
                    transaction.put(b"label-%09d" % k, b"text %d" % k)
                    if k % 7 == 0:
                        transaction.delete(b"image-%09d" % k)
    return path


def test_all_entries_are_those_of_the_library(large: Path) -> None:
    expected = by_library(large)
    assert len(expected) > 3000
    assert by_parser(large) == expected
    assert list(by_parser(large)) == sorted(expected)


def test_single_keys_are_those_of_the_library(large: Path) -> None:
    file = pickle.loads(pickle.dumps(LmdbFile(str(large))))
    expected = by_library(large)
    for key in list(expected)[::13]:
        assert file.get(key) == expected[key]
    for key in (b"", b"a", b"image-000000000", b"image-000000001x", b"zzz"):
        assert file.get(key) == expected.get(key)


def test_a_changed_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    path = database(tmp_path / "one", {b"image-000000001": b"old"})
    file = LmdbFile(str(path))
    assert file.get(b"image-000000001") == b"old"
    database(tmp_path / "two", {b"image-000000001": b"new value"})
    os.replace(tmp_path / "two" / "data.mdb", path)
    assert file.get(b"image-000000001") == b"new value"


def test_an_empty_database(tmp_path: Path) -> None:
    path = database(tmp_path, {})
    assert by_parser(path) == {}
    assert LmdbFile(str(path)).get(b"image-000000001") is None


def test_what_is_no_database(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"no database" * 100), ("zeros", bytes(8192))):
        path = tmp_path / f"{name}.mdb"
        path.write_bytes(content)
        with pytest.raises(ReadError):
            LmdbFile(str(path)).get(b"a")


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_an_error_and_no_signal(large: Path, tmp_path: Path, share: float) -> None:
    """The library maps such a file and dies of SIGBUS."""
    path = tmp_path / "cut.mdb"
    shutil.copy(large, path)
    os.truncate(path, int(path.stat().st_size * share) // 8 * 8)
    with pytest.raises(ReadError, match=r"cut short|damaged"):
        by_parser(path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_never_raise_anything_else(large: Path, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(large.read_bytes())
    for _ in range(20):
        place = int(rng.integers(0, len(content) // 4096)) * 4096 + int(rng.integers(0, 64))
        content[place : place + 2] = rng.bytes(2)
    path = tmp_path / "damaged.mdb"
    path.write_bytes(content)
    try:
        by_parser(path)
        LmdbFile(str(path)).get(b"image-000000100")
    except ReadError:
        pass


def test_pages_that_form_a_circle_end(tmp_path: Path) -> None:
    path = database(tmp_path, {b"image-%09d" % k: bytes(900) for k in range(400)})
    content = bytearray(path.read_bytes())
    start = max((0, 4096), key=lambda one: struct.unpack_from("<Q", content, one + 144)[0])
    (root,) = struct.unpack_from("<Q", content, start + 88 + 40)
    page = root * 4096
    assert struct.unpack_from("<H", content, page + 10)[0] & 1, "the root is a branch"
    for number in range((struct.unpack_from("<H", content, page + 12)[0] - 16) // 2):
        (offset,) = struct.unpack_from("<H", content, page + 16 + 2 * number)
        struct.pack_into("<HHH", content, page + offset, root & 0xFFFF, root >> 16, 0)  # every child is the root
    path.write_bytes(content)
    with pytest.raises(ReadError, match="circle"):
        by_parser(path)
    assert LmdbFile(str(path)).get(b"image-000000003") is None
