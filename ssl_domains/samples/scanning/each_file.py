"""Read many files one by one, under the guard, with progress, and without reading a file again after a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ssl_domains.samples.scanning.guard import Unreadable, cause_of, read_guarded
from ssl_domains.samples.scanning.problems import Problems
from ssl_domains.samples.scanning.session import current_session

__all__ = ["each_file"]

_FLUSH_EVERY = 100


def each_file(
    paths: Sequence[Path], read: Callable[[Path], Any], problems: Problems, what: str = "files", version: str = ""
) -> Iterator[tuple[Path, Any]]:
    """Yield ``(path, read(path))`` for every file that can be read; the others become rows of ``problems``.

    Within a scan of the command line, each value is also written to a journal. When the scan was killed and is started
    again, a file of unchanged size and time is not read again.

    Args:
        paths: The files, in the order of the result.
        read: Reads one file. Its value must be one that JSON can hold (dictionaries with text keys, lists, text,
            numbers, None), with identifiers already hashed.
        problems: Takes the files that can't be read, with the cause.
        what: Kind of the files, shown with the progress; two kinds of reading need two names.
        version: Anything but the scan's options that changes the values, such as the fingerprint of the key that hashed
            identifiers. Values of another version are read again.

    Example:
        >>> problems = Problems()
        >>> for path, header in each_file(paths, read_header, problems):             # doctest: +SKIP
        ...     rows.append({"path": str(path), **header})
    """
    session = current_session()
    for number, path in enumerate(paths):
        value = _read(path, read, what, version)
        if isinstance(value, Unreadable):
            problems.add(path, value.cause)
        else:
            yield path, value
        if session is not None:
            if number % _FLUSH_EVERY == _FLUSH_EVERY - 1:
                session.flush()
            if session.progress is not None:
                session.progress(what, number + 1, len(paths))
    if session is not None:
        session.flush()


def _read(path: Path, read: Callable[[Path], Any], what: str, version: str) -> Any | Unreadable:
    session = current_session()
    if session is None:
        return read_guarded(lambda: read(path), path)
    try:
        status = os.stat(path)
    except OSError as error:
        return Unreadable(cause_of(error, path))
    stat = [status.st_size, status.st_mtime_ns, version]
    known, value = session.known(what, str(path), stat)
    if not known:
        made = read_guarded(lambda: read(path), path)
        stored = {"cause": made.cause} if isinstance(made, Unreadable) else {"value": made}
        value = session.remember(what, str(path), stat, stored)
    return Unreadable(value["cause"]) if "cause" in value else value["value"]
