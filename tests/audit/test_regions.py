"""Sides of a split whose samples are regions of arrays: what the audit says of the voxels they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ssl_domains.audit import audit_split, decoding
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import LazyArray, Region, Regions, SampleTable, regions_of

INLINES = [[i, i + 1, 0, 12, 0, 24] for i in range(12)]
CROSSLINES = [[0, 12, j, j + 1, 0, 24] for j in (2, 7)]


def table(rows: Sequence[Any], **more: Any) -> SampleTable:
    return SampleTable.of(pl.DataFrame({"region": rows, **more}, strict=False))


def sections(train: Sequence[list[int]], test: Sequence[list[int]], **more: Any) -> SampleTable:
    split = ["train"] * len(train) + ["test"] * len(test)
    return table([*train, *test], array=["cube"] * len(split), split=split, **more)


def test_sections_of_two_directions_are_refused_with_the_share_of_shared_voxels() -> None:
    found = audit_split(sections(INLINES[::3], CROSSLINES), "split")
    (leak,) = found.leaks
    assert leak.check == "region"
    assert leak.details["shared_voxels_share"] == pytest.approx(4 / 12)
    with pytest.raises(
        DataError, match=r"33\.3 % of the voxels of test lie inside samples of train: 192 of 576"
    ) as one:
        found.check()
    assert "two of its axes always cross" in one.value.hint
    assert audit_split(sections(INLINES, CROSSLINES), "split").leaks[0].details["shared_voxels_share"] == 1.0


def test_regions_of_different_arrays_share_nothing() -> None:
    rows = table([[0, 4, 0, 4]] * 2, array=["a", "b"], split=["train", "test"])
    (finding,) = audit_split(rows, "split").findings
    assert not finding.leak
    assert finding.sentence == "train and test share none of their 16 and 16 pixels"


def test_one_name_of_an_array_in_two_files_is_two_arrays() -> None:
    rows = table(
        [[0, 4]] * 4, array=["a", "b"] * 2, path=["x.npy"] * 2 + ["y.npy"] * 2, split=["train"] * 2 + ["test"] * 2
    )
    assert not audit_split(rows, "split").leaks


def test_pre_training_is_compared_by_file_whatever_folder_its_ids_count_from() -> None:
    rows = table([[0, 4], [6, 9]], array=["in/x.npy"] * 2, path=["/d/in/x.npy"] * 2, split=["train", "test"])
    before = table(["3,7"], array=["x.npy"], path=["/d/in/x.npy"])
    leaks = audit_split(rows, "split", pretraining=before).leaks
    assert [(leak.between, leak.found) for leak in leaks if leak.check == "region"] == [("pre-training | test", 1)]


def test_a_row_without_a_region_is_its_whole_array() -> None:
    rows = table([None, [5, 9, 0, 3], [0, 2, 0, 3]], array=["a"] * 3, split=["train", "test", "test"])
    (leak,) = audit_split(rows, "split").leaks
    assert (leak.found, leak.details["voxels_a"]) == (12 + 6, 27)


def test_regions_that_cannot_be_read_are_counted_and_left_out() -> None:
    rows = table(["0,4", "4,2", "0,2,1", "one"], array=["a"] * 4, split=["train", "test", "test", "test"])
    found = audit_split(rows, "split")
    assert not found.leaks
    assert "3 rows whose region is not known: in no check of regions" in found.notes


def test_a_column_of_labels_called_region_is_no_region() -> None:
    rows = table(["outer", "inner"], split=["train", "test"])
    assert regions_of([rows]) is None
    assert not audit_split(rows, "split").findings


@pytest.mark.parametrize(("gap", "leaks"), [(3, False), (3.5, True), (4, True)])
def test_the_gap_is_measured_between_edges(gap: float, leaks: bool) -> None:
    rows = sections([[0, 5, 0, 9, 0, 9]], [[8, 12, 0, 9, 0, 9]])
    finding = audit_split(rows, "split", gap=gap).findings[-1]
    assert (finding.check, finding.leak) == ("gap", leaks)
    assert ("is 3, less than the required 4" in finding.sentence) == leaks


def test_a_gap_needs_regions_or_coordinates() -> None:
    with pytest.raises(UsageError, match="no coordinates"):
        audit_split(SampleTable.of({"split": ["train", "test"]}), "split", gap=3)


def test_a_domain_places_the_samples_of_several_files() -> None:
    rows = table([[0, 4]] * 2, array=["near", "far"], split=["train", "test"])

    def one_area(tables: Sequence[SampleTable]) -> list[Regions]:
        return [Regions(np.zeros(len(one), np.int64), np.zeros((len(one), 1), np.int64), np.full((len(one), 1), 4),
                        ("near and far are one area",)) for one in tables]  # fmt: skip

    found = audit_split(rows, "split", place=one_area)
    assert found.leaks[0].found == 4
    assert found.notes[0] == "near and far are one area"


class Volumes:
    """A reader of ``.npy`` volumes, in place or by copy."""

    version, axes = "1", "zyx"

    def __init__(self, *, opens: bool) -> None:
        self.opens, self.loaded = opens, 0

    def scan(self, source: Path, **options: Any) -> Any:
        raise TypeError("never called: the test makes its table itself")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        self.loaded += 1
        return np.load(row["path"])

    def open(self, row: Mapping[str, Any]) -> LazyArray | None:
        return Region.npy(row["path"]) if self.opens else None


@pytest.mark.parametrize("opens", [True, False])
def test_contents_are_those_of_the_regions(tmp_path: Path, opens: bool) -> None:
    cube = np.random.default_rng(0).normal(size=(4, 5, 6))
    cube[3] = cube[0]
    np.save(tmp_path / "a.npy", cube)
    reader = Volumes(opens=opens)
    rows = [[k, k + 1, 0, 5, 0, 6] for k in range(4)] + [[0, 9, 0, 5, 0, 6, 0]]
    one = table(rows, array=["a"] * 5, path=[str(tmp_path / "a.npy")] * 5)
    read = dict(decoding(reader)(one))
    assert read[4] is None
    for row in range(4):
        assert np.array_equal(read[row], cube[row : row + 1])
    assert reader.loaded == (0 if opens else 1)
    split = one.take(np.arange(4)).with_columns(split=["train", "train", "train", "test"])
    leak = audit_split(split, "split", decode=decoding(reader)).leaks
    assert [(one.check, one.found) for one in leak] == [("content", 1)]


class Stacks(Volumes):
    """A reader of volumes whose last side are channels."""

    axes = "zyxc"


@pytest.mark.parametrize("opens", [True, False])
def test_a_region_without_channels_has_all_of_them(tmp_path: Path, opens: bool) -> None:
    stacks = np.random.default_rng(0).normal(size=(3, 5, 6, 2))
    np.save(tmp_path / "a.npy", stacks)
    regions = [[0, 1, 0, 5, 2, 6], [1, 2, 0, 5, 0, 6, 1, 2], [0, 1, 0, 5]]
    rows = table(regions, array=["a"] * 3, path=[str(tmp_path / "a.npy")] * 3)
    read = dict(decoding(Stacks(opens=opens))(rows))
    assert np.array_equal(read[0], stacks[:1, :, 2:])
    assert np.array_equal(read[1], stacks[1:2, :, :, 1:])
    assert read[2] is None
