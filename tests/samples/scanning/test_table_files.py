"""Files beside a table: kept when it is written, removed when it is not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.samples import SampleTable, TableFiles, read_table, write_portable


def test_new_files_stay_and_old_ones_go_when_the_table_is_written(tmp_path: Path) -> None:
    old = tmp_path / "s.masks" / "old.npy"
    old.parent.mkdir()
    old.write_text("old")
    with TableFiles(tmp_path / "s.parquet").kept() as files:
        folder = files.folder("masks")
        new = folder / "new.npy"
        new.write_text("new")
        files.new.append(new)
        files.old.update([old, folder])
        assert old.is_file()
    assert sorted(folder.iterdir()) == [new]


def test_new_files_and_their_folder_go_and_old_ones_stay_after_an_error(tmp_path: Path) -> None:
    old = tmp_path / "s.masks" / "old.npy"
    old.parent.mkdir()
    old.write_text("old")

    def fails() -> None:
        with TableFiles(tmp_path / "s.parquet").kept() as files:
            for kind in ("masks", "other"):
                new = files.folder(kind) / "new.npy"
                new.write_text("new")
                files.new.append(new)
            files.old.add(old)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert sorted(tmp_path.rglob("*")) == [old.parent, old]


def test_a_folder_that_holds_no_file_any_more_goes_too(tmp_path: Path) -> None:
    with TableFiles(tmp_path / "s.parquet").kept() as files:
        folder = files.folder("masks")
        (folder / "a.npy").write_text("a")
    with TableFiles(tmp_path / "s.parquet").kept() as files:
        files.old.update([folder, folder / "a.npy"])
    assert not folder.exists()


def test_a_table_moves_with_its_masks(tmp_path: Path) -> None:
    masks = tmp_path / "here" / "s.masks" / "a.npy"
    masks.parent.mkdir(parents=True)
    masks.write_text("a")
    frame = pl.DataFrame({"sample": ["a", "b"], "path": ["/data/a.png"] * 2, "mask_path": [str(masks), None]})
    write_portable(SampleTable(frame), tmp_path / "here" / "s.parquet")
    assert pl.read_parquet(tmp_path / "here" / "s.parquet")["mask_path"].to_list() == ["s.masks/a.npy", None]
    (tmp_path / "here").rename(tmp_path / "there")
    moved = read_table(tmp_path / "there" / "s.parquet").frame["mask_path"]
    assert moved.to_list() == [str(tmp_path / "there" / "s.masks" / "a.npy"), None]
