"""Labels of a scan: the columns that they give each sample, compared with the definition voxel by voxel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes.labels import read_labels
from ssl_domains.stores import MaskStore, mask_names
from ssl_domains_seismic.interpretation import class_columns
from ssl_domains_seismic.labels import UNLABELLED
from ssl_domains_seismic.preprocess import picture_of
from ssl_domains_seismic.reader import SeismicReader

from .conftest import smooth
from .labelled_scan import causes, scan_labelled

Make = Callable[..., Path]
SHAPE = (6, 8, 40)
NAMES = {0: "background", 1: "fault", 2: "channel"}


@pytest.fixture
def survey(make: Make) -> Path:
    return make(smooth(*SHAPE), name="survey/a.sgy")


@pytest.fixture
def labels(tmp_path: Path) -> NDArray[np.uint8]:
    """Classes 0 to 2 of three quarters of the voxels, in lumps so that parts hold one class only."""
    coarse = np.random.default_rng(3).choice([0, 1, 2, UNLABELLED], (3, 4, 5)).astype(np.uint8)
    values = coarse.repeat(2, 0).repeat(2, 1).repeat(8, 2)
    np.save(tmp_path / "labels.npy", values)
    return values


def wanted(row: dict[str, Any], labels: NDArray[np.uint8], cover: float) -> dict[str, Any]:
    """The columns of a row, from their definition."""
    ends = np.array(row["region"]).reshape(3, 2)
    axis = ("inline", "crossline", "depth").index(row["along"])
    middle = ends[axis].sum() // 2
    ends[axis] = middle, middle + 1
    voxels = labels[tuple(slice(*pair) for pair in ends)].ravel().tolist()
    known = [voxel for voxel in voxels if voxel != UNLABELLED]
    shares = {name: known.count(number) / len(known) if known else None for number, name in NAMES.items()}
    most = max(NAMES, key=lambda number: (known.count(number), -number))
    listed = [name for number, name in NAMES.items() if number and known and known.count(number) >= cover * len(known)]
    listed = [name for name in listed if shares[name]]
    return {
        "labelled": len(known) / len(voxels),
        **{f"share_{name}": share for name, share in shares.items()},
        "class": NAMES[most] if known else None,
        "classes": listed if known else None,
    }


@pytest.mark.parametrize("room", [1, 200, 1 << 20])
@pytest.mark.parametrize(
    ("along", "options"),
    [
        ("inline,crossline,depth", {}),
        ("inline,crossline,depth", {"patch": "4x3", "stride": "3x2"}),
        ("inline", {"patch": "8x4", "channels": 3}),
        ("depth", {"patch": "2", "every": 7, "cover": 0.6}),
        ("crossline", {"il": "102:108", "ms": "20:80", "cover": 0.0}),
    ],
)
def test_columns_are_those_of_the_definition(
    survey: Path, labels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    along: str, options: dict[str, Any], room: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(class_columns, "_ROOM", room)
    given = {"labels": tmp_path / "labels.npy", "label_names": "1=fault,2=channel", "along": along, **options}
    frame = scan_labelled(survey.parent, tmp_path / "s.parquet", **given).samples.frame
    assert len(frame) > 5
    for row in frame.iter_rows(named=True):
        right = wanted(row, labels, options.get("cover", 0.05))
        assert {name: row[name] for name in right} == right
        assert (row["mask_path"] is None) == (right["labelled"] == 0)


def test_a_table_says_which_columns_come_from_labels(survey: Path, labels: NDArray[np.uint8], tmp_path: Path) -> None:
    given = {"labels": tmp_path / "labels.npy", "label_names": "1=fault", "along": "depth"}
    table = scan_labelled(survey.parent, tmp_path / "s.parquet", **given).samples
    assert mask_names(table) == {1: "fault", 2: "2"}
    assert table.meta.options["mask_columns"] == [
        "labelled", "share_background", "share_fault", "share_2", "class", "classes",
    ]  # fmt: skip
    assert set(table.meta.options["mask_columns"]) < set(table.columns)


def test_class_0_is_a_class_where_it_has_a_name(survey: Path, tmp_path: Path) -> None:
    values = np.zeros(SHAPE, np.uint8)
    values[0] = 1
    np.save(tmp_path / "labels.npy", values)
    given = {"labels": tmp_path / "labels.npy", "along": "inline"}
    unnamed = scan_labelled(survey.parent, tmp_path / "s.parquet", label_names="1=top", **given).samples
    assert unnamed.frame["class"].to_list() == ["top"] + 5 * ["background"]
    assert unnamed.frame["classes"].to_list() == [["top"]] + 5 * [[]]
    read = read_labels(unnamed.frame["classes"])
    assert (read.task, read.classes, read.known.all()) == ("multilabel", ("top",), True)
    np.testing.assert_array_equal(read.y, [[1.0]] + 5 * [[0.0]])
    named = scan_labelled(survey.parent, tmp_path / "s.parquet", label_names="0=base,1=top", **given).samples
    assert named.frame["classes"].to_list() == [["top"]] + 5 * [["base"]]
    assert mask_names(named) == {0: "base", 1: "top"}
    none = scan_labelled(survey.parent, tmp_path / "s.parquet", **given).samples
    assert mask_names(none) == {1: "1"}


def test_masks_of_the_table_are_the_labels_of_its_samples(
    survey: Path, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    given = {"labels": tmp_path / "labels.npy", "along": "inline,crossline,depth", "patch": "8x4"}
    table = scan_labelled(survey.parent, tmp_path / "s.parquet", **given).samples
    masks = MaskStore.fill(tmp_path / "masks", table, SeismicReader())
    for row, position in zip(table.frame.iter_rows(named=True), masks.positions(table), strict=True):
        part = labels[tuple(slice(*row["region"][k : k + 2]) for k in (0, 2, 4))]
        assert (position >= 0) == (part != UNLABELLED).any()
        if position >= 0:
            np.testing.assert_array_equal(masks[int(position)], picture_of(part, row["along"])[:, :, 0])


def test_a_survey_without_labels_has_nulls(make: Make, labels: NDArray[np.uint8], tmp_path: Path) -> None:
    make(smooth(*SHAPE), name="survey/a.sgy")
    make(smooth(4, 4, 30), name="survey/b.sgy")
    frame = scan_labelled(tmp_path / "survey", tmp_path / "s.parquet", labels=tmp_path / "labels.npy").samples.frame
    other = frame.filter(pl.col("survey") == "b.sgy")
    assert other.select("mask_path", "share_1", "class", "classes").null_count().row(0) == (4, 4, 4, 4)
    assert other["labelled"].to_list() == 4 * [0.0]
    assert frame.filter(pl.col("survey") == "a.sgy")["mask_path"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label_names": "1=a"}, "--label-names without --labels"),
        ({"cover": 0.1}, "--cover without --labels"),
        ({"labels": "x.npy"}, "there is no"),
        ({"labels": "labels.npy", "label_names": "a=1"}, "can't read 'a=1'"),
        ({"labels": "labels.npy", "label_names": "1=a,2"}, "can't read '2'"),
        ({"labels": "labels.npy", "label_names": "255=a"}, "can't read '255=a'"),
        ({"labels": "labels.npy", "label_names": "1=a,2=a"}, "names '2=a' twice"),
        ({"labels": "labels.npy", "label_names": "1=a,1=b"}, "names '1=b' twice"),
        ({"labels": "labels.npy", "cover": 5.0}, "--cover 5"),
        ({"labels": "b.sgy=labels.npy"}, "no survey is called 'b.sgy'"),
        ({"horizon": "x.txt"}, "--horizon: there is no file"),
    ],
)
def test_options_that_can_not_be_read(
    survey: Path, labels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any], said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        scan_labelled(survey.parent, tmp_path / "s.parquet", **options)
    assert said in str(caught.value)
    assert caught.value.hint
    assert not (tmp_path / "s.labels").exists()


def test_labels_need_a_table_beside_which_they_are_written(
    survey: Path, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no table is being written"):
        SeismicReader().scan(survey.parent, labels=tmp_path / "labels.npy")


def test_a_file_that_fits_nothing_is_a_problem_and_the_scan_goes_on(survey: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", np.zeros((6, 7, 40), np.uint8))
    result = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=tmp_path / "labels.npy")
    assert causes(result) == {"labels.npy": "it has 7 crosslines, the survey has 8"}
    assert result.samples.frame["mask_path"].null_count() == 6
    assert not (tmp_path / "s.labels").exists()
