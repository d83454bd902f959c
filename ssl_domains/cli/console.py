"""Output of the command line: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from ssl_domains.cli.progress import silent

__all__ = ["Answer", "answering", "error", "note", "table"]


class Answer:
    """Writes the answer of a command on standard output: one JSON document with ``--json``, else lines of text."""

    def __init__(self, stream: TextIO, as_json: bool) -> None:
        self._stream = stream
        self.as_json = as_json

    def json(self, document: Any) -> None:
        """Write the document, with ``--json`` only; NaN and infinities become null, as JSON has neither."""
        if self.as_json:
            print(json.dumps(_plain(document), indent=2, allow_nan=False), file=self._stream)

    def width(self) -> int | None:
        """Columns of the terminal that shows the answer; None where it goes to a file or another program."""
        return shutil.get_terminal_size().columns if self._stream.isatty() else None

    def line(self, text: str = "") -> None:
        """Write a line of text, without ``--json`` only."""
        if not self.as_json:
            print(text, file=self._stream)


@contextlib.contextmanager
def answering(as_json: bool = False) -> Iterator[Answer]:
    """Yield the `Answer` of a command.

    With ``--json``, other prints (libraries, plugins) go to standard error, and no progress is shown.
    """
    answer = Answer(sys.stdout, as_json)
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext(), silent(as_json):
        yield answer


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def error(kind: str, message: str, hint: str) -> None:
    """Print a message and a hint on standard error, one line each; coloured on a terminal."""
    lines = [(kind, "bold red", message)] + ([("hint", "bold cyan", hint)] if hint else [])
    for word, style, text in lines:
        flat = " ".join(text.split())
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.text import Text

            Console(stderr=True).print(Text.assemble((f"{word}: ", style), flat), soft_wrap=True)
        else:
            print(f"{word}: {flat}", file=sys.stderr)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int | None = None) -> str:
    """A table as plain text; numeric columns are right-aligned, None is a dash.

    Args:
        header: Names of the columns.
        rows: Values by row.
        width: Columns of the terminal. A table that is wider becomes a list: the first value of a row on a line, and
            below it the others with their names, wrapped. None never does this.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(header)]
    right = [bool(rows) and all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(header))]

    def line(values: Sequence[str]) -> str:
        padded = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return "  ".join(padded).rstrip()

    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        return "\n".join(_listed(header, row, width) for row in cells)
    return "\n".join([line(header), line(["─" * one for one in widths]), *map(line, cells)])


def _listed(header: Sequence[str], row: Sequence[str], width: int) -> str:
    """One row as lines of at most ``width`` characters, but for words that are longer."""
    lines = [row[0]]
    for name, text in zip(header[1:], row[1:], strict=True):
        lines += textwrap.wrap(
            f"{name}: {text}", max(width, 8), initial_indent="  ", subsequent_indent="    ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item") and not isinstance(value, str):  # a NumPy scalar
        return _plain(value.item())
    return value if isinstance(value, str | int | float | bool | None) else str(value)
