"""A full disk is known in whatever form a library says it, also when the library doesn't."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ssl_domains.errors import DataError, ResourceError, UsageError, disk_is_full
from ssl_domains.samples import write_errors, write_whole

WRITE = """
import resource, sys
from pathlib import Path
import numpy as np, polars as pl, torch
from safetensors.torch import save_file
from ssl_domains.errors import ResourceError
from ssl_domains.samples import SampleTable, write_errors, write_table, write_whole
folder, size = Path(sys.argv[1]), int(sys.argv[2])
numbers = np.random.default_rng(0).random(50_000)
frame = pl.DataFrame({"sample": [str(n) for n in range(50_000)], "x": numbers})
writers = {
    "a.parquet": frame.write_parquet, "a.csv": frame.write_csv,
    "a.safetensors": lambda path: save_file({"a": torch.from_numpy(numbers)}, path),
    "a.pt": lambda path: torch.save({"a": torch.from_numpy(numbers)}, path),
    "a.npy": lambda path: np.save(path, numbers), "a.txt": lambda path: path.write_text("x" * 500_000),
}
for name in writers:
    (folder / name).write_text("old")
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
for name, write in writers.items():
    try:
        with write_errors(name):
            write_whole(folder / name, write)
    except ResourceError as error:
        assert error.message == f"the disk is full: {name} can't be written", error.message
        continue
    raise SystemExit(f"{name} was written")
try:
    write_table(SampleTable(frame.head(20_000)), folder / "b.xlsx")
except OSError:
    pass
"""


@pytest.mark.parametrize("size", [0, 100, 20_000])
def test_every_library_is_understood_and_old_files_stay_whole(tmp_path: Path, size: int) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE, str(tmp_path), str(size)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("a.parquet", "a.csv", "a.safetensors", "a.pt", "a.npy", "a.txt"), "old"
    )


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("100 requested and 0 written"),
        ValueError("parquet: No space left on device (os error 28)"),
        ValueError("[Errno 27] File too large"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598"),
    ],
)
def test_forms_of_a_full_disk(error: Exception) -> None:
    assert disk_is_full(error)
    with pytest.raises(ResourceError, match="the disk is full: the page can't be written"), write_errors("the page"):
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "No such file"), ValueError("os error 27"), RuntimeError("28"), KeyError(28)]
)
def test_other_errors_pass(error: Exception) -> None:
    assert not disk_is_full(error)
    with pytest.raises(type(error)) as caught, write_errors("the page"):
        raise error
    assert caught.value is error


def test_a_forbidden_place_is_a_usage_error_and_the_projects_errors_pass() -> None:
    with pytest.raises(UsageError, match="the page can't be written: Read-only file system"), write_errors("the page"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    with pytest.raises(DataError, match="mine"), write_errors("the page"):
        raise DataError("mine")


def test_an_error_that_hides_a_full_disk_is_found_out(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fails(part: Path) -> None:
        part.write_bytes(bytes(1000))
        raise ValueError("Invalid thrift: transport error")

    with pytest.raises(ValueError, match="thrift"):
        write_whole(tmp_path / "x", fails)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(tmp_path / "x", fails)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
