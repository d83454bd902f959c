"""Duplicates by content: by bytes, by array, nearly, and what must not be called one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ssl_domains.audit import Decode, SplitAudit, audit_split, decoding
from ssl_domains.audit.near import close_pairs
from ssl_domains.audit.perceptual import hamming, look, perceptual_hash, thumbnail
from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError, SampleTable

Arrays = list[NDArray[np.generic]]


def smooth(rng: np.random.Generator, size: int = 64) -> NDArray[np.uint8]:
    """A picture of slow waves, as photographs are, unlike any other."""
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    waves = sum(
        rng.normal() * np.cos(np.pi * (i * x + rng.uniform())) * np.cos(np.pi * (j * y + rng.uniform()))
        for i in range(6)
        for j in range(6)
    )
    scaled = (waves - waves.min()) / np.ptp(waves)
    return (scaled * 255).astype(np.uint8)[:, :, None]


def files(folder: Path, sides: dict[str, Arrays]) -> SampleTable:
    """Arrays saved one a file."""
    rows = []
    for side, arrays in sides.items():
        for number, array in enumerate(arrays):
            path = folder / f"{side}_{number}.npy"
            np.save(path, array)
            rows.append({"sample": path.stem, "path": str(path), "split": side})
    return SampleTable.of(pl.DataFrame(rows))


class Panic(BaseException):
    """A native decoder's panic, which is no `Exception`."""


class Npy:
    version = "1"

    def scan(self, source: Path, **options: Any) -> Any:
        raise ReadError("not scanned here")

    def load(self, row: Any) -> NDArray[np.generic]:
        if not row["path"].endswith(".npy"):
            raise ReadError("no array")
        if Path(row["path"]).read_bytes() == b"panic":
            raise Panic("index out of bounds")
        array: NDArray[np.generic] = np.load(row["path"])
        return array[row["row"]] if row.get("row") is not None else array


DECODE = decoding(Npy())


def by_check(found: SplitAudit, check: str) -> Any:
    (only,) = [finding for finding in found.findings if finding.check == check]
    return only


def test_a_file_under_two_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = [smooth(rng) for _ in range(6)]
    found = by_check(audit_split(files(tmp_path, {"train": arrays[:4], "test": arrays[3:]}), "split"), "content")
    assert (found.found, found.rows_a, found.rows_b, found.leak) == (1, 1, 1, True)
    assert found.details["examples"] == [{"a": "train_3", "b": "test_0"}]


def test_one_array_in_two_files_that_differ_needs_decoding(tmp_path: Path) -> None:
    array = smooth(np.random.default_rng(0))
    rows = files(tmp_path, {"train": [array], "test": [smooth(np.random.default_rng(1))]})
    compressed = tmp_path / "test_0.npy"
    with compressed.open("wb") as file:
        np.lib.format.write_array(file, array, version=(2, 0))
    assert not audit_split(rows, "split").leaks
    found = audit_split(rows, "split", decode=DECODE, near=4)
    assert by_check(found, "content").found == 1
    assert by_check(found, "near").found == 0  # what is equal is not counted a second time


def test_rows_that_share_a_file_are_compared_by_their_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 4, 8, 8, 1))
    second[3] = first[1]
    for name, array in (("first", first), ("second", second)):
        np.save(tmp_path / f"{name}.npy", array)
    rows = SampleTable.of(
        pl.DataFrame(
            {
                "path": [str(tmp_path / f"{name}.npy") for name in ("first", "second") for _ in range(4)],
                "row": [*range(4), *range(4)],
                "split": ["train"] * 4 + ["test"] * 4,
            }
        )
    )
    found = audit_split(rows, "split", decode=DECODE)
    assert by_check(found, "content").details["examples"] == [{"a": "1", "b": "7"}]
    blind = audit_split(rows, "split")
    assert "several rows share a file" in blind.notes[0]
    assert not blind.findings


def test_a_file_with_rows_on_both_sides_is_not_its_own_duplicate(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)))
    rows = SampleTable.of(
        pl.DataFrame({"path": [str(tmp_path / "one.npy")] * 2, "row": [0, 1], "split": ["train", "test"]})
    )
    assert not audit_split(rows, "split", decode=DECODE).leaks


