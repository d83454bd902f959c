"""Problems of a scan: what was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ssl_domains.samples.scanning.guard import cause_of

__all__ = ["Problems"]


@dataclass
class Problems:
    """Collects the files that a scan left out, with causes. It never raises, so that a bad file doesn't end a scan."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str | Path, cause: str | BaseException) -> None:
        """Record a path and its cause; the cause is one line without the path, and without other people's values."""
        text = cause_of(cause, path) if isinstance(cause, BaseException) else cause
        self.rows.append((_text(str(path)), _text(" ".join(text.split()))))

    def frame(self) -> pl.DataFrame:
        """Columns ``path`` and ``cause``, both strings."""
        return pl.DataFrame(self.rows, schema={"path": pl.String, "cause": pl.String}, orient="row")


def _text(value: str) -> str:
    # A file name that is not UTF-8 has lone surrogates, which no table can hold.
    return value.encode("utf-8", "backslashreplace").decode()
