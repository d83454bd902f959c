"""Label volumes on the disk, and the masks of samples that are read from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ssl_domains.samples import MaskReader, ReadError
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains_seismic.labels import UNLABELLED, open_label_volume, read_mask, write_label_volume
from ssl_domains_seismic.preprocess import picture_of
from ssl_domains_seismic.reader import SeismicReader

SHAPE = (6, 8, 40)


def labels() -> NDArray[np.uint8]:
    values = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)
    values[values == 3] = UNLABELLED
    return values


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "labels.npy"
    np.save(path, labels())
    return path


def test_a_volume_is_unlabelled_where_nothing_is_written(tmp_path: Path) -> None:
    def fill(array: NDArray[np.uint8]) -> None:
        array[2, 3, 4:6] = 7

    write_label_volume(tmp_path / "a.npy", SHAPE, fill)
    written = np.load(tmp_path / "a.npy")
    assert written.dtype == np.uint8
    assert np.argwhere(written != UNLABELLED).tolist() == [[2, 3, 4], [2, 3, 5]]
    assert set(written[2, 3, 4:6]) == {7}


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def fill(array: NDArray[np.uint8]) -> None:
        array[0] = 1
        raise ReadError("the file is damaged")

    with pytest.raises(ReadError, match="the file is damaged"):
        write_label_volume(tmp_path / "a.npy", SHAPE, fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("along", ["inline", "crossline", "depth"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_mask_stands_as_the_picture_of_its_sample(volume: Path, along: str, channels: int) -> None:
    region = [1, 5, 2, 7, 10, 30]
    axis = ("inline", "crossline", "depth").index(along)
    region[2 * axis + 1] = region[2 * axis] + channels
    row = {"mask_path": str(volume), "region": region, "along": along}
    mask = SeismicReader().load_mask(row)
    part = labels()[tuple(slice(*ends) for ends in zip(region[::2], region[1::2], strict=True))]
    wanted = picture_of(part, along)[:, :, channels // 2]
    assert mask.dtype == np.uint8
    assert mask.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(mask, wanted)


def test_masks_of_a_scan_lie_over_its_samples(make: Callable[..., Path]) -> None:
    """A survey whose amplitudes are its class numbers gives masks equal to its pictures."""
    path = make(labels().astype(np.float32), name="survey/a.sgy")
    table = SeismicReader().scan(path.parent, along="inline,crossline,depth", patch="4x3").samples
    write_label_volume(path.parent / "a.npy", SHAPE, lambda array: np.copyto(array, labels()))
    frame = table.frame.with_columns(pl.lit(str(path.parent / "a.npy")).alias("mask_path"))
    table = type(table)(frame, table.meta)
    reader = SeismicReader()
    assert isinstance(reader, MaskReader)
    store = ArrayStore.fill(path.parent / "store", table, reader)
    masks = MaskStore.fill(path.parent / "masks", table, reader)
    arrays = store.of(table)
    for row, (position, along) in enumerate(zip(masks.positions(table), frame["along"], strict=True)):
        np.testing.assert_array_equal(masks[int(position)], picture_of(np.asarray(arrays[row]), along)[:, :, 0])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"region": [0, 1, 0, 8, 0, 41]}, "the sample reaches to place 41 of the samples, the label volume has 40"),
        ({"region": [6, 7, 0, 8, 0, 40]}, "the sample reaches to place 7 of the inlines, the label volume has 6"),
        ({"region": None}, "the row names no axis or no region"),
        ({"along": None}, "the row names no axis or no region"),
        ({"mask_path": None}, "the row has no label volume"),
    ],
)
def test_a_row_without_a_place_is_a_read_error(volume: Path, row: dict[str, object], said: str) -> None:
    whole = {"mask_path": str(volume), "region": [0, 1, 0, 8, 0, 40], "along": "inline"}
    with pytest.raises(ReadError, match=said):
        SeismicReader().load_mask(whole | row)


def test_a_file_of_other_numbers_is_a_read_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(SHAPE, np.int64))
    with pytest.raises(ReadError, match="6 × 8 × 40 of int64, not three axes of uint8"):
        open_label_volume(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.zeros((6, 8), np.uint8))
    with pytest.raises(ReadError, match="6 × 8 of uint8, not three axes of uint8"):
        open_label_volume(tmp_path / "a.npy")


def test_only_the_part_of_a_mask_is_read(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_label_volume(volume)
    parts: list[list[slice]] = []
    read = type(opened).read
    monkeypatch.setattr(type(opened), "read", lambda self, slices: (parts.append(list(slices)), read(self, slices))[1])
    read_mask(opened, {"region": [1, 4, 2, 5, 7, 9], "along": "inline"})
    assert parts == [[slice(2, 3), slice(2, 5), slice(7, 9)]]
