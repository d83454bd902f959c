"""PAGE-XML and ALTO: versions, outlines, text equivalents, units, and pages without pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.alto import read_alto
from ssl_domains_text.lines.files.cutting import cut_line
from ssl_domains_text.lines.files.page_xml import read_page_xml
from ssl_domains_text.lines.reader import LinesReader

from .line_files import alto, page_xml, picture

COORDS = '<Coords points="10,5 70,5 70,24 10,24"/>'


def line(body: str, name: str = "l1") -> str:
    return f'<TextLine id="{name}">{body}</TextLine>'


def equivalent(text: str, index: str = "") -> str:
    return f"<TextEquiv{index}><Unicode>{text}</Unicode></TextEquiv>"


def read(tmp_path: Path, content: str, name: str = "p.xml"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return (read_page_xml if "PcGts" in content else read_alto)(path)


@pytest.mark.parametrize("year", ["2010-03-19", "2013-07-15", "2019-07-15"])
def test_page_xml_of_every_year(tmp_path: Path, year: str) -> None:
    points = '<Coords><Point x="10" y="5"/><Point x="70" y="5"/><Point x="70" y="24"/></Coords>'
    page = read(
        tmp_path, page_xml([line((points if year < "2012" else COORDS) + equivalent("Wort"))], "p.png", (100, 50), year)
    )
    assert (page.form, page.picture, page.width, page.height) == ("PAGE", "p.png", 100, 50)
    assert page.lines[0].text == "Wort"
    assert page.lines[0].points[:4] == [10, 5, 70, 5]


def test_text_equivalents_by_index(tmp_path: Path) -> None:
    cases = {
        equivalent("second", ' index="1"') + equivalent("first", ' index="0"'): "first",
        equivalent("plain") + equivalent("indexed", ' index="1"'): "indexed",
        "<TextEquiv><PlainText>old</PlainText></TextEquiv>": "old",
        equivalent("<b>bold</b> &amp; more"): "bold & more",
        "": None,
        "<TextEquiv/>": None,
    }
    for body, expected in cases.items():
        assert read(tmp_path, page_xml([line(COORDS + body)], "p.png", (100, 50))).lines[0].text == expected


def test_a_line_without_outline_or_text_takes_those_of_its_words(tmp_path: Path) -> None:
    words = "".join(
        f'<Word id="w{k}"><Coords points="{x},8 {x + 20},8 {x + 20},20 {x},20"/>{equivalent(text)}</Word>'
        for k, (x, text) in enumerate([(10, "two"), (40, "words")])
    )
    (made,) = read(tmp_path, page_xml([line(words)], "p.png", (100, 50))).lines
    assert made.text == "two words"
    assert made.words
    assert made.points == [10, 8, 60, 8, 60, 20, 10, 20]


def test_empty_text_equivalents_hide_no_text(tmp_path: Path) -> None:
    empty, blank = equivalent("", ' index="0"'), equivalent(" \n ")
    words = "".join(f'<Word id="w{k}">{equivalent(text)}</Word>' for k, text in enumerate(["Hello", "", "World"]))
    both = "<TextEquiv><PlainText>plain</PlainText><Unicode>unicode</Unicode></TextEquiv>"
    cases = {
        empty + equivalent("second", ' index="1"'): ("second", False),
        blank + equivalent("x", ' index="3"'): ("x", False),
        "<TextEquiv><Unicode/><PlainText>plain</PlainText></TextEquiv>": ("plain", False),
        both: ("unicode", False),
        words + empty: ("Hello World", True),
        words + blank: ("Hello World", True),
        words + equivalent("own"): ("own", False),
        f'<Word id="w">{blank}</Word>{empty}': ("", False),
        f'<Word id="w">{blank}</Word>': (None, False),
    }
    for body, expected in cases.items():
        (made,) = read(tmp_path, page_xml([line(COORDS + body)], "p.png", (100, 50))).lines
        assert (made.text, made.words) == expected, body


STRING = '<String CONTENT="{}" HPOS="{}" VPOS="5" WIDTH="20" HEIGHT="10"/>'


@pytest.mark.parametrize("version", [2, 3, 4])
def test_alto(tmp_path: Path, version: int) -> None:
    body = STRING.format("two", 10) + "<SP/>" + STRING.format("words", 40) + '<HYP CONTENT="-"/>'
    whole = f'<TextLine ID="a" HPOS="10" VPOS="5" WIDTH="60" HEIGHT="12">{body}</TextLine>'
    shaped = (
        '<TextLine ID="b"><Shape><Polygon POINTS="1,2 30,2 30,9 1,9"/></Shape>'
        + STRING.format("shape", 1)
        + "</TextLine>"
    )
    bare = '<TextLine ID="c">' + STRING.format("no", 10) + STRING.format("box", 40) + "</TextLine>"
    page = read(tmp_path, alto([whole, shaped, bare, '<TextLine ID="d"/>'], "p.tif", (100, 50), version))
    assert [one.text for one in page.lines] == ["two words-", "shape", "no box", None]
    assert page.lines[0].points == [10, 5, 70, 5, 70, 17, 10, 17]
    assert page.lines[1].points == [1, 2, 30, 2, 30, 9, 1, 9]
    assert page.lines[2].points == [10, 5, 60, 5, 60, 15, 10, 15]
    assert page.lines[3].points == []


def test_alto_without_a_namespace(tmp_path: Path) -> None:
    content = alto([STRING.format("x", 1)], "p.png", (10, 10)).replace(
        ' xmlns="http://www.loc.gov/standards/alto/ns-v4#"', ""
    )
    assert read(tmp_path, content).picture == "p.png"


def test_what_is_no_page(tmp_path: Path) -> None:
    for content in ("<PcGts/>", "<PcGts><Page", '<!DOCTYPE a [<!ENTITY e "x">]><PcGts><Page/></PcGts>'):
        with pytest.raises(ReadError):
            read(tmp_path, content)
    for content in ("<alto/>", "<alto><Layout><Page HPOS='1e99'"):
        with pytest.raises(ReadError):
            read(tmp_path, content)


def page_folder(folder: Path, content: str, size: tuple[int, int] = (100, 50), name: str = "p") -> Path:
    picture(folder / f"{name}.png", *size)
    (folder / "page").mkdir(exist_ok=True)
    (folder / "page" / f"{name}.xml").write_text(content, encoding="utf-8")
    return folder


def test_a_scan_of_pages(tmp_path: Path) -> None:
    lines = [
        line(COORDS + equivalent("Wort"), "l1"),
        line(equivalent("no outline"), "l2"),
        line('<Coords points="200,5 300,5 300,20"/>' + equivalent("outside"), "l3"),
        line('<Coords points="10,30 70,30 70,31 10,31"/>' + equivalent("thin"), "l4"),
        line('<Coords points="10,30 70,28 72,45 12,47"/>', "l1"),
    ]
    scanned = LinesReader().scan(page_folder(tmp_path / "book", page_xml(lines, "p.png", (100, 50))))
    table = scanned.samples.frame
    assert table["sample"].to_list() == ["page/p.xml:l1", "page/p.xml:l1.2"]
    assert table["text"].to_list() == ["Wort", None]
    assert table.select("width", "height").rows() == [(61, 20), (63, 20)]
    causes = {path.rpartition("#")[2]: cause for path, cause in scanned.problems.rows()}
    assert causes == {
        "l2": "a line without an outline (Coords, polygon or box)",
        "l3": "a line whose outline lies outside its picture",
        "l4": "a line of 61 × 2 pixels: too small for text",
    }
    array = LinesReader().load(table.row(0, named=True))
    page = np.asarray(Image.open(tmp_path / "book" / "p.png"))
    np.testing.assert_array_equal(array[:, :, 0], page[5:25, 10:71])


def test_ids_that_stand_twice(tmp_path: Path) -> None:
    ids = ["l1", "l1", "l1.2", "", "line4", "l1"]
    lines = [line(COORDS + equivalent(str(number)), name) for number, name in enumerate(ids)]
    table = LinesReader().scan(page_folder(tmp_path, page_xml(lines, "p.png", (100, 50)))).samples.frame
    names = [sample.rpartition(":")[2] for sample in table["sample"]]
    assert names == ["l1", "l1.3", "l1.2", "line4", "line4.2", "l1.4"], "ids as they are written are kept"
    assert table["text"].to_list() == list("012345")


@pytest.mark.parametrize("factor", [1, 2])
def test_lines_that_reach_beyond_the_picture(tmp_path: Path, factor: int) -> None:
    """Pages of 100 × 50 pixels, the outlines in pixels or in halves of them."""

    def box(left: int, top: int, right: int, bottom: int) -> str:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        return f'<Coords points="{" ".join(f"{factor * x},{factor * y}" for x, y in corners)}"/>'

    boxes = {
        "inside": ((10, 5, 99, 24), "text", (90, 20)),
        "edge": ((10, 5, 100, 24), "text", (90, 20)),  # the corner counts the pixel behind the last
        "few": ((10, -3, 90, 12), "text", (81, 13)),  # 3 of 15 rows, and no letter
        "tenth": ((20, 5, 107, 24), "text", (80, 20)),
        "more": ((50, 5, 160, 24), None, (50, 20)),
        "left": ((-50, 5, 40, 24), None, (41, 20)),
        "below": ((10, 35, 90, 70), None, (81, 15)),
        "corner": ((-8, -8, 52, 32), None, (53, 33)),
    }
    lines = [line(box(*corners) + equivalent("text"), name) for name, (corners, _, _) in boxes.items()]
    lines.append(line(box(50, 5, 160, 24), "untold"))
    content = page_xml(lines, "p.png", (100 * factor, 50 * factor))
    scanned = LinesReader().scan(page_folder(tmp_path, content))
    rows = {row["sample"].rpartition(":")[2]: row for row in scanned.samples.frame.to_dicts()}
    assert {name: rows[name]["text"] for name in boxes} == {name: text for name, (_, text, _) in boxes.items()}
    sizes = {name: (rows[name]["width"], rows[name]["height"]) for name in boxes}
    assert sizes == {name: size for name, (_, _, size) in boxes.items()}
    reasons = {rows[name]["text_problem"] for name in boxes if rows[name]["text"] is None}
    assert reasons == {"more than a tenth of the line lies outside its picture"}
    assert rows["untold"]["text_problem"] is None, "a line without a text has no reason"
    assert "7 lines reach beyond an edge of the picture: cut there" in scanned.notes
    for row in rows.values():
        assert LinesReader().load(row).shape[:2] == (row["height"], row["width"])


def test_books_and_pages(tmp_path: Path) -> None:
    for book in ("one", "two"):
        folder = tmp_path / book
        folder.mkdir()
        page_folder(folder, page_xml([line(COORDS + equivalent(book))], "p.png", (100, 50)))
    table = LinesReader().scan(tmp_path).samples.frame
    assert table["book"].to_list() == ["one", "two"]
    assert table["page"].to_list() == ["one/page/p", "two/page/p"]
    assert table["text"].to_list() == ["one", "two"], "equal names in two folders are two pages"


def test_a_picture_of_another_size(tmp_path: Path) -> None:
    double = page_folder(tmp_path / "a", page_xml([line(COORDS)], "p.png", (100, 50)), (200, 100))
    scanned = LinesReader().scan(double)
    assert scanned.samples.frame.select("width", "height").row(0) == (121, 39)
    assert any("another unit or size" in note for note in scanned.notes)
    turned = page_folder(tmp_path / "b", page_xml([line(COORDS)], "p.png", (100, 50)), (50, 100))
    scanned = LinesReader().scan(turned)
    assert len(scanned.samples) == 0
    assert "another shape" in scanned.problems["cause"][0]


def test_units_of_alto(tmp_path: Path) -> None:
    text = f'<TextLine ID="a" HPOS="100" VPOS="50" WIDTH="600" HEIGHT="200">{STRING.format("x", 1)}</TextLine>'
    folder = page_folder(tmp_path / "a", alto([text], "p.png", (1000, 500), unit="mm10"))
    assert LinesReader().scan(folder).samples.frame["outline"][0] == "10,5 70,5 70,25 10,25"
    unknown = page_folder(tmp_path / "b", alto([text], "p.png", (0, 0), unit="mm10"))
    assert "another unit than pixels" in LinesReader().scan(unknown).problems["cause"][0]


def test_a_page_without_its_picture_and_two_files_of_one_page(tmp_path: Path) -> None:
    page_folder(tmp_path, page_xml([line(COORDS + equivalent("page"))], "p.png", (100, 50)))
    body = f'<TextLine ID="a" HPOS="10" VPOS="5" WIDTH="60" HEIGHT="12">{STRING.format("alto", 10)}</TextLine>'
    (tmp_path / "alto").mkdir()
    (tmp_path / "alto" / "p.xml").write_text(alto([body], "p.png", (100, 50)))
    (tmp_path / "page" / "q.xml").write_text(page_xml([line(COORDS)], "q.png", (100, 50)))
    (tmp_path / "mets.xml").write_text("<mets/>")
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["text"].to_list() == ["page"]
    causes = {Path(path).relative_to(tmp_path).as_posix(): cause for path, cause in scanned.problems.rows()}
    assert causes["alto/p.xml"] == "the lines of its picture are read from another file"
    assert causes["page/q.xml"] == "a page with 1 line: its picture is not here"
    assert "passed over: 1 .xml" in scanned.notes


def test_a_picture_of_another_suffix_is_found_by_its_stem(tmp_path: Path) -> None:
    folder = page_folder(tmp_path, page_xml([line(COORDS)], "scans/p.tif", (100, 50)))
    assert len(LinesReader().scan(folder).samples) == 1


def test_what_lies_outside_an_outline_becomes_paper() -> None:
    page = np.full((40, 60, 3), (200, 190, 180), dtype=np.uint8)
    page[:, :8] = 0  # a neighbour's ink
    page[20, 20:30] = 30
    made = cut_line(page, "5,12 50,10 50,30 10,30")
    assert made.shape == (21, 46, 3)
    assert (made[-1, 0] == (200, 190, 180)).all(), "outside: the median colour"
    assert (made[10, 15:25] == 30).all()
    inside = np.flatnonzero((made == 0).all(axis=2))
    assert len(inside) < 21 * 3, "of the neighbour's ink, only what lies inside is left"
    for bad in ("5,12", "a,b c,d e,f", "0,0 100,0 100,10", "-1,0 5,0 5,5"):
        with pytest.raises(ReadError):
            cut_line(page, bad)
