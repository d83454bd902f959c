"""A filling that is killed, interrupted or out of disk leaves whole arrays only, and the next goes on from there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import counting_reader as readers
from ssl_domains.errors import DataError, ResourceError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.stores.files import journal as journal_module

Source = Callable[..., SampleTable]
CHILD = Path(readers.__file__).with_name("store_child.py")


def command(folder: Path, table: SampleTable, how: str) -> list[str]:
    written = folder.with_suffix(".parquet")
    table.frame.write_parquet(written)
    return [sys.executable, str(CHILD), str(folder), str(written), how]


def assert_whole(store: ArrayStore, table: SampleTable) -> None:
    """Every row the store knows is the row of the file, and no row is half there."""
    for row, position in enumerate(store.positions(table)):
        values = table.frame.row(row, named=True)
        assert np.array_equal(store[position], np.load(values["path"])[values["slice"]])


def stored_files(store: ArrayStore, table: SampleTable) -> list[str]:
    """Stems of the files that are wholly stored."""
    lines = list(journal_module.read_journal(store._journal, store._data, 3))
    assert {len(line.entries) for line in lines} <= {3}
    return [Path(line.path).stem for line in lines]


@pytest.mark.parametrize(
    ("how", "kept"),
    [("file", ["0", "1"]), ("data", ["0", "1"]), ("journal", ["0", "1"])],
    ids=["between two files", "in the middle of an array", "in the middle of a journal line"],
)
def test_a_killed_filling_goes_on_where_it_stopped(tmp_path: Path, source: Source, how: str, kept: list[str]) -> None:
    folder, table = tmp_path / "x.store", source()
    done = subprocess.run(command(folder, table, how), capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    left = ArrayStore.open(folder)
    assert stored_files(left, table) == kept
    assert len(left) == 6
    assert_whole(left, table.take(range(6)))
    reader = readers.VolumeReader()
    store = ArrayStore.fill(folder, table, reader)
    assert reader.opened == ["2", "3"]
    assert_whole(store, table)
    assert_whole(ArrayStore.open(folder), table)


def test_ctrl_c_stops_and_the_next_call_goes_on(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()

    def interrupt(path: str) -> None:
        if Path(path).stem == "2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ArrayStore.fill(folder, table, readers.VolumeReader(interrupt))
    assert_whole(ArrayStore.open(folder), table.take(range(6)))
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == ["2", "3"]


@pytest.mark.parametrize("target", ["arrays", "journal"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_in_one_line_and_keeps_what_was_filled(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch, target: str, code: int
) -> None:
    folder, table = tmp_path / "x.store", source()
    write, left = os.write, {"arrays": 900, "journal": 700}

    def full(descriptor: int, blob: bytes) -> int:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
        if not name.startswith(target):
            return write(descriptor, blob)
        fits = bytes(blob)[: left[target]]
        if not fits:
            raise OSError(code, os.strerror(code))
        left[target] -= len(fits)
        return write(descriptor, fits)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ResourceError, match="disk is full") as raised:
        ArrayStore.fill(folder, table, readers.VolumeReader())
    monkeypatch.undo()
    assert raised.value.exit_code == 5
    assert "run again" in raised.value.hint
    kept = ArrayStore.open(folder)
    assert 0 < len(kept) < 12
    assert_whole(kept, table.take(range(len(kept))))
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert len(reader.opened) == 4 - len(kept) // 3


def test_a_limit_of_the_operating_system_on_file_size(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    done = subprocess.run(command(folder, table, "limit"), capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert "disk is full" in done.stdout
    assert "Traceback" not in done.stderr
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert 0 < len(reader.opened) < 4


def test_two_processes_do_not_fill_the_same_store(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    arguments = command(folder, table, "wait")
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "filling\n"
        with pytest.raises(UsageError, match=f"by process {child.pid}") as raised:
            ArrayStore.fill(folder, table, readers.VolumeReader())
        assert "wait" in raised.value.hint
        child.stdin.write("\n" * 4)
        child.stdin.close()
        assert child.wait() == 0
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == []


def test_a_killed_process_leaves_no_lock(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    subprocess.run(command(folder, table, "file"), capture_output=True, check=False)
    assert (folder / "fill.lock").exists()
    assert_whole(ArrayStore.fill(folder, table, readers.VolumeReader()), table)


def test_what_others_see_while_it_is_being_filled(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    seen: list[int] = []

    def look(path: str) -> None:
        store = ArrayStore.open(folder)
        assert_whole(store, table.take(range(len(store))))
        seen.append(len(store))

    ArrayStore.fill(folder, table, readers.VolumeReader(look))
    assert seen == [0, 3, 6, 9]


@pytest.mark.parametrize("rubbish", [b"\0" * 100, b'{"path":"x"', b"[1,2]\n", b'{"path":"x"}\n'])
def test_rubbish_behind_the_last_line_is_cut_off(tmp_path: Path, source: Source, rubbish: bytes) -> None:
    folder, table = tmp_path / "x.store", source()
    store = ArrayStore.fill(folder, table.take(range(6)), readers.VolumeReader())
    with store._journal.open("ab") as file:
        file.write(rubbish)
    with store._data.open("ab") as file:
        file.write(b"half an array")
    assert_whole(ArrayStore.open(folder), table.take(range(6)))
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == ["2", "3"]
    assert_whole(ArrayStore.open(folder), table)


def test_data_lost_in_a_power_cut_is_decoded_again(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal reached the disk and the data didn't, after the last time both were forced to."""
    folder, table = tmp_path / "x.store", source()

    def stop(path: str) -> None:
        if Path(path).stem == "3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ArrayStore.fill(folder, table, readers.VolumeReader(stop))
    store = ArrayStore.open(folder)
    lines = list(journal_module.read_journal(store._journal, store._data, 3))
    with store._data.open("r+b") as file:
        file.seek(lines[1].start)
        file.write(bytes(lines[1].end - lines[1].start))
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == ["1", "2", "3"]


