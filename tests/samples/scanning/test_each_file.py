"""One bad file never ends a scan, and no file is read twice after a restart."""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path

import pytest

from ssl_domains.errors import ResourceError, UsageError
from ssl_domains.samples import (
    Problems,
    ReadError,
    ScanSession,
    Unreadable,
    cause_of,
    current_session,
    each_file,
    expanded_gzip,
    read_guarded,
    require_expandable,
    require_target,
    scan_session,
    walk,
)
from ssl_domains.samples.scanning.expansion import require_expanded
from ssl_domains.samples.scanning.guard import SPECIAL


class Panic(BaseException):
    """A native decoder's panic, which is no `Exception`."""


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Panic("rows differ"), "Panic: rows differ"),
        (ReadError("no pixels"), "no pixels"),
        (OSError(errno.EACCES, "Permission denied", "/a/b/c.dcm"), "Permission denied"),
        (ValueError("bad value\nin /a/b/c.dcm"), "ValueError: bad value in the file"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (MemoryError("7 TiB"), "reading it asks for more memory than there is (7 TiB)"),
        (ReadError(""), "unreadable"),
        (ValueError("x" * 1000), "ValueError: " + "x" * 287 + "…"),
    ],
)  # fmt: skip
def test_any_error_of_a_file_becomes_its_cause(error, cause):
    assert read_guarded(lambda: _raise(error), "/a/b/c.dcm") == Unreadable(cause)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), UsageError("no such option"), OSError(errno.ENOSPC, "full")]
)
def test_what_is_not_the_file_s_fault_is_raised(error):
    with pytest.raises(type(error)):
        read_guarded(lambda: _raise(error))


def test_a_machine_without_memory_is_told_from_a_file_that_asks_for_much(monkeypatch):
    import ssl_domains.samples.scanning.guard as guard

    monkeypatch.setattr(guard, "_SPARE_BYTES", 1 << 62)
    with pytest.raises(ResourceError):
        cause_of(MemoryError())


def test_a_restarted_scan_reads_no_file_again(tmp_path):
    files = [tmp_path / f"{number}.bin" for number in range(7)]
    for number, file in enumerate(files):
        file.write_bytes(bytes(number))
    journal, calls, interruptions = tmp_path / "journal", [], ["once"]

    def read(path: Path) -> dict[str, object]:
        calls.append(path.name)
        if path.name == "2.bin":
            raise Panic("broken")
        if path.name == "4.bin" and interruptions:
            interruptions.clear()
            raise KeyboardInterrupt
        return {"size": (path.stat().st_size, 0.1)}

    def scan(request: str = "a") -> tuple[list[object], list[tuple[str, str]], int]:
        problems = Problems()
        with scan_session(ScanSession(journal, request)) as session:
            return list(each_file(files, read, problems)), problems.rows, session.restored

    with pytest.raises(KeyboardInterrupt):
        scan()
    with journal.open("a") as file:
        file.write('["files", "cut off')
    rows, problems, restored = scan()
    assert calls == ["0.bin", "1.bin", "2.bin", "3.bin", "4.bin", "4.bin", "5.bin", "6.bin"]
    assert restored == 4
    assert rows == [(file, {"size": [int(file.stem), 0.1]}) for file in files if file.stem != "2"]
    assert problems == [(str(files[2]), "Panic: broken")]
    assert journal.stat().st_mode & 0o777 == 0o600

    calls.clear()
    files[5].write_bytes(b"changed")
    assert scan()[2] == 6
    assert calls == ["5.bin"]
    calls.clear()
    assert scan("another request")[2] == 0
    assert len(calls) == 7


def test_values_of_another_version_are_read_again(tmp_path):
    file = tmp_path / "a"
    file.write_text("a")
    calls = []
    for version in ("1", "1", "2"):
        with scan_session(ScanSession(tmp_path / "journal", "a")):
            list(each_file([file], lambda path: calls.append(path) or 1, Problems(), version=version))
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"value": "b"', b'"value": "x"'), (b'"value": "b"', b"\xff\xfe"), (b"b.bin", b"c.bin"), (b"\n", b"")],
)
def test_a_damaged_line_of_the_journal_is_read_again(tmp_path, old, new):
    files = [tmp_path / f"{name}.bin" for name in "ab"]
    for file in files:
        file.write_text(file.stem)
    journal = tmp_path / "journal"

    def values():
        with scan_session(ScanSession(journal, "a")) as session:
            read = [value for _, value in each_file(files, lambda path: path.read_text(), Problems())]
            return read, session.restored

    assert values() == (["a", "b"], 0)
    assert values() == (["a", "b"], 2)
    first, rest = journal.read_bytes().split(b"\n", 1)
    journal.write_bytes(first + b"\n" + rest.replace(old, new))
    read, restored = values()
    assert read == ["a", "b"]
    assert restored < 2


