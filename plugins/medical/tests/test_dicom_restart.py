"""A large archive: what a killed scan has read is not read again, and the table comes out the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssl_domains.samples import ScanSession, scan_session
from ssl_domains_medical.dicom import scan as scanning
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
FILES = 300


@pytest.fixture
def archive(write_dicom: Write, tmp_path: Path) -> Path:
    """Files of ten patients, made from one by changing numbers of equal length."""
    content = write_dicom(
        "one.dcm", PatientID="P-00017", SOPInstanceUID="1.2.3.10017", SeriesInstanceUID="1.2.4.10017",
        StudyInstanceUID="1.2.5.10017", ImagePositionPatient=["0", "0", "00017.5"],
    ).read_bytes()  # fmt: skip
    folder = tmp_path / "in"
    for number in range(FILES):
        patient, place = divmod(number, FILES // 10)
        made = content
        for before, after in (
            (b"P-00017", f"P-{patient:05d}"), (b"1.2.3.10017", f"1.2.3.{10_000 + number}"),
            (b"00017.5", f"{place:05d}.5"),
            (b"1.2.4.10017", f"1.2.4.{10_000 + patient}"), (b"1.2.5.10017", f"1.2.5.{10_000 + patient}"),
        ):  # fmt: skip
            made = made.replace(before, after.encode())
        path = folder / f"{patient}" / f"{place}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
    return folder


def test_what_was_read_before_a_kill_is_not_read_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = MedicalReader().scan(archive).samples.frame
    assert len(whole) == FILES
    assert whole["volume"].n_unique() == 10
    reading = scanning.record_of
    read: list[Path] = []

    def stopping(path: Path, request: object) -> dict[str, object]:
        if len(read) == FILES // 3:
            raise KeyboardInterrupt
        read.append(path)
        return reading(path, request)  # type: ignore[arg-type]

    monkeypatch.setattr(scanning, "record_of", stopping)
    with pytest.raises(KeyboardInterrupt), scan_session(ScanSession(tmp_path / "journal", "")):
        MedicalReader().scan(archive)
    first = set(read)
    read.clear()
    monkeypatch.setattr(scanning, "record_of", lambda path, request: (read.append(path), reading(path, request))[1])
    with scan_session(ScanSession(tmp_path / "journal", "")) as session:
        again = MedicalReader().scan(archive).samples.frame
    assert session.restored == FILES // 3
    assert first.isdisjoint(read)
    assert len(read) == FILES - FILES // 3
    assert again.equals(whole)


def test_a_scan_killed_by_the_system_gives_the_same_bytes_when_started_again(archive: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "SSL_DOMAINS_HASH_KEY": "a key for tests"}

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ssl_domains", "medical", "scan", str(archive), "-o", str(out)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    assert start(tmp_path / "whole.parquet").wait() == 0
    killed = start(tmp_path / "killed.parquet")
    journal = tmp_path / ".scanning-killed.parquet"
    while killed.poll() is None and not (journal.exists() and journal.stat().st_size > 2000):
        pass
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert start(tmp_path / "killed.parquet").wait() == 0
    assert (tmp_path / "killed.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not journal.exists()
