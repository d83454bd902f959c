"""Runs and judgements as files of the Text REtrieval Conference, and judgements as BEIR and MS MARCO have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.ranking.order import ranked
from ssl_domains.samples import write_whole

__all__ = ["read_judgements", "read_run", "write_run"]

_ENCODED = "-percent-encoded"
"""End of the name of a run whose ids are percent-encoded, because one of them has white space."""

_UNSAFE = re.compile(r"[\s%]")
_SPACE = re.compile(r"[ \t]+")  # ids may hold other white space, such as U+2028


def read_run(path: str | Path) -> pl.DataFrame:
    """Read a TREC run: lines ``query Q0 document rank score name``. Ranks are not read, as scores decide.

    The ids of lines whose name ends in ``-percent-encoded``, as `write_run` writes it, are decoded.

    Returns:
        Columns ``query``, ``document``, ``score`` (float64).

    Raises:
        UsageError: When there is no such file.
        DataError: With the line, for one of another form, or a score that is no number.
    """
    rows = []
    for number, line in _lines(path):
        fields = _SPACE.split(line.strip(" \t"))
        if len(fields) != 6:
            raise _wrong(path, number, f"{len(fields)} fields", "a TREC run has: query Q0 document rank score name")
        query, document = fields[0], fields[2]
        if fields[5].endswith(_ENCODED):
            query, document = unquote(query), unquote(document)
        rows.append((query, document, _number(fields[4], path, number)))
    return pl.DataFrame(rows, schema={"query": pl.String, "document": pl.String, "score": pl.Float64}, orient="row")


def write_run(run: pl.DataFrame, path: str | Path, name: str, k: int | None = None) -> int:
    """Write a run in the TREC format, ranked by `ranked`; returns the number of lines.

    The format holds no white space in an id. Where an id has some, white space and per cent signs of all ids are
    written as in an address, ``my%20file.txt``, and ``-percent-encoded`` is added to the name.

    Args:
        run: Columns ``query``, ``document``, ``score``.
        path: The file.
        name: Name of the run, its last column; without white space.
        k: Hits of each query that are written; None for all.

    Raises:
        DataError: When an id is empty, which the format can't hold.
    """
    hits = ranked(run, k)
    for column in ("query", "document"):
        if bool((hits[column] == "").any()):
            raise DataError(f"a {column} has an empty id, which can't stand in a TREC run", "give it an id")
    tag = "-".join(name.split()) or "run"
    names = ("query", "document")
    if any(bool(hits[column].str.contains(r"\s").any()) for column in names):
        safe = {column: [_UNSAFE.sub(_encoded, one) for one in hits[column]] for column in names}
        hits = hits.with_columns(pl.Series(column, safe[column], dtype=pl.String) for column in names)
        tag += _ENCODED
    # Nine digits give each float32 back; `str` of polars would write 1e-7 in a form that trec_eval reads too.
    lines = [
        f"{query} Q0 {document} {rank} {score:.9g} {tag}\n"
        for query, document, score, rank in hits.select("query", "document", "score", "rank").iter_rows()
    ]
    write_whole(Path(path), lambda part: part.write_text("".join(lines), encoding="utf-8"))
    return len(lines)


def _encoded(found: re.Match[str]) -> str:
    return quote(found.group(), safe="")


def read_judgements(path: str | Path) -> pl.DataFrame:
    """Read judgements: ``query 0 document grade`` (TREC, MS MARCO), or ``query document grade`` (BEIR), with a header.

    A first line whose last field is no number is taken as a header.

    Returns:
        Columns ``query``, ``document``, ``grade`` (float64).

    Raises:
        UsageError: When there is no such file.
        DataError: With the line, for one of another form, or a grade that is no number.
    """
    rows = []
    for number, line in _lines(path):
        fields = line.split("\t") if "\t" in line else _SPACE.split(line.strip(" "))
        fields = [field.strip() for field in fields]
        if len(fields) not in (3, 4):
            raise _wrong(path, number, f"{len(fields)} fields", "judgements have: query 0 document grade")
        if number == 1 and not _is_number(fields[-1]):
            continue
        rows.append((fields[0], fields[-2], _number(fields[-1], path, number)))
    return pl.DataFrame(rows, schema={"query": pl.String, "document": pl.String, "grade": pl.Float64}, orient="row")


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1 on; only line feeds end a line."""
    if not Path(path).is_file():
        raise UsageError(f"there is no file {str(path)!r}", "give a TREC run or a file of judgements")
    with Path(path).open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _wrong(path, number, f"byte {error.start + 1} is no UTF-8", "save the file as UTF-8") from error
            if line.strip():
                yield number, line.rstrip("\r\n")


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _number(text: str, path: str | Path, line: int) -> float:
    if not _is_number(text):
        raise _wrong(path, line, f"{text!r} is no number", "is it a run, and not judgements, or the other way round?")
    return float(text)


def _wrong(path: str | Path, line: int, cause: str, hint: str) -> DataError:
    return DataError(f"{Path(path).name}, line {line}: {cause}", hint)