def test_folders_a_thousand_deep_do_not_end_a_scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("a")
        os.chdir("a")
    Path("last.png").touch()
    os.chdir(tmp_path)
    problems = Problems()
    found = list(walk(tmp_path, problems))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/" * 1200 + "last.png"]
    assert not problems.rows
    for path in [*found, *list(found[0].parents)[:1200]]:  # the clean-up of pytest calls itself for each folder
        path.unlink() if path.suffix else path.rmdir()


def test_a_pipe_a_socket_and_a_device_are_named_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    os.symlink("/dev/zero", tmp_path / "b.png")
    os.symlink(tmp_path / "a.png", tmp_path / "c.png")
    os.symlink(tmp_path / "nowhere", tmp_path / "d.png")
    problems = Problems()
    assert list(walk(tmp_path, problems)) == []
    assert {Path(path).name: cause.split(",")[0] for path, cause in problems.rows} == {
        **dict.fromkeys(("a.png", "b.png", "c.png"), "a pipe"),
        "d.png": "a link to a file that is not there",
    }


def test_walk_is_in_the_order_of_sorted_paths_and_names_what_it_cannot_list(tmp_path, monkeypatch):
    for name in ("b/2", "b/10", "a.d/x", "a/y", "a-b/z", ".hidden/no", "a/.no", "secret/s"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with open(os.fsencode(tmp_path) + b"/bad\xff", "w"):
        pass
    scandir = os.scandir

    def listed(folder):
        if Path(folder).name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", listed)
    problems = Problems()
    found = list(walk(tmp_path, problems))
    expected = [p for p in sorted(tmp_path.rglob("*")) if p.is_file() and p.name[0] != "." and p.parent.name[0] != "."]
    assert found == [p for p in expected if p.parent.name != "secret" and p.name[:3] != "bad"]
    causes = {Path(path).name: cause for path, cause in problems.frame().iter_rows()}
    assert causes == {
        "secret": "the folder can't be listed: Permission denied",
        "link": "a link to a folder, which is not followed: scan that folder itself",
        "gone": "a link to a file that is not there",
        "bad\\udcff": "its name is not UTF-8 text: rename it",
    }


def test_a_compressed_file_expands_to_a_limit(tmp_path, monkeypatch):
    file = tmp_path / "zeros.gz"
    file.write_bytes(gzip.compress(bytes(3_000_000)))
    assert expanded_gzip(file) == bytes(3_000_000)
    assert expanded_gzip(file, 1000) == bytes(1000)
    with pytest.raises(ReadError, match="holds 3,000,000 bytes where its header states 3,000,001"):
        expanded_gzip(file, 3_000_001)
    require_expanded(file, 3_000_000)
    with pytest.raises(ReadError, match="holds 3,000,000 bytes where its header states 3,000,001"):
        require_expanded(file, 3_000_001)
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.002")
    with pytest.raises(ReadError, match=r"more than the limit of 0\.002 GB"):
        expanded_gzip(file)
    with pytest.raises(ReadError, match="more than the limit"):
        require_expandable(2_000_001)
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "much")
    with pytest.raises(UsageError, match="MAX_FILE_GB is 'much'"):
        require_expandable(1)
    monkeypatch.delenv("SSL_DOMAINS_MAX_FILE_GB")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ReadError, match="damaged or cut short"):
        expanded_gzip(file)


def test_a_target_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a folder"):
        require_target(tmp_path)
    with pytest.raises(UsageError, match="can't be written"):
        require_target(tmp_path / "file" / "table.parquet")
    require_target(tmp_path / "new" / "table.parquet")
    assert sorted(os.listdir(tmp_path / "new")) == []


def test_a_journal_holds_json_lines(tmp_path):
    file = tmp_path / "a"
    file.write_text("a")
    with scan_session(ScanSession(tmp_path / "journal", "a")):
        list(each_file([file], lambda path: {"x": float("nan")}, Problems()))
    assert json.loads((tmp_path / "journal").read_text().splitlines()[0]) == {"scan": "a"}


def test_a_reader_may_keep_files_beside_the_table_that_is_written(tmp_path: Path) -> None:
    assert current_session() is None
    with scan_session(ScanSession(tmp_path / "journal", "a")):
        session = current_session()
        assert session is not None
        assert session.folder == tmp_path
    with scan_session(ScanSession(None, "a")) as session:
        assert session.folder is None


def test_a_pipe_as_source_is_named_as_one(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    problems = Problems()
    assert list(walk(tmp_path / "a.png", problems)) == []
    assert [cause for _, cause in problems.rows] == [SPECIAL]
