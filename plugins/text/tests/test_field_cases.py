"""Inputs rebuilt from bug reports of other libraries: what a scan says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssl_domains.inputs import Input
from ssl_domains.samples import ScanResult
from ssl_domains_text.lines.inputs import LinePreprocess
from ssl_domains_text.lines.reader import LinesReader

pytestmark = pytest.mark.shared_data
Scan = Callable[..., tuple[ScanResult, dict[str, Any]]]


@pytest.fixture(scope="module")
def scan(shared_data: Path) -> Scan:
    """Scan a case: the result, and what is expected of it."""
    folder = shared_data.parent / "cases" / "text"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")

    def scanned(case: str, **options: Any) -> tuple[ScanResult, dict[str, Any]]:
        expected = json.loads((folder / case / "case.json").read_text())["expected"]
        return LinesReader().scan(folder / case, **options), expected

    return scanned


def test_t08_labels_that_are_left_out_have_reasons(scan: Scan) -> None:
    plain, expected = scan("T08")
    assert len(plain.samples) == expected["readable"]
    assert plain.samples.frame["text"].null_count() == 0, (
        "capitals, long labels and all characters are kept unless asked"
    )
    assert "num-samples declares 8 entries, 7 have a readable picture" in plain.problems["cause"].to_list()
    assert "an entry has a label and no picture" in plain.problems["cause"].to_list()

    strict, _ = scan("T08", alphabet="ascii", longest=25)
    assert any("left out: 2 outside the alphabet, 1 longer than 25 characters" in note for note in strict.notes)
    assert any("'ï' (U+00EF) in 1, '가' (U+AC00) in 1, '나' (U+B098) in 1" in note for note in strict.notes)

    lower, _ = scan("T08", alphabet="ascii-lower")
    left = lower.samples.frame.filter(lower.samples.frame["text"].is_null())["sample"]
    labels = dict(plain.samples.frame.select("sample", "text").rows())
    assert [labels[sample] for sample in left] == expected["out_of_alphabet_ascii_lower"]


def test_t09_a_table_of_labels(scan: Scan) -> None:
    scanned, expected = scan("T09")
    frame = scanned.samples.frame
    assert frame["text"].to_list() == ["abcd", "aaaaaaaa", "book", "abcdefghij"]
    widths = [LinePreprocess().sides((row["height"], row["width"]))[1] for row in frame.to_dicts()]
    assert [width // expected["stride"] for width in widths] == expected["frames"]


def test_t10_a_database(scan: Scan) -> None:
    scanned, expected = scan("T10")
    rows = scanned.samples.frame.to_dicts()
    assert len(rows) == expected["n"]
    assert [row["text"] for row in rows] == [f"ab{k}" for k in range(1, 9)]
    assert all(LinesReader().load(row).shape == (row["height"], row["width"], 1) for row in rows)


def test_t11_words_of_iam(scan: Scan) -> None:
    kept, expected = scan("T11")
    assert kept.samples.frame["text"].to_list() == expected["words"]
    assert len(kept.samples) + len(kept.problems) == expected["lines"]
    assert kept.problems["cause"].to_list() == ["the picture is empty: 0 bytes"]
    assert any(f"{expected['err']} entry is marked err" in note for note in kept.notes)
    dropped, _ = scan("T11", segmentation="drop")
    assert dropped.samples.frame["text"].drop_nulls().to_list() == ["A", "#", '"', "Mr. X"]


def test_t12_widths_are_ragged(scan: Scan) -> None:
    scanned, expected = scan("T12")
    x = Input.cat([LinePreprocess()(LinesReader().load(row)) for row in scanned.samples.frame.to_dicts()])
    long, short = x.with_valid()[:, 0, 0].sum(dim=1).tolist()
    assert long == expected["ratio"] * short
