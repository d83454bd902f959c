"""Writes the tickets in the layout of BEIR, with a table of duplicates and planted faults."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ssl_domains_text.documents.demo.tickets import CUSTOMER, Fault, draw_faults

__all__ = ["EMPTY", "GONE", "write_demo_data"]

EMPTY, GONE = "t-empty", "t-gone"
"""Ids of the planted faults: a ticket without text, and a judged ticket that is not there."""


def write_demo_data(out: Path, seed: int) -> str:
    """Write tickets, queries, judgements and duplicates under ``out``; returns the line to print.

    Judgements for training name one clicked ticket a query, in customers' words; those for scoring name all tickets of
    the fault. ``facts.csv`` names fault, device and wording of each ticket and query. Tickets that nearly repeat
    another one are not in the table of duplicates. Planted: a ticket without text, a judged ticket that is not there,
    and a query that is a ticket.
    """
    folder = out / "tickets"
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    faults = draw_faults(seed)
    planted = _planted(faults)
    corpus = [
        {"_id": ticket.id, "title": ticket.title, "text": ticket.text} for fault in faults for ticket in fault.tickets
    ]
    corpus += [{"_id": EMPTY, "title": "", "text": " "}, {"_id": planted[0], "title": "", "text": planted[1]}]
    _json_lines(folder / "corpus.jsonl", corpus)
    queries = [{"_id": name, "text": text} for fault in faults for name, text in fault.queries]
    _json_lines(folder / "queries.jsonl", queries)
    _table(folder / "qrels" / "train.tsv", ("query-id", "corpus-id", "score"), _clicked(faults))
    _table(
        folder / "qrels" / "test.tsv",
        ("query-id", "corpus-id", "score"),
        [*_complete(faults), (planted[0], GONE, "1")],
    )
    _table(folder / "duplicates.tsv", ("id", "duplicate_of"), _duplicates(faults))
    _facts(out / "facts.csv", faults)
    source, table = shlex.quote(str(folder)), shlex.quote(str(out / "samples.parquet"))
    facts = shlex.quote(str(out / "facts.csv"))
    return (
        f"tickets of {len(faults)} faults are in {folder}\n"
        f"next: ssl-domains text scan {source} -o {table} --join {facts} --on id"
    )


def _planted(faults: Iterable[Fault]) -> tuple[str, str]:
    """The first query for scoring whose text no other query has."""
    queries = [(query, fault.held_out) for fault in faults for query in fault.queries]
    counts = Counter(text for (_, text), _ in queries)
    return next(query for query, held_out in queries if held_out and counts[query[1]] == 1)


def _clicked(faults: Iterable[Fault]) -> list[tuple[str, str, str]]:
    return [
        (query, ticket, "1")
        for fault in faults
        if not fault.held_out
        for (query, _), ticket in zip(fault.queries, fault.clicked, strict=True)
    ]


def _complete(faults: Iterable[Fault]) -> list[tuple[str, str, str]]:
    return [
        (query, ticket.id, "1")
        for fault in faults
        if fault.held_out
        for query, _ in fault.queries
        for ticket in fault.tickets
    ]


def _duplicates(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    links = []
    for fault in faults:
        known = [ticket.id for ticket in fault.tickets if ticket.copy_of is None]
        links += [(later, known[0]) for later in known[1:]]
    return links


def _facts(path: Path, faults: Iterable[Fault]) -> None:
    rows = [
        (ticket.id, f"f{fault.number:03d}", f"device{fault.topic:02d}", ticket.wording)
        for fault in faults
        for ticket in fault.tickets
    ]
    rows += [
        (query, f"f{fault.number:03d}", f"device{fault.topic:02d}", CUSTOMER)
        for fault in faults
        for query, _ in fault.queries
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "fault", "device", "wording"))
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _json_lines(path: Path, entries: Iterable[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in entries), encoding="utf-8")


def _table(path: Path, names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in (names, *rows)), encoding="utf-8")