def test_data_cut_short_is_decoded_again(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    store = ArrayStore.fill(folder, table, readers.VolumeReader())
    os.truncate(store._data, store._data.stat().st_size - 10)
    assert len(ArrayStore.open(folder)) == 11, "only the array that was cut is lost"
    reader = readers.VolumeReader()
    assert_whole(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == ["3"]


def test_what_was_forced_to_the_disk_is_not_read_again(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SYNC_BYTES", 1)
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table.take(range(9)), readers.VolumeReader())
    checked: list[str] = []
    monkeypatch.setattr(journal_module.Journal, "_checks", lambda self, line: bool(checked.append(line.path)) or True)
    assert_whole(ArrayStore.fill(folder, table, readers.VolumeReader()), table)
    assert checked == []


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": [["a", 1, 0, "<f4", 2, 2]]},  # another number of sides
        {"rows": [["a", 1, 0, "<f4", 1e308, 2, 1]]},
        {"rows": [["a", 1, 0, "<f4", {"a": None}, 2, 1]]},
        {"rows": [[["a"], 1, 0, "<f4", 2, 2, 1]]},
        {"rows": [["a", 1, {"dtype": "<f4", "shape": [[{}], 1, 1]}]]},
        {"rows": [["a", 1, 0, "<f4", 1 << 70, 2, 1]]},
        {"stat": 3},
        {"stat": [1]},
        {"columns": [["slice"]]},
        {"end": "far"},
        {"end": -1},
        {"start": 20},
        {"rows": [["a", 1, 0, "<f4", -2, 2, 1]]},
        {"rows": [["a", 1, 0, "|u1000000", 2, 2, 1]]},
        {"rows": [["a\ud800", 1, 0, "<f4", 2, 2, 1]]},
        {"path": None},
    ],
)
def test_a_line_of_wrong_values_ends_the_journal(tmp_path: Path, damage: dict[str, Any]) -> None:
    good = {"path": "a.npy", "stat": [1, 2], "columns": ["slice"], "rows": [["a", 1, 0, "<f4", 2, 2, 1]]}
    good |= {"start": 0, "end": 16, "crc": 0}
    (tmp_path / "data").write_bytes(bytes(16))
    journal = tmp_path / "journal"
    journal.write_text("".join(json.dumps(line) + "\n" for line in (good, good | damage, good)))
    assert len(list(journal_module.read_journal(journal, tmp_path / "data", 3))) == 1
    journal.write_text(json.dumps(good) + "\n" + "[" * 100_000 + "\n")
    assert len(list(journal_module.read_journal(journal, tmp_path / "data", 3))) == 1


def test_a_journal_that_is_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        list(journal_module.read_journal(tmp_path / "journal", tmp_path / "data", 3))
