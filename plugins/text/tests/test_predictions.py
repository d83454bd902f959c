"""Predicted transcripts as PAGE-XML: read again, they are what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains.samples import ReadError, Transcribed
from ssl_domains_text.lines.predictions import page_text_files
from ssl_domains_text.lines.reader import LinesReader

from .line_files import lines_database, page_xml
from .test_pages import COORDS, equivalent, line, page_folder


def test_pages_read_again_are_what_was_predicted(tmp_path: Path) -> None:
    slanted = '<Coords points="10,30 70,26 72,44 12,47"/>'
    source = tmp_path / "source"
    for book in ("one", "two"):
        (source / book).mkdir(parents=True)
        lines = [line(COORDS + equivalent(f"known {book}"), "l1"), line(slanted, "l2"), line(COORDS, "l3")]
        page_folder(source / book, page_xml(lines, "p.png", (100, 50)))
    table = LinesReader().scan(source).samples
    plan = page_text_files(table, source)
    assert [file.name for file in plan.files] == ["one/page/p.xml", "two/page/p.xml"]
    assert [file.rows for file in plan.files] == [(0, 1, 2), (3, 4, 5)]
    out = source / "one" / "page" / "p.xml"
    plan.files[0].write(out, {1: Transcribed("a <b> & שלום", 0.25), 2: Transcribed("", 0.5)})
    again = LinesReader().scan(source).samples.frame
    first = table.frame
    assert again["outline"].to_list() == first["outline"].to_list()
    assert again["sample"].to_list() == first["sample"].to_list()
    assert again["text"].to_list()[:2] == ["known one", "a <b> & שלום"]
    assert again["text"].to_list()[3:] == first["text"].to_list()[3:]
    written = out.read_bytes()
    assert b'conf="0.250000"' in written
    plan.files[0].write(out, {1: Transcribed("a <b> & שלום", 0.25), 2: Transcribed("", 0.5)})
    assert out.read_bytes() == written, "the same answers give the same bytes"


def test_lines_of_a_database_have_no_pages(tmp_path: Path) -> None:
    lines_database(tmp_path, ["a", "b"])
    plan = page_text_files(LinesReader().scan(tmp_path).samples, None)
    assert plan.files == ()
    assert "no PAGE-XML" in plan.notes[0]


def test_a_page_whose_picture_is_gone(tmp_path: Path) -> None:
    page_folder(tmp_path, page_xml([line(COORDS)], "p.png", (100, 50)))
    (file,) = page_text_files(LinesReader().scan(tmp_path).samples, None).files
    (tmp_path / "p.png").unlink()
    with pytest.raises(ReadError):
        file.write(tmp_path / "out.xml", {0: Transcribed("x", 1.0)})