def test_flat_pictures_are_no_duplicates(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    black = np.zeros((16, 16, 1), np.uint8)
    nearly = [(100 + rng.integers(0, 2, (16, 16, 1))).astype(np.uint8) for _ in range(4)]
    sides = {"train": [black, *nearly[:2], smooth(rng)], "test": [black, *nearly[2:], smooth(rng)]}
    rows = files(tmp_path, sides)
    found = audit_split(rows, "split", decode=DECODE, near=8)
    assert not found.leaks
    assert by_check(found, "near").details["flat_a"] == 3
    assert "hold one constant value" in " ".join(found.notes)
    # Without decoding, equal files are equal files; with it, a flat one is seen to be that.
    assert by_check(audit_split(rows, "split"), "content").leak
    assert not by_check(audit_split(rows, "split", decode=DECODE), "content").leak


def resized(array: NDArray[np.uint8]) -> NDArray[np.generic]:
    from PIL import Image

    small = Image.fromarray(array[:, :, 0]).resize((41, 52), Image.Resampling.BICUBIC)
    return np.asarray(small)[:, :, None]


CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.generic]]] = {
    "darker": lambda array: (array * 0.7).astype(np.uint8),
    "less contrast": lambda array: (60 + array * 0.4).astype(np.uint8),
    "another type": lambda array: array.astype(np.float64) / 255,
    "noise": lambda array: np.clip(array + np.random.default_rng(5).normal(0, 4, array.shape), 0, 255).astype(np.uint8),
    "resized": resized,
    "three channels": lambda array: np.repeat(array, 3, axis=2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_near_duplicates_are_found_with_their_distance(
    change: Callable[[NDArray[np.uint8]], NDArray[np.generic]], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    arrays = [smooth(rng) for _ in range(30)]
    rows = files(tmp_path, {"train": [*arrays], "test": [change(arrays[7]), *(smooth(rng) for _ in range(30))]})
    found = by_check(audit_split(rows, "split", decode=DECODE, near=4), "near")
    assert (found.rows_a, found.rows_b) == (1, 1)
    (example,) = found.details["examples"]
    assert (example["a"], example["b"]) == ("train_7", "test_0")
    assert example["distance"] <= 4
    assert found.details["distances"][str(example["distance"])] == 1


def test_near_duplicates_need_something_that_reads(tmp_path: Path) -> None:
    rows = files(tmp_path, {"train": [smooth(np.random.default_rng(0))], "test": [smooth(np.random.default_rng(1))]})
    with pytest.raises(UsageError, match="nothing says how to read"):
        audit_split(rows, "split", near=4)
    with pytest.raises(UsageError, match="within 40"):
        audit_split(rows, "split", near=40, decode=DECODE)


def test_what_cannot_be_read_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = files(tmp_path, {"train": [smooth(rng), smooth(rng)], "test": [smooth(rng)]})
    (tmp_path / "train_0.npy").write_bytes(b"panic")
    (tmp_path / "test_0.npy").unlink()
    found = audit_split(rows, "split", decode=DECODE, near=4)
    assert not found.leaks
    assert "2 rows (66.7 %) could not be read" in found.notes[0]
    assert by_check(found, "content").details["unread_a"] == 1


def test_a_table_without_files_says_so() -> None:
    rows = SampleTable.of({"split": ["train", "test"], "patient": ["a", "b"]})
    assert audit_split(rows, "split").notes == ("the table has no column 'path': contents were not compared",)


def test_near_counts_only_what_is_on_several_sides_once(tmp_path: Path) -> None:
    """A side with copies of one picture: the nearest of them is the example, and every row is counted once."""
    rng = np.random.default_rng(0)
    one = smooth(rng)
    darker = [(one * share).astype(np.uint8) for share in (0.9, 0.8, 0.7)]
    found = by_check(
        audit_split(files(tmp_path, {"train": [one], "test": [*darker, smooth(rng)]}), "split", decode=DECODE, near=4),
        "near",
    )
    assert (found.rows_a, found.rows_b) == (1, 3)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 8), st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 60))
def test_buckets_lose_no_pair(distance: int, seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 2**63, 4).astype(np.uint64)

    def hashes(count: int) -> NDArray[np.uint64]:
        flips = np.zeros(count, dtype=np.uint64)
        for _ in range(int(rng.integers(0, 8))):
            flips ^= np.uint64(1) << rng.integers(0, 64, count).astype(np.uint64)
        return base[rng.integers(0, 4, count)] ^ flips

    a, b = hashes(n), hashes(m)
    found = {
        (int(i), int(j)) for rows, columns in close_pairs(a, b, distance) for i, j in zip(rows, columns, strict=True)
    }
    brute = {(i, j) for i in range(n) for j in range(m) if bin(int(a[i]) ^ int(b[j])).count("1") <= distance}
    assert found == brute


def test_the_hash_is_the_sign_of_slow_cosine_waves() -> None:
    """Against the transform written out from its definition."""
    small = thumbnail(smooth(np.random.default_rng(3)))
    values = small.astype(np.float64) - small.mean(dtype=np.float64)
    place = np.arange(32)
    slow = np.array(
        [
            [
                (
                    values
                    * np.cos(np.pi * u * (2 * place + 1) / 64)[:, None]
                    * np.cos(np.pi * v * (2 * place + 1) / 64)
                ).sum()
                for v in range(8)
            ]
            for u in range(8)
        ]
    ).ravel()
    sure = np.abs(slow - np.median(slow)) > 1e-3 * np.abs(slow).max()
    bits = np.unpackbits(np.array([perceptual_hash(small)]).view(np.uint8)).astype(bool)
    assert sure.sum() > 40
    assert (bits[sure] == (slow > np.median(slow))[sure]).all()


def test_shapes_forget_light_and_contrast() -> None:
    array = smooth(np.random.default_rng(3)).astype(np.float64)
    for other in (array * 3 - 7, np.where(np.arange(64)[:, None, None] < 0, np.nan, array)):
        one, two = look(array), look(other)
        assert hamming(np.array([one[0]]), np.array([two[0]]))[0] <= 1
        assert float(one[1].astype(float) @ two[1].astype(float)) > 0.999


def counting(rows: list[int]) -> Decode:
    def decode(table: SampleTable) -> Iterator[tuple[int, NDArray[np.generic] | None]]:
        rows.append(len(table))
        yield from DECODE(table)

    return decode


def test_files_of_their_own_are_decoded_only_where_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = [smooth(rng) for _ in range(20)]
    asked: list[int] = []
    audit_split(files(tmp_path, {"train": arrays[:12], "test": arrays[10:]}), "split", decode=counting(asked))
    assert sum(asked) == 2


def test_arrays_of_any_rank_have_a_small_picture() -> None:
    wave = np.sin(np.arange(640) / 50)
    whole = thumbnail(wave)
    assert whole.shape == (32, 32)
    np.testing.assert_allclose(whole[:, 0], wave.reshape(32, 20).mean(axis=1), atol=1e-5)
    volume = np.random.default_rng(0).normal(size=(64, 48, 5, 3))
    np.testing.assert_allclose(thumbnail(volume), thumbnail(volume.mean(axis=(2, 3))), atol=1e-5)
