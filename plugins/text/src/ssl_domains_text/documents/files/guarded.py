"""The guard around a stream of entries: a fault of the file ends its stream, and not the scan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from ssl_domains.samples import Unreadable, read_guarded
from ssl_domains_text.documents.files.record import Fault

__all__ = ["guarded"]

T = TypeVar("T")


def guarded(entries: Iterator[T], path: Path) -> Iterator[T | Fault]:
    """Yield entries; an exception while one of them is read becomes a last `Fault`, and what came before it is kept.

    Args:
        entries: Entries of a file.
        path: The file, whose path is left out of the cause.

    Raises:
        SslDomainsError: As `read_guarded` raises it, for what is not the file's fault.
    """
    count = 0
    following = partial(next, entries, None)
    while True:
        one = read_guarded(following, path)
        if one is None:
            return
        if isinstance(one, Unreadable):
            line = count + 1
            yield Fault(line, f"{one.cause}: the rest of the file, from its entry {line:,} on, is not read")
            return
        count += 1
        yield one
