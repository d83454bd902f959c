"""A place that can't be written to is refused before the work."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import require_folder, require_target, write_whole_folder


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder of another user, who may not write here."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "read-only"
        folder.mkdir()
        (folder / "old.parquet").write_text("old")
        (folder / "old.parquet").chmod(0o444)
        folder.chmod(0o555)
        Path(made).chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_folder_a_device_and_a_file_as_parent_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, said in (
        (tmp_path, "is a folder, not a file"),
        (Path("/dev/null"), "is no regular file"),
        (tmp_path / "file" / "x.parquet", "can't be written"),
        (tmp_path / "file" / "deeper" / "x.parquet", "can't be written"),
    ):
        with pytest.raises(UsageError, match=said):
            require_target(path)
    for path, said in ((tmp_path / "file", "is a file, not a folder"), (tmp_path / "file" / "run", "is a file")):
        with pytest.raises(UsageError, match=said):
            require_folder(path)
    with pytest.raises(UsageError, match="holds files"):
        require_folder(tmp_path, new=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_good_target_is_not_made(tmp_path: Path) -> None:
    require_target(tmp_path / "new" / "x.parquet")
    require_folder(tmp_path / "run" / "deep")
    require_folder(tmp_path / "run", new=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["new"], "the folder of a file, and nothing in it"


def test_what_is_read_only_is_refused() -> None:
    with as_nobody() as folder:
        with pytest.raises(UsageError, match=r"can't be written: Permission denied"):
            require_target(folder / "new.parquet")
        with pytest.raises(UsageError, match="is read-only"):
            require_target(folder / "old.parquet")
        for path in (folder, folder / "run"):
            with pytest.raises(UsageError, match="can't be written: Permission denied"):
                require_folder(path)


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def half(part: Path) -> None:
        (part / "weights").write_text("w")
        raise ValueError("not verified")

    out = tmp_path / "new" / "out"
    with pytest.raises(ValueError, match="not verified"):
        write_whole_folder(out, half)
    assert list((tmp_path / "new").iterdir()) == []
    leftover = out.with_name(".writing-out")
    leftover.mkdir()
    (leftover / "weights").write_text("of a killed process")
    write_whole_folder(out, lambda part: (part / "card").write_text("c"))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["new", "new/out", "new/out/card"]


def test_a_file_that_is_read_is_not_replaced_under_whatever_name(tmp_path: Path) -> None:
    table = tmp_path / "samples.parquet"
    table.write_text("rows")
    (tmp_path / "link.parquet").symlink_to(table)
    for path in (table, tmp_path / "link.parquet", tmp_path / "." / "samples.parquet"):
        with pytest.raises(UsageError, match="is read here, and would be replaced"):
            require_target(path, inputs=[None, tmp_path / "gone", table])
    assert table.read_text() == "rows"
    require_target(tmp_path / "other.parquet", inputs=[None, table])
    require_target(table)
