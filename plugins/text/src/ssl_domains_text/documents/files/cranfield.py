"""The format of the Cranfield collection (also of CISI and Medline): entries that begin with ``.I`` and have fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.record import Fault, Record, joined

__all__ = ["cranfield_judgements", "cranfield_records"]

_ENTRY = re.compile(r"\.I\s+(\S+)\s*$")
_FIELD = re.compile(r"\.([A-Z])\s*$")
_BEST, _IGNORED = 5, -1  # grade 1 is the most relevant of 1 to 4; −1 is neither a grade nor irrelevant


def cranfield_records(
    path: Path, side: str, encoding: str = "utf-8", strip_titles: bool = False
) -> Iterator[Record | Fault]:
    """Yield documents, title and abstract, or queries; ids are those of the file.

    Queries are numbered in file order, from 1 on: their own ids have gaps (001 … 365), and the judgements name them by
    their number. Nearly every abstract begins with the title: ``strip_titles`` keeps it once.
    """
    entry: str | None = None
    first, count, field = 1, 0, ""
    parts: dict[str, list[str]] = {}

    def record() -> Record | Fault:
        if entry is None:
            return Fault(first, "text before the first entry, which begins with .I")
        title, abstract = (" ".join(parts.get(name, ())) for name in ("T", "W"))
        text = joined(title, abstract, strip_titles=strip_titles)
        return Record(str(count) if side == "query" else entry, text, first, side)

    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            continue
        number, line = one
        begins = _ENTRY.match(line)
        if begins:
            if entry is not None or parts:
                yield record()
            entry, first, field, parts = begins.group(1), number, "", {}
            count += 1
        elif named := _FIELD.match(line):
            field = named.group(1)
            parts.setdefault(field, [])
        elif line.strip():
            parts.setdefault(field, []).append(line.strip())
    if entry is not None or parts:
        yield record()


def cranfield_judgements(path: Path) -> Iterator[tuple[str, str, float, bool] | Fault]:
    """Yield (query, document, gain, ignored): gains 4 to 1 for the grades 1 to 4, and pairs of grade −1 are ignored.

    A line has three fields, or four with a 0 behind the query as TREC writes them; the grades are Cranfield's in both.
    """
    for one in numbered_lines(path):
        if isinstance(one, Fault):
            yield one
            continue
        number, line = one
        fields = line.split()
        if not fields:
            continue
        if len(fields) not in (3, 4) or not re.fullmatch(r"-?\d+", fields[-1]):
            yield Fault(number, "judgements of Cranfield are three numbers: query, document, grade")
            continue
        grade = int(fields[-1])
        ignored = grade == _IGNORED
        yield fields[0], fields[-2], 0.0 if ignored else float(max(0, _BEST - grade)), ignored
