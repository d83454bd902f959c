"""Documents: JSON lines and TSV of texts, judgements, and click logs; each damaged file beside good ones."""

from __future__ import annotations

import json
from pathlib import Path

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import json_lines_tree

__all__ = ["KINDS"]

SCAN = Command("text scan in -o out.parquet", READ, "out.parquet")
CUT = Command("text scan in -o out.parquet --chunk 3 --words 4 --strip-titles --split-by id", REFUSED)
RELEVANCE = "--pairs relevance(file='out.relevance.parquet')"
JUDGED = Command("text scan in -o out.parquet", REFUSED, "out.parquet")
"""Judgements of which none has its document are refused: collection and judgements don't belong together."""
PAIRS = Command(f"text pairs out.parquet {RELEVANCE} --batch-size 2 --false-negatives 3", REFUSED)
LINKS = Command("text link-duplicates out.parquet", REFUSED)
INDEX = Command("text index out.parquet --out words", REFUSED)
ASKED = Command("text search words --queries out.parquet --out words.trec", REFUSED)
SCORE = Command("text score words.trec out.parquet --at 1,10", REFUSED)

_TITLES = ("water pump", "roof", "gear, worn", 'the "blue" lamp', "engine")
_TEXTS = ("the pump leaks at night", "tiles fell in the storm", "teeth are gone", "it flickers, then dies", "no start")


def _documents(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"_id": f"{name}{number}", "title": title, "text": text, "metadata": {"url": "", "year": 2000 + number}}
        for number, (title, text) in enumerate(zip(_TITLES, _TEXTS, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _queries(path: Path) -> None:
    rows = [{"_id": f"q{number}", "text": text.split()[0]} for number, text in enumerate(_TITLES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def make_json_lines(folder: Path, shared: Path) -> None:
    """A collection beside another one and queries; and pairs of texts."""
    for case in ("corpus", "pairs"):
        _documents(folder / case / "in" / "good.jsonl", "g")
    _documents(folder / "corpus" / "in" / "target.jsonl", "t")
    _queries(folder / "corpus" / "in" / "queries.jsonl")
    pairs = [{"anchor": title, "positive": text} for title, text in zip(_TITLES, _TEXTS, strict=True)]
    (folder / "pairs" / "in" / "target.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))


def make_tsv(folder: Path, shared: Path) -> None:
    """A collection without a header, and one with, beside a good one; and a table of duplicates."""
    for case in ("bare", "named", "links"):
        _documents(folder / case / "in" / "good.jsonl", "g")
    rows = [(f"t{number}", *both) for number, both in enumerate(zip(_TITLES, _TEXTS, strict=True))]
    bare = "".join(f"{name}\t{title} {text}\n" for name, title, text in rows)
    (folder / "bare" / "in" / "collection.tsv").write_text(bare)
    named = "id\ttitle\ttext\n" + "".join("\t".join(row) + "\n" for row in rows)
    (folder / "named" / "in" / "documents.tsv").write_text(named)
    (folder / "links" / "in" / "duplicates.tsv").write_text("g0\tg1\ng2\tg3\n")


def _collection(folder: Path) -> None:
    _documents(folder / "in" / "corpus.jsonl", "g")
    _queries(folder / "in" / "queries.jsonl")


def make_judgements(folder: Path, shared: Path) -> None:
    """Judgements in the forms of BEIR, of TREC, and of Cranfield's grades, for a good collection."""
    for case in ("beir", "trec", "lines"):
        _collection(folder / case)
        (folder / case / "in" / "qrels").mkdir()
    grades = (1, 2, 0, 1, -1)
    beir = "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\tg{n}\t{grade}\n" for n, grade in enumerate(grades))
    (folder / "beir" / "in" / "qrels" / "train.tsv").write_text(beir)
    trec = "".join(f"q{number} 0 g{number} {grade}\n" for number, grade in enumerate(grades))
    (folder / "trec" / "in" / "qrels" / "qrels.train.txt").write_text(trec)
    lines = [{"query-id": f"q{n}", "corpus-id": f"g{n}", "score": grade} for n, grade in enumerate(grades)]
    (folder / "lines" / "in" / "qrels" / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def make_clicks(folder: Path, shared: Path) -> None:
    """Logs of the words of a query and the id of the clicked document, as TSV, CSV and JSON lines."""
    for case in ("tsv", "csv", "jsonl"):
        _documents(folder / case / "in" / "corpus.jsonl", "g")
    clicks = [(title.replace(",", "").replace('"', ""), f"g{number}") for number, title in enumerate(_TITLES)]
    clicks += clicks[:2]
    tsv = "query\tclicked\ttime\n" + "".join(f"{words}\t{name}\t12:0{len(name)}\n" for words, name in clicks)
    (folder / "tsv" / "in" / "clicks.tsv").write_text(tsv)
    csv = "query,doc_id\n" + "".join(f'"{words}",{name}\n' for words, name in clicks)
    (folder / "csv" / "in" / "clicks.csv").write_text(csv)
    lines = [json.dumps({"query": words, "doc_id": name}) + "\n" for words, name in clicks]
    (folder / "jsonl" / "in" / "clicks.jsonl").write_text("".join(lines))


_LINES = (*RAW, *TEXT, *(json_lines_tree,) * 12)
_SEARCH = (INDEX, ASKED, SCORE)

KINDS = (
    Kind(
        "documents_jsonl",
        make_json_lines,
        ("in/target.jsonl",),
        _LINES,
        (Plan((SCAN,), 4), Plan((CUT,), 1), Plan((SCAN, INDEX, ASKED), 1, "corpus"), Plan((SCAN, LINKS), 1, "pairs"),
         Plan((SCAN, PAIRS), 1, "pairs")),
        ("in/good.jsonl",),
    ),
    Kind(
        "documents_tsv",
        make_tsv,
        ("in/collection.tsv", "in/documents.tsv", "in/duplicates.tsv"),
        (*RAW, *TEXT),
        (Plan((SCAN,), 4), Plan((CUT,), 1), Plan((SCAN, INDEX), 1)),
        ("in/good.jsonl",),
    ),
    Kind(
        "documents_qrels",
        make_judgements,
        ("in/qrels/*",),
        (*_LINES, *TEXT),
        (Plan((JUDGED,), 4), Plan((JUDGED, PAIRS), 1), Plan((JUDGED, LINKS), 1), Plan((JUDGED, *_SEARCH), 1)),
        ("in/corpus.jsonl",),
    ),
    Kind(
        "documents_clicks",
        make_clicks,
        ("in/clicks.*",),
        (*_LINES, *TEXT),
        (Plan((JUDGED,), 4), Plan((JUDGED, LINKS), 1), Plan((JUDGED, PAIRS), 1), Plan((JUDGED, *_SEARCH), 1)),
        ("in/corpus.jsonl",),
    ),
)  # fmt: skip
