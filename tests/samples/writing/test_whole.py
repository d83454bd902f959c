"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable, read_table, write_problems, write_table, write_whole

TABLE = SampleTable.of({"sample": ["a", "b"], "age": [1, 2]})


def test_a_file_is_written_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    for text in ("one", "two"):
        write_whole(path, lambda part, text=text: part.write_text(text))
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "x.txt"
    path.write_text("before")

    def half(part: Path) -> None:
        part.write_text("aft")
        raise error

    with pytest.raises(type(error)):
        write_whole(path, half)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_full_disk_leaves_the_old_table(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"samples{suffix}"
    write_table(TABLE, path)

    def full(self: pl.DataFrame, file: Path, **options: object) -> None:
        Path(file).write_bytes(b"half a tab")
        raise OSError(28, "No space left on device")

    for name in ("write_parquet", "write_csv"):
        monkeypatch.setattr(pl.DataFrame, name, full)
    with pytest.raises(OSError, match="No space left"):
        write_table(TABLE.with_columns(age=[3, 4]), path)
    with pytest.raises(OSError, match="No space left"):
        write_problems(pl.DataFrame({"path": ["x"], "cause": ["y"]}), path)
    monkeypatch.undo()
    assert read_table(path).frame["age"].to_list() == [1, 2]
    assert list(tmp_path.iterdir()) == [path]


def test_a_spreadsheet_keeps_its_suffix_while_it_is_written(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "samples.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["samples.xlsx"]
    with pytest.raises(UsageError, match="can't write a table"):
        write_table(TABLE, tmp_path / "samples.json")


def test_what_a_killed_process_left_is_taken_over_and_a_live_one_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    (tmp_path / ".writing-x.txt").write_text("of a killed process, longer than what follows")
    names: list[str] = []

    def outer(part: Path) -> None:
        names.append(part.name)
        part.write_text("outer")
        write_whole(path, inner)  # as another process would at the same time
        assert path.read_text() == "inner"
        assert part.read_text() == "outer"

    def inner(part: Path) -> None:
        names.append(part.name)
        part.write_text("inner")

    write_whole(path, outer)
    assert path.read_text() == "outer"
    assert list(tmp_path.iterdir()) == [path]
    assert names[0] == ".writing-x.txt"
    assert names[1] != names[0]


def test_a_link_and_permissions_are_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "x.txt", tmp_path / "x.txt"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_whole(link, lambda part: part.write_text("new"))
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o600
