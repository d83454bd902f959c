"""The header words of a large file, kept on disk: read once, and mapped into memory by every later process.

An index is two files: ``NAME.words`` holds the columns of the words that vary, int32 one after the other, and
``NAME.json`` says what they were read from. It serves as long as the SEG-Y file has the same size and time of
modification, and 1,000 of its trace headers hold the same words.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import write_whole
from ssl_domains_seismic.segy.layout import Layout
from ssl_domains_seismic.segy.trace_words import WORDS, Progress, TraceWords, read_trace_words, read_words_of

__all__ = ["KEPT_FROM", "indexed_words"]

KEPT_FROM = 500_000
"""Files with fewer traces are read again: it takes less than a second."""
_SAMPLED = 1000


def indexed_words(layout: Layout, index: str | Path | None, progress: Progress | None = None) -> TraceWords:
    """The header words of a file: from its index where that is current, else from its traces.

    Args:
        layout: The file.
        index: The file ``NAME.json`` of the index; None, or a file of fewer than `KEPT_FROM` traces, for no index.
        progress: Called with traces read and all traces.

    Raises:
        ReadError: When the file can't be read.
    """
    if index is None or layout.traces < KEPT_FROM:
        return read_trace_words(layout, progress=progress)
    kept = _read(layout, Path(index))
    if kept is not None:
        return kept
    try:
        _write(layout, Path(index), progress)
    except OSError:  # a folder that can't be written to, or a full disk: the words are needed all the same
        return read_trace_words(layout, progress=progress)
    return _read(layout, Path(index)) or read_trace_words(layout, progress=progress)


def _stamp(layout: Layout) -> dict[str, Any]:
    """What an index must have been made from."""
    return {
        "format": 1, "size": layout.size, "modified": layout.modified, "traces": layout.traces, "first": layout.first,
        "trace_bytes": layout.trace_bytes, "order": layout.header.order, "words": list(WORDS),
    }  # fmt: skip


def _read(layout: Layout, index: Path) -> TraceWords | None:
    """The words of an index; None when it is missing, damaged or not of this file as it is now."""
    try:
        said = json.loads(index.read_text(encoding="utf-8"))
        if {name: said[name] for name in _stamp(layout)} != _stamp(layout):
            return None
        varying = [int(byte) for byte in said["varying"]]
        constant = {int(byte): int(value) for byte, value in said["constant"].items()}
        columns = {byte: np.array([value], dtype=np.int32) for byte, value in constant.items()}
        if varying:
            shape = (len(varying), layout.traces)
            if os.path.getsize(_words(index)) != shape[0] * shape[1] * 4:
                return None
            mapped = np.memmap(_words(index), dtype="<i4", mode="r", shape=shape)
            columns |= {byte: mapped[row] for row, byte in enumerate(varying)}
        if columns.keys() != WORDS.keys():
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    chosen = np.unique(np.linspace(0, layout.traces - 1, num=min(layout.traces, _SAMPLED), dtype=np.int64))
    now = read_words_of(layout, chosen)
    words = TraceWords({byte: columns[byte] for byte in WORDS}, layout.traces)
    return words if all(np.array_equal(words[byte][chosen], now[byte]) for byte in WORDS) else None


def _write(layout: Layout, index: Path, progress: Progress | None) -> None:
    index.parent.mkdir(parents=True, exist_ok=True)
    varying: list[int] = []
    constant: dict[int, int] = {}

    def words(part: Path) -> None:
        part.write_bytes(b"")

        def allocate(byte: int) -> NDArray[np.int32]:
            varying.append(byte)
            start = (len(varying) - 1) * layout.traces * 4
            os.truncate(part, start + layout.traces * 4)
            return np.memmap(part, dtype="<i4", mode="r+", offset=start, shape=(layout.traces,))

        made = read_trace_words(layout, allocate, progress)
        constant.update((byte, made.value(byte)) for byte in WORDS if byte not in varying)
        for byte in varying:
            column = made.columns[byte]
            assert isinstance(column, np.memmap)
            column.flush()

    # The words first: without its json, an index is none.
    index.unlink(missing_ok=True)
    write_whole(_words(index), words)
    said = {**_stamp(layout), "varying": varying, "constant": constant}
    write_whole(index, lambda part: part.write_text(json.dumps(said), encoding="utf-8"))


def _words(index: Path) -> Path:
    return index.with_suffix(".words")
