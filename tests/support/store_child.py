"""Fills a store in a process of its own and is stopped in a chosen way: ``store_child.py FOLDER TABLE HOW``."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import polars as pl

from counting_reader import VolumeReader
from ssl_domains.errors import SslDomainsError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore


def main(folder: str, table: str, how: str) -> int:
    def before(path: str) -> None:
        if how == "file" and Path(path).stem == "2":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "interrupt" and Path(path).stem == "2":
            raise KeyboardInterrupt
        if how == "wait":
            print("filling", flush=True)
            sys.stdin.readline()

    if how in ("data", "journal"):
        write, calls = os.write, 0

        def half(descriptor: int, blob: bytes) -> int:
            nonlocal calls
            name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
            calls += name.startswith(how if how == "journal" else "arrays")
            if calls == (3 if how == "journal" else 8):
                write(descriptor, bytes(blob)[: len(blob) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return write(descriptor, blob)

        os.write = half
    if how == "limit":
        size = 700
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        ArrayStore.fill(folder, SampleTable.of(pl.read_parquet(table)), VolumeReader(before))
    except SslDomainsError as error:
        print(f"{error.message}|{error.hint}", flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
