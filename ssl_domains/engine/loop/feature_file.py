"""The features of a refresh in one memory-mapped file, so that no process holds all of them in its own memory.

Every process writes its rows; the first process maps the file and computes from it. The file lies in the run folder,
which all processes must see, and is removed afterwards.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssl_domains.engine.processes.distributed import World
from ssl_domains.errors import UsageError

__all__ = ["mapped", "remove_leftovers", "shared_file", "write_rows"]

_NAME = "refresh-{}.f32"


@contextmanager
def shared_file(folder: Path | None, world: World) -> Iterator[Path]:
    """An empty file that all processes see; removed when the block ends.

    Args:
        folder: The run folder; None makes a temporary folder, for instance for a dry run.
        world: The processes.

    Raises:
        UsageError: In all processes, when one of them doesn't see the file: it runs on a machine with another disk.
    """
    was_there = folder is None or folder.exists()

    def create() -> str:
        if folder is None:
            inside = Path(tempfile.mkdtemp(prefix="ssl-domains-"))
        else:
            inside = folder
            inside.mkdir(parents=True, exist_ok=True)
            remove_leftovers(inside)
        # A new name each time: a file of the same name on the disk of another machine is not taken for this one, and a
        # network file system has no old answer for it.
        path = inside / _NAME.format(uuid.uuid4().hex)
        path.touch()
        return str(path)

    path = Path(world.from_first(create))
    try:
        with world.together():
            if not path.is_file():
                raise UsageError(
                    f"this process does not see {path}, which the first process has made",
                    "a refresh on several machines needs a run folder on a disk that they share: give another --out",
                )
        yield path
    finally:
        if world.first:
            path.unlink(missing_ok=True)
            if folder is None or not was_there:
                with contextlib.suppress(OSError):  # it holds other files by now
                    path.parent.rmdir()


def remove_leftovers(folder: Path) -> None:
    """Remove the file of a run that was killed during a refresh."""
    for path in folder.glob(_NAME.format("*")):
        path.unlink(missing_ok=True)


def write_rows(path: Path, start: int, parts: Iterator[Tensor]) -> int:
    """Write features from row ``start`` on.

    Args:
        path: The file.
        start: First row.
        parts: Features of the following rows, float32 ``[m, F]`` on the CPU.

    Returns:
        ``F``; 0 without any part.

    Raises:
        OSError: When the disk is full.
    """
    width = 0
    try:
        with open(path, "r+b") as file:
            for part in parts:
                if not width:
                    width = part.shape[1]
                    file.seek(start * width * 4)
                file.write(np.ascontiguousarray(part.numpy(), dtype=np.float32).data.cast("B"))
    except OSError as error:
        if error.errno is not None and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    return width


def mapped(path: Path, rows: int, width: int) -> Tensor:
    """The features of a file, float32 ``[rows, width]``, mapped; what is written into them doesn't reach the file."""
    return torch.from_numpy(np.memmap(path, dtype=np.float32, mode="c", shape=(rows, width)))
