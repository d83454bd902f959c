"""Sounds of samples on pages: which are embedded, and which are left out to keep a page small."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.reports.thumbnails.sounds import sample_sounds, shown_sounds
from ssl_domains.samples import ReadError, SampleTable, ScanResult
from ssl_domains.stores import ArrayStore


class Tones:
    """Signals ``[t, 1]`` of one number each; ``s3`` can't be read."""

    version, axes = "1", "tc"

    def scan(self, source: Path, **options: Any) -> ScanResult:
        raise AssertionError("the table is made by hand")

    def load(self, row: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        number = int(row["sample"][1:])
        if number == 3:
            raise ReadError("cut off")
        return np.full((10, 1), number, dtype=np.int16)


def table() -> SampleTable:
    return SampleTable(pl.DataFrame({"sample": [f"s{k}" for k in range(6)], "path": [f"/x/{k}" for k in range(6)]}))


def hundred(array: Any, row: Mapping[str, Any]) -> bytes | None:
    """75 bytes, so 100 characters of base64; none for the fourth sample, and a failure for the fifth."""
    if row["sample"] == "s4":
        return None
    if row["sample"] == "s5":
        raise ValueError("a fault of the plugin")
    return bytes([array[0, 0]]) * 75


HEAD = "data:audio/wav;base64,"


def stored(path: Path) -> ArrayStore:
    return ArrayStore.fill(path / "store", table(), Tones())


def test_a_sound_is_what_the_domain_makes_of_array_and_row(tmp_path: Path) -> None:
    made = sample_sounds(table(), [2, 0, 2], stored(tmp_path), hundred)
    assert list(made.uris) == [2, 0]
    assert made.uris[2].startswith(HEAD)
    assert base64.b64decode(made.uris[2].removeprefix(HEAD)) == bytes([2]) * 75
    assert made.remark == ""


def test_what_cannot_be_read_or_played_has_no_player_and_no_remark(tmp_path: Path) -> None:
    made = sample_sounds(table(), range(6), stored(tmp_path), hundred)
    assert set(made.uris) == {0, 1, 2}
    assert made.remark == ""


def test_the_first_ones_until_the_page_is_full_each_as_often_as_it_is_shown(tmp_path: Path) -> None:
    each = 100 + len(HEAD)
    store = stored(tmp_path)
    assert set(sample_sounds(table(), [0, 1, 2], store, hundred, most=2 * each).uris) == {0, 1}
    made = sample_sounds(table(), [0, 1, 0, 2], store, hundred, most=3 * each - 1)
    assert set(made.uris) == {0}, "0 stands there twice"
    assert made.remark == "2 samples without a player, to keep the page small"


def test_a_sound_of_a_megabyte_is_no_thumbnail(tmp_path: Path) -> None:
    made = sample_sounds(table(), [0, 1], stored(tmp_path), lambda array, row: bytes(10**6 if array[0, 0] else 10))
    assert set(made.uris) == {0}


def test_without_a_store_only_the_rows_of_the_page_are_decoded() -> None:
    read = []

    class Counting(Tones):
        def load(self, row: Mapping[str, Any]) -> np.ndarray[Any, Any]:
            read.append(row["sample"])
            return super().load(row)

    made = shown_sounds(table(), [1, 2, 1], Counting(), None, hundred)
    assert set(made.uris) == {1, 2}
    assert set(read) == {"s1", "s2"}
    assert shown_sounds(table(), [1, 2], Counting(), None, None).uris == {}
