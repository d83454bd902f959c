"""A second scan of the same folder reads what the first one read, and not what it wrote."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.cli.work.scan import scan_to
from ssl_domains_text.documents.domain import TEXT

from ..scanned import note, texts


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path / "corpus.jsonl",
        '{"_id": "1", "text": "one fridge"}\n{"_id": "2", "text": "two ovens"}\n{"_id": "e"}\n',
    )
    write(tmp_path / "queries.jsonl", '{"_id": "a", "text": "fridge"}\n')
    write(tmp_path / "qrels/test.tsv", "query-id\tcorpus-id\tscore\na\t1\t1\n")
    write(tmp_path / "duplicates.tsv", "id\tduplicate_of\n1\t2\n")
    write(tmp_path / "mined.jsonl", '{"qid": "a", "pos": ["1"], "neg": {"bm25": ["2"]}}\n')
    return tmp_path


def relevant(folder: Path, name: str) -> list[tuple[str, str]]:
    return list(pl.read_parquet(folder / f"{name}.relevance.parquet").select("a", "b").iter_rows())


@pytest.mark.parametrize("name", ["samples.parquet", "first.try.parquet"])
def test_the_results_of_the_first_scan_are_passed_over(folder: Path, name: str) -> None:
    first = scan_to(TEXT, folder, folder / name)
    read = texts(first.path)
    write(folder / "qrels/test.tsv", "query-id\tcorpus-id\tscore\na\t2\t1\n")
    write(
        folder / f"{Path(name).stem}.links.parquet", (folder / f"{Path(name).stem}.mined.parquet").read_text("latin-1")
    )
    again = scan_to(TEXT, folder, folder / name)
    assert texts(again.path) == read == {"d/1": "one fridge", "d/2": "two ovens", "q/a": "fridge"}
    assert relevant(folder, Path(name).stem) == [("q/a", "d/2"), ("q/a", "d/1")]  # of the qrels, and of mined.jsonl
    assert again.result.problems.rows() == first.result.problems.rows()
    assert f"it belongs to the sample table '{name}'" in note(again, "passed over")


def test_tables_of_other_scans_are_passed_over(folder: Path) -> None:
    scan_to(TEXT, folder, folder / "first.parquet")
    second = scan_to(TEXT, folder, folder / "second.parquet")
    assert texts(second.path) == {"d/1": "one fridge", "d/2": "two ovens", "q/a": "fridge"}
    assert "it belongs to the sample table 'first.parquet'" in note(second, "passed over")


def test_copies_of_texts_without_their_table_are_no_documents(folder: Path) -> None:
    scan_to(TEXT, folder, folder / "samples.parquet")
    (folder / "samples.parquet").unlink()
    again = scan_to(TEXT, folder, folder / "samples.parquet")
    assert texts(again.path) == {"d/1": "one fridge", "d/2": "two ovens", "q/a": "fridge"}


def test_a_file_that_is_named_like_a_result_is_read_without_its_table(tmp_path: Path) -> None:
    write(tmp_path / "in/printer.problems.csv", "id,text\n1,it jams\n")
    scanned = scan_to(TEXT, tmp_path / "in", tmp_path / "samples.parquet")
    assert texts(scanned.path) == {"d/1": "it jams"}
