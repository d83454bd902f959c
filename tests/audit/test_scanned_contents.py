"""Contents that a scan decoded, coarser groups that a split cuts, and pictures of arrays that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ssl_domains.audit import audit_split, cut_groups, sides_of
from ssl_domains.samples import SampleTable, TableMeta

SPLIT = ["train", "train", "test", "test"]


def table(*, by_reader: bool = True, **columns: Any) -> SampleTable:
    frame = pl.DataFrame(
        {"sample": list("abcd"), "path": [f"/nowhere/{name}" for name in "abcd"], "split": SPLIT, **columns}
    )
    meta = TableMeta(columns={name: str(dtype) for name, dtype in frame.schema.items()} if by_reader else {})
    return SampleTable.of(frame, meta)


def test_the_column_of_a_scan_is_compared() -> None:
    result = audit_split(table(content=["x", "y", "x", "z"]), "split")
    (finding,) = result.findings
    assert (finding.check, finding.what, finding.rows_a, finding.rows_b, finding.leak) == (
        "content",
        "decoded",
        1,
        1,
        True,
    )
    assert audit_split(table(content=["x", "y", "v", "z"]), "split").leaks == ()


def test_rows_without_a_digest_are_counted() -> None:
    result = audit_split(table(content=["x", None, "v", None]), "split")
    assert result.leaks == ()
    assert "2 rows (50 %) are constant or were not decoded by the scan and were not compared" in result.notes


def test_a_joined_column_of_that_name_is_no_digest() -> None:
    result = audit_split(table(content=["x", "y", "x", "z"], by_reader=False), "split")
    assert [finding for finding in result.findings if finding.check == "content"] == []


def test_coarser_groups_are_named() -> None:
    rows = table(site=["north", "south", "south", "south"], session=["1", "2", "3", "4"])
    assert cut_groups(sides_of(rows, "split"), ["site", "session", "speaker"]) == [
        "the split cuts a coarser group, 'site': 1 of 1 groups of 'site' in test are in train as well: 1 rows of train "
        "(50 %) and 2 of test (100 %); --split-by site doesn't"
    ]
    result = audit_split(rows, "split", contents=False, coarser=["site", "session"])
    assert result.leaks == ()
    assert len([note for note in result.notes if "coarser" in note]) == 1
    named = audit_split(rows, "split", ["site"], contents=False, coarser=["site"])
    assert [finding.what for finding in named.leaks] == ["site"]
    assert [note for note in named.notes if "coarser" in note] == []


@pytest.mark.parametrize("content", [None, ["p", "q", "r", "s"]])
def test_near_duplicates_by_a_picture_of_the_domain(content: list[str] | None) -> None:
    """Arrays of one row; the picture is drawn from the seed that the row names."""
    rows = table(seed=[0, 1, 2, 1], **({} if content is None else {"content": content}))

    def decode(part: SampleTable) -> Iterator[tuple[int, NDArray[np.generic] | None]]:
        yield from ((row, np.arange(5) + ord(part.frame["sample"][row])) for row in range(len(part)))

    def picture(array: NDArray[Any], row: Any) -> NDArray[np.float64]:
        return np.random.default_rng(row["seed"]).normal(size=(8, 8)).repeat(8, 0).repeat(8, 1)

    result = audit_split(rows, "split", decode=decode, near=4, picture=picture)
    (near,) = [finding for finding in result.findings if finding.check == "near"]
    assert (near.rows_a, near.rows_b) == (1, 1)
    assert near.details["examples"][0]["a"] == "b"
