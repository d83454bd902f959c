"""Whether a SEG-Y file has the headers of another one, as segyio reads both."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from ssl_domains.errors import DataError, SslDomainsError, UsageError
from ssl_domains.samples import ReadError
from ssl_domains_seismic.segy.file_header import read_file_header

__all__ = ["same_headers"]

_HEADERS = 3600  # bytes of the text header and the binary header
_FORMAT = 3225
"""Word of the sample format, which a file of predictions may change."""


def same_headers(source: Path, written: Path) -> list[str]:
    """Compare all header words of two files, and return what to say.

    Compared are every word of every trace header that segyio knows, in the order of the traces, the binary header but
    for the sample format, and the lines of the text header, of which one may be added.

    Args:
        source: A SEG-Y file.
        written: A file that was written from it.

    Raises:
        UsageError: When a file isn't there.
        DataError: When a file can't be opened, or a word differs; names the first one.
    """
    import segyio

    for path in (source, written):
        if not path.is_file():  # also a pipe, which would be waited for
            raise UsageError(
                f"there is no file {str(path)!r}", "give the survey, and a file that predict wrote from it"
            )
    try:
        with (
            segyio.open(str(source), ignore_geometry=True, endian=_endian(source)) as a,
            segyio.open(str(written), ignore_geometry=True, endian=_endian(written)) as b,
        ):
            if a.tracecount != b.tracecount or len(a.samples) != len(b.samples):
                raise _differ(
                    f"{b.tracecount:,} × {len(b.samples):,} samples instead of {a.tracecount:,} × {len(a.samples):,}"
                )
            for word in segyio.tracefield.keys.values():
                one, other = a.attributes(word)[:], b.attributes(word)[:]
                if not np.array_equal(one, other):
                    trace = int(np.flatnonzero(one != other)[0])
                    raise _differ(f"word {word} of trace {trace + 1:,} is {other[trace]} instead of {one[trace]}")
            for word in a.bin.keys():  # noqa: SIM118  # a view of fields, not a dict
                if int(word) != _FORMAT and a.bin[word] != b.bin[word]:
                    raise _differ(f"word {int(word)} of the binary header is {b.bin[word]} instead of {a.bin[word]}")
            added = _added_lines(bytes(a.text[0]), bytes(b.text[0]))
            count, words = a.tracecount, len(segyio.tracefield.keys)
    except SslDomainsError:
        raise
    except (OSError, RuntimeError, ReadError, ValueError) as error:
        raise DataError(f"segyio can't open both files: {error}", "is each of them a SEG-Y file?") from error
    return [
        f"opened with segyio {version('segyio')}: {count:,} trace headers of {words} words are equal, and the binary "
        "header but for the sample format",
        "text header equal" if added is None else f"text header equal but for one added line: {added}",
    ]


def _endian(path: Path) -> str:
    """The byte order in segyio's words."""
    with path.open("rb") as file:
        return read_file_header(file.read(_HEADERS)).endian


def _added_lines(before: bytes, after: bytes) -> str | None:
    changed = [k for k in range(0, len(before), 80) if before[k : k + 80] != after[k : k + 80]]
    if not changed:
        return None
    if len(changed) > 1:
        raise _differ(f"{len(changed)} lines of the text header")
    return after[changed[0] : changed[0] + 80].decode("ascii", "replace").rstrip()


def _differ(what: str) -> DataError:
    return DataError(f"the headers differ: {what}", "the file was not written by predict, or was changed")
