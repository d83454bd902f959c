"""A folder of files is written completely or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ssl_domains.samples.writing.lock import only_one
from ssl_domains.samples.writing.target import require_folder
from ssl_domains.samples.writing.whole import sync_folder

__all__ = ["write_whole_folder"]


def write_whole_folder(folder: str | Path, write: Callable[[Path], object]) -> None:
    """Write a new folder under a temporary name beside it, then rename it.

    So nothing looks finished before ``write`` returns. The temporary folder is removed when writing fails; what a
    killed process left is removed by the next call for the same folder.

    Args:
        folder: The folder; missing or empty.
        write: Function that writes files into the empty folder it gets, and may check them there.

    Raises:
        UsageError: When the folder holds files, can't be made, or another process is writing it.
        OSError: As ``write`` raises it.
    """
    folder = Path(folder)
    require_folder(folder, new=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".writing-{folder.name}")
    with only_one(folder.with_name(f".writing-{folder.name}.lock"), f"{str(folder)!r} is being written", keep=False):
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir()
            write(temporary)
            require_folder(folder, new=True)  # again, as writing may have taken long
            if folder.is_dir():
                folder.rmdir()
            os.replace(temporary, folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    sync_folder(folder.parent)
