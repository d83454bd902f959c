"""Tables whose columns of texts and ids have names of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.errors import UsageError
from ssl_domains.samples import read_table
from ssl_domains_text.documents.files import Columns, Reading
from ssl_domains_text.documents.reader import DocumentReader, text_of_row

from ..scanned import problems, scan, texts

ROWS = [
    {"Ticket": "t7", "subject": "Fridge", "Description of it": "leaks, a lot", "text": "internal"},
    {"Ticket": "t8", "subject": "Oven", "Description of it": "stays cold", "text": "internal"},
]
NAMED: dict[str, Any] = {"text_column": ["subject", "description of it "], "id_column": "ticket"}
READ = {"d/t7": "Fridge leaks, a lot", "d/t8": "Oven stays cold"}


def write(folder: Path, suffix: str) -> Path:
    folder.mkdir()
    path, frame = folder / f"tickets{suffix}", pl.DataFrame(ROWS)
    if suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    elif suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="\t" if suffix == ".tsv" else ",")
    return folder


@pytest.mark.parametrize("suffix", [".jsonl", ".tsv", ".csv", ".parquet"])
def test_named_columns_are_the_text_and_the_id(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / "in", suffix)
    assert texts(scan(source, tmp_path / "out", **NAMED).path) == READ
    usual = texts(scan(source, tmp_path / "usual").path)
    assert set(usual.values()) == {"internal"}, "a column called text is the text where no other is named"
    # Without a table beside it there is no copy: the file is read again, by the same columns.
    rows = DocumentReader().scan(source, **NAMED).samples.frame
    assert {row["sample"]: text_of_row(DocumentReader(), row) for row in rows.to_dicts()} == READ
    options = read_table(tmp_path / "out/samples.parquet").meta.options
    assert {name: options[name] for name in NAMED} == NAMED


def test_a_header_is_known_by_a_named_column_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/notes.csv").write_text("Nr 1;Freitext 2\nx;Die Pumpe leckt\ny;Kein Strom\n")
    named = texts(scan(tmp_path / "in", tmp_path / "out", text_column=["Freitext 2"], id_column="Nr 1").path)
    assert named == {"d/x": "Die Pumpe leckt", "d/y": "Kein Strom"}


def test_files_without_the_columns_are_read_as_usual(tmp_path: Path) -> None:
    source = write(tmp_path / "in", ".csv")
    (source / "queries.jsonl").write_text('{"_id": "q1", "text": "cold oven"}\n')
    (source / "qrels.tsv").write_text("q1\t0\tt8\t1\n")
    scanned = scan(source, tmp_path / "out", **NAMED)
    assert texts(scanned.path) == READ | {"q/q1": "cold oven"}
    assert not any("no column of ids" in one for one in scanned.result.notes)
    assert pl.read_parquet(tmp_path / "out/samples.relevance.parquet")["b"].to_list() == ["d/t8"]
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.txt").write_text("one text")
    assert texts(scan(plain, tmp_path / "plain out", **NAMED).path) == {"d/a.txt": "one text"}


def test_a_named_column_may_be_missing_in_the_first_entry(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/t.jsonl").write_text('{"id": "a", "text": "internal"}\n{"id": "b", "text": "x", "note": "leaks"}\n')
    scanned = scan(tmp_path / "in", tmp_path / "out", text_column=["note"])
    assert texts(scanned.path) == {"d/b": "leaks"}, "no text of another column stands for it"
    assert set(problems(scanned)) == {"t.jsonl:1"}


@pytest.mark.parametrize("columns", [{"text_column": ["subjekt"]}, {"id_column": "tickets"}])
def test_a_column_that_no_table_has_is_a_mistake(tmp_path: Path, columns: dict[str, Any]) -> None:
    source = write(tmp_path / "in", ".csv")
    name = str(*columns.values()).strip("[]'")
    with pytest.raises(UsageError, match=f"no table has a column '{name}'") as caught:
        scan(source, tmp_path / "out", **columns)
    assert caught.value.hint == f"did you mean {'subject' if name == 'subjekt' else 'Ticket'!r}?"


def test_a_table_without_a_known_column_names_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/tickets.csv").write_text("ticket,description,id\n7,leaks,x\n")
    command = ["text", "scan", str(tmp_path / "in"), "-o", str(tmp_path / "samples.parquet")]
    assert run(command) == 4
    said = capsys.readouterr().err
    assert "passed over: tickets.csv: it has no column of texts among 'ticket', 'description', 'id'" in said
    assert "--text-column names one" in said
    assert run([*command, "--text-column", "description", "--id-column", "ticket"]) == 0
    assert texts(tmp_path / "samples.parquet") == {"d/7": "leaks"}


@pytest.mark.parametrize(
    "columns", [Columns(), Columns(("a b", "ä=&", "c"), None), Columns((), "x y"), Columns(("t",), "i")]
)
def test_a_reading_is_found_again_from_its_code(columns: Columns) -> None:
    for reading in (Reading(columns=columns), Reading("latin-1", True, columns)):
        assert Reading.of_code(reading.code()) == reading
        assert len(reading.code().split()) == 2 + bool(columns.names())
    assert Reading("utf-16").code() == "utf-16 as-written"
