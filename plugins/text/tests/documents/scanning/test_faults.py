"""Files with faults: what can be read is read, and what can't is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains_text.documents.files import Fault, guarded

from ..scanned import note, problems, scan, texts


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    lines = (
        r'{"_id": "1", "text": "bad \ud83d half"}',
        r'{"_id": "x\uDC00", "text": "ok"}',
        r'{"_id": "3", "text": "\ud83d\ude00"}',
    )
    scanned = scan(write(tmp_path / "corpus.jsonl", "\n".join(lines)), tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "bad \ufffd half", "d/x\ufffd": "ok", "d/3": "😀"}
    assert problems(scanned) == {}


def test_rows_beside_a_damaged_page_of_parquet_are_read(tmp_path: Path) -> None:
    path = tmp_path / "in" / "corpus.parquet"
    path.parent.mkdir()
    ids = [str(number) for number in range(30_000)]
    frame = pl.DataFrame({"id": ids, "text": [f"word{name} is a text" for name in ids]})
    frame.write_parquet(path, row_group_size=2_000, compression="zstd")
    data = bytearray(path.read_bytes())
    place = len(data) * 3 // 4
    data[place : place + 300] = b"\xff" * 300
    path.write_bytes(bytes(data))
    scanned = scan(path.parent, tmp_path / "out")
    read = pl.read_parquet(scanned.path)
    faults = scanned.result.problems.rows()
    assert 1 <= len(faults) <= 2
    assert all("can't be read" in cause for _, cause in faults)
    assert len(read) == 30_000 - 2_000 * len(faults)
    place, cause = faults[0]
    first = int(place.rsplit(":", 1)[1])
    assert cause.startswith(f"rows {first:,} to {first + 1_999:,} can't be read: ")
    assert not {str(first - 1), str(first + 1_998)} & set(read["id"])
    assert {str(first - 2), "0", "29999"} <= set(read["id"])


@pytest.mark.parametrize("name", ["corpus.jsonl", "clicks.jsonl"])
def test_a_field_that_is_called_0(tmp_path: Path, name: str) -> None:
    lines = b'{"_id": "1", "text": "good", "query": "good", "doc_id": "1"}\n{"0": "7", "a": "b"}\n'
    write(tmp_path / "in" / name, lines)
    write(tmp_path / "in" / "documents.tsv", "1\tgood\n")
    found = problems(scan(tmp_path / "in", tmp_path / "out"))
    assert found[f"{name}:2"].endswith("it has '0', 'a'")


def test_an_exception_ends_a_file_and_keeps_what_was_read(tmp_path: Path) -> None:
    def entries():  # type: ignore[no-untyped-def]
        yield "one"
        raise ValueError("no such thing")

    assert list(guarded(entries(), tmp_path)) == [
        "one",
        Fault(2, "ValueError: no such thing: the rest of the file, from its entry 2 on, is not read"),
    ]


CORPUS = '{"_id": "d1", "text": "leaks"}\n{"_id": "d2", "text": "cold"}\n'


def test_a_first_entry_that_lacks_a_field_does_not_say_what_a_file_is(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.jsonl", CORPUS)
    write(tmp_path / "in/clicks.jsonl", '{"query": "tap", "\'": "d1"}\n{"query": "oven", "doc_id": "d2"}\n')
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/d1": "leaks", "d/d2": "cold", "q/clicks-1": "oven"}
    assert set(problems(scanned)) == {"clicks.jsonl:1"}
    pairs = '{"anchor": "a"}\n{"anchor": "b", "positive": "c"}\n'
    read = texts(scan(write(tmp_path / "pairs/pairs.jsonl", pairs), tmp_path / "pairs out").path)
    assert set(read.values()) == {"b", "c"}


@pytest.mark.parametrize("name", ["query", "Query"])
def test_clicks_without_ids_take_no_document_away(tmp_path: Path, name: str) -> None:
    write(tmp_path / "in/corpus.jsonl", CORPUS)
    write(tmp_path / "in/clicks.jsonl", f'{{"{name}": "tap", "id": "d1"}}\n{{"{name}": "oven", "id": "d2"}}\n')
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/d1": "leaks", "d/d2": "cold"}
    assert "clicks.jsonl: it has no column of clicked ids" in note(scanned, "passed over")


def test_queries_of_a_log_of_clicks_are_queries(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.jsonl", CORPUS)
    write(tmp_path / "in/click-queries.jsonl", '{"id": "d1", "query": "tap"}\n')
    assert texts(scan(tmp_path / "in", tmp_path / "out").path) == {"d/d1": "leaks", "d/d2": "cold", "q/d1": "tap"}
