"""Tables of labels beside pictures: headers, lists without a header, quotes, encodings, and what doesn't fit."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError, read_table
from ssl_domains_text.lines.labels.label_table import read_label_table
from ssl_domains_text.lines.reader import LinesReader

from .line_files import picture


def table(tmp_path: Path, content: str, name: str = "labels.csv", encoding: str = "utf-8"):
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    return read_label_table(path)


@pytest.mark.parametrize(
    "header",
    ["file,label", "image,text", "path,transcription", "File_Name,Ground Truth", "filename,words", "id,identity"],
)
def test_names_of_columns(tmp_path: Path, header: str) -> None:
    read = table(tmp_path, f"{header}\n0.png,abcd\n1.png,efg\n")
    assert read is not None
    assert (read.files, read.texts) == (["0.png", "1.png"], ["abcd", "efg"])


def test_quotes_commas_and_numbers_stay_text(tmp_path: Path) -> None:
    read = table(tmp_path, 'file,label,writer\na.png,"one, two",007\nb.png,"""",\nc.png,,008\nd.png,  x ,1\n')
    assert read is not None
    assert read.texts == ["one, two", '"', None, "  x "]
    assert read.columns == {"writer": ["007", None, "008", "1"]}


def test_tabs_have_no_quotes(tmp_path: Path) -> None:
    read = table(tmp_path, 'file\ttext\na.png\t"\nb.png\ta "b" c\n', "labels.tsv")
    assert read is not None
    assert read.texts == ['"', 'a "b" c']


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("word_1.png\tTiredness\nword_2.png\ta, b\n", ["Tiredness", "a, b"]),
        ('word_1.png, "Tiredness"\nword_2.png, "a, ""b"\n', ["Tiredness", 'a, ""b']),
        ("word_1.png,#\nword_2.png,x,y\n", ["#", "x,y"]),
        ("word_1.png\tyes, no, maybe\nword_2.png\tHello\n", ["yes, no, maybe", "Hello"]),
        ("word_1.png;yes, no, maybe\nword_2.png;a|b\n", ["yes, no, maybe", "a|b"]),
        ("word_1.png|a; b; c, d\nword_2.png|e\n", ["a; b; c, d", "e"]),
        ("word_1.png,a\nword_2.png,\n", ["a", None]),
        ("word_1.png\t \nword_2.png\ta\n", [None, "a"]),
    ],
)
def test_lists_without_a_header(tmp_path: Path, content: str, texts: list[str]) -> None:
    read = table(tmp_path, content, "gt.txt")
    assert read is not None
    assert (read.files, read.texts) == (["word_1.png", "word_2.png"], texts)


@pytest.mark.parametrize(
    "header", ["file\ttext, as read, by hand", "text, as read;file;text", "file;name, first;text", "x|text|file"]
)
def test_the_separator_is_the_one_that_gives_a_column_of_files(tmp_path: Path, header: str) -> None:
    separator = next(one for one in "\t;|" if one in header)
    values = {"file": "0.png", "text": "a, b, c"}
    row = separator.join(values.get(name, name) for name in header.split(separator))
    read = table(tmp_path, f"{header}\n{row}\n")
    assert read is not None
    assert read.files == ["0.png"]
    assert read.texts == ([None] if "text" not in header.split(separator) else ["a, b, c"])


def test_encodings_and_byte_order_marks(tmp_path: Path) -> None:
    plain = table(tmp_path, "file,label\na.png,naïve\n", encoding="utf-8-sig")
    assert plain is not None
    assert (plain.texts, plain.encoding) == (["naïve"], None)
    other = table(tmp_path, "file,label\na.png,naïve\n", encoding="latin-1")
    assert other is not None
    assert (other.texts, other.encoding) == (["naïve"], "Latin-1")


def test_rows_that_are_too_short_are_counted(tmp_path: Path) -> None:
    read = table(tmp_path, "file,writer,label\na.png,w,x\nb.png\n,w,y\n")
    assert read is not None
    assert (read.files, read.short) == (["a.png"], 2)


def test_what_is_no_table_of_labels(tmp_path: Path) -> None:
    for content in ("", "one column\n", "a,b\n1,2\n", "readme, with commas\n"):
        assert table(tmp_path, content) is None
    with pytest.raises(ReadError, match="no text"):
        table(tmp_path, "file,label\na.png,\x00\n")


def folder_of(tmp_path: Path) -> Path:
    for number in range(3):
        picture(tmp_path / "img" / f"{number}.png", 50 + number, seed=number)
    return tmp_path


def test_a_folder_with_a_table(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "labels.csv").write_text(
        "file,label,writer,width\nimg/0.png,abc,w1,9\n1.png,de,w2,9\nimg/9.png,missing,w1,9\n", encoding="utf-8"
    )
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    scanned = LinesReader().scan(folder)
    rows = scanned.samples.frame
    assert rows["text"].to_list() == ["abc", "de", None]
    assert rows["writer"].to_list() == ["w1", "w2", None]
    assert rows["width"].to_list() == [50, 51, 52], "the width is that of the picture"
    assert scanned.problems.rows() == [
        (f"{folder}/labels.csv#img/9.png", "a row of the table whose picture is not here")
    ]
    assert "labels.csv is read as a table of 3 lines, 1 picture of which is not here" in scanned.notes
    assert "1 line has no label" in scanned.notes
    assert "passed over: 1 .csv" in scanned.notes


def test_a_table_that_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pictures")
    other = tmp_path / "elsewhere.csv"
    other.write_text("file,label\nimg/2.png,named\n")
    scanned = LinesReader().scan(folder, labels=[other])
    assert scanned.samples.frame["text"].to_list() == [None, None, "named"]
    with pytest.raises(UsageError, match="no table"):
        LinesReader().scan(folder, labels=tmp_path / "absent.csv")
    other.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="no column of files"):
        LinesReader().scan(folder, labels=other)


@pytest.mark.parametrize("column", ["id", "name", "file"])
def test_names_without_the_suffix_of_a_picture(tmp_path: Path, column: str) -> None:
    for name in ("w1/0000.png", "w1/0001.tif", "w2/0000.png", "w2/0002.v1.png", "w2/0003.png", "w2/0003.jpg"):
        picture(tmp_path / name)
    (tmp_path / "w1" / "a.csv").write_text(f"{column},text\n0000,one\n0001,two\n")
    rows = ["w2/0000,three", "/data/set/w2/0002.v1,four", "0003,two files", "0001.png,another suffix", "0002,cut"]
    (tmp_path / "b.csv").write_text("\n".join([f"{column},text", *rows]) + "\n")
    scanned = LinesReader().scan(tmp_path)
    frame = scanned.samples.frame
    assert dict(zip(frame["sample"], frame["text"], strict=True)) == {
        "w1/0000.png": "one", "w1/0001.tif": "two", "w2/0000.png": "three", "w2/0002.v1.png": "four",
        "w2/0003.jpg": None, "w2/0003.png": None,
    }  # fmt: skip
    assert [path.rpartition("#")[2] for path in scanned.problems["path"]] == ["0003", "0001.png", "0002"]


def test_two_labels_of_one_picture(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "a.csv").write_text("file,label\nimg/0.png,abc\nimg/1.png,same\n")
    (folder / "b.csv").write_text("file,label\nimg/0.png,other\nimg/1.png,same\n")
    rows = LinesReader().scan(folder).samples.frame
    assert rows["text"].to_list() == [None, "same", None]
    assert rows["text_problem"][0] == "several labels in the tables"


@pytest.mark.parametrize("first", ["a.csv", "z.csv"])
def test_a_table_without_labels_keeps_those_of_another(tmp_path: Path, first: str) -> None:
    folder = folder_of(tmp_path)
    (folder / "labels.csv").write_text("file,text,page\nimg/0.png,abc,p1\nimg/1.png,de,p2\nimg/2.png,,\n")
    (folder / first).write_text("file,writer,page\nimg/0.png,w1,\nimg/1.png,w2,p3\nimg/2.png,w2,p4\n")
    scanned = LinesReader().scan(folder)
    rows = scanned.samples.frame
    assert rows["text"].to_list() == ["abc", "de", None]
    assert rows["text_problem"].to_list() == [None] * 3
    assert rows["writer"].to_list() == ["w1", "w2", "w2"]
    assert rows["page"].to_list() == ["p1", "p3" if first == "a.csv" else "p2", "p4"]
    assert "1 row has another page than a row before of the same picture: that counts" in scanned.notes
    assert "2 labels, all can be used" in scanned.notes
    assert "1 line has no label" in scanned.notes


def test_texts_beside_pictures_with_a_table_of_writers(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for number, text in enumerate(["line 0\n", "", ""]):
        (folder / "img" / f"{number}.gt.txt").write_text(text)
    (folder / "meta.csv").write_text("file,writer,label\n0.png,w1,\n1.png,w2,\n2.png,w3,from the table\n")
    rows = LinesReader().scan(folder).samples.frame
    assert rows["text"].to_list() == ["line 0", None, "from the table"]
    assert rows["text_problem"].to_list() == [None, "the label is empty", None]
    assert rows["writer"].to_list() == ["w1", "w2", "w3"]


def test_labels_that_differ_only_in_form_are_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "a.csv").write_text("file,label\nimg/0.png,na\u00efve\nimg/1.png,same\n", encoding="utf-8")
    (folder / "b.csv").write_text("file,label\nimg/0.png,nai\u0308ve \nimg/1.png,Same\n", encoding="utf-8")
    rows = LinesReader().scan(folder).samples.frame
    assert rows["text"].to_list() == ["na\u00efve", None, None]
    assert rows["text_problem"].to_list() == [None, "several labels in the tables", None]


def test_a_list_or_table_as_the_source(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    path = folder / "img" / "gt.txt"
    path.write_text("0.png\tyes, no, maybe\n1.png\tHello\n")
    (folder / "img" / "other.csv").write_text("file,text\n0.png,not this\n")
    assert LinesReader().scan(path).samples.frame["text"].to_list() == ["yes, no, maybe", "Hello", None]
    out = str(tmp_path / "o.parquet")
    assert run(["lines", "scan", str(path), "-o", out]) == 0
    path.write_text("nothing, that names pictures\n")
    with pytest.raises(UsageError, match=r"gt\.txt is no table of labels: it has no column of files"):
        LinesReader().scan(path)
    assert run(["lines", "scan", str(path), "-o", out]) == 2
    assert LinesReader().scan(folder).samples.frame["text"].to_list() == ["not this", None, None]


@pytest.mark.parametrize("content", ["<html><body/></html>", "<PcGts", "no XML"])
def test_an_xml_file_as_the_source_that_is_no_page(tmp_path: Path, content: str) -> None:
    folder = folder_of(tmp_path)
    path = folder / "img" / "p.xml"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"p\.xml is no page"):
        LinesReader().scan(path)
    assert len(LinesReader().scan(folder).samples) == 3, "in a folder, it is passed over"


def test_a_plain_folder_and_folders_as_columns(tmp_path: Path) -> None:
    for writer in ("anna", "ben"):
        picture(tmp_path / writer / "book1" / "l.png")
    plain = LinesReader().scan(tmp_path)
    assert any("--folders writer, or book" in note for note in plain.notes)
    assert plain.samples.frame["text"].null_count() == 2
    named = LinesReader().scan(tmp_path, folders="writer/book").samples.frame
    assert named.select("writer", "book").rows() == [("anna", "book1"), ("ben", "book1")]
    with pytest.raises(UsageError, match="column 'text'"):
        LinesReader().scan(tmp_path, folders="text")


def test_a_table_as_the_source(tmp_path: Path) -> None:
    from ssl_domains.samples import Problems, SampleTable, ScanResult, read_frame

    folder = folder_of(tmp_path)
    (folder / "img" / "1.png").write_bytes(b"no picture")
    path = folder / "t.csv"
    path.write_text("path,transcription,writer\nimg/0.png,abc,w\nimg/1.png,de,w\nimg/2.png,é,v\n", encoding="utf-8")
    frame = read_frame(path)
    frame = frame.with_columns(path=str(folder) + "/" + frame["path"])
    read = ScanResult(SampleTable.of(frame), Problems().frame())
    made = LinesReader().complete_table(read, alphabet="abc")
    rows = made.samples.frame
    assert rows["text"].to_list() == ["abc", None]
    assert rows["text_problem"].to_list() == [None, "characters outside the alphabet: 'é' (U+00E9)"]
    assert rows["width"].to_list() == [50, 52]
    assert len(made.problems) == 1
    assert "transcripts are those of the column transcription" in made.notes
    with pytest.raises(UsageError, match="--folders reads a folder"):
        LinesReader().complete_table(read, folders="writer")
    with pytest.raises(UsageError, match="--format reads a folder"):
        LinesReader().complete_table(read, format="lmdb")


@pytest.mark.parametrize("option", [["--alphabet", "12"], ["--lower"], ["--longest", "1"], ["--direction", "rtl"]])
def test_labels_are_not_chosen_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]) -> None:
    folder = folder_of(tmp_path)
    (folder / "labels.csv").write_text("file,text\n0.png,Abc\n1.png,12\n")
    scanned, again = str(tmp_path / "o.parquet"), tmp_path / "o2.parquet"
    assert run(["lines", "scan", str(folder), "-o", scanned]) == 0
    assert run(["lines", "scan", scanned, "-o", str(again), *option]) == 2
    assert f"scan its source again with {option[0]}" in capsys.readouterr().err
    assert not again.exists()
    assert run(["lines", "scan", scanned, "-o", str(again)]) == 0
    assert read_table(again).frame["text"].to_list() == ["Abc", "12", None]


def test_a_table_without_labels_says_so(tmp_path: Path) -> None:
    from ssl_domains.samples import Problems, SampleTable, ScanResult

    path = str(picture(tmp_path / "0.png"))
    for frame, note in (
        (pl.DataFrame({"path": [path]}), "no line has a label: they serve for pretraining"),
        (pl.DataFrame({"path": [path], "label": [" "]}), "no line has a label: they serve for pretraining"),
        (pl.DataFrame({"path": [path], "label": ["a"]}), "1 label, all can be used"),
    ):
        read = ScanResult(SampleTable.of(frame), Problems().frame())
        made = LinesReader().complete_table(read)
        assert note in made.notes
        assert made.samples.frame.get_column("text_problem", default=pl.Series([None])).to_list() == [None]


@pytest.mark.parametrize("column", ["text", "word", "gt"])
def test_numbers_of_a_table_as_the_source_stay_text(tmp_path: Path, column: str) -> None:
    for name in ("0.png", "1.png", "2.png"):
        picture(tmp_path / name)
    (tmp_path / "t.csv").write_text(f"path;{column};page\n0.png;12,50;1\n1.png;3,10;2\n2.png;NA;3\n", encoding="utf-8")
    out = tmp_path / "o.parquet"
    assert run(["lines", "scan", str(tmp_path / "t.csv"), "-o", str(out)]) == 0
    frame = read_table(out).frame
    assert frame["text"].to_list() == ["12,50", "3,10", "NA"]
    assert frame["page"].to_list() == [1, 2, 3]


def test_a_table_as_the_source_keeps_its_directions(tmp_path: Path) -> None:
    for name in ("0.png", "1.png"):
        picture(tmp_path / name)
    (tmp_path / "t.csv").write_text("path,text,direction\n0.png,שלום,ltr\n1.png,abc,\n", encoding="utf-8")
    out = tmp_path / "o.parquet"
    assert run(["lines", "scan", str(tmp_path / "t.csv"), "-o", str(out)]) == 0
    assert read_table(out).frame["direction"].to_list() == ["ltr", None]
    assert run(["lines", "scan", str(tmp_path / "t.csv"), "-o", str(out), "--direction", "rtl"]) == 0
    assert read_table(out).frame["direction"].to_list() == ["rtl", "rtl"]


def test_texts_beside_pictures(tmp_path: Path) -> None:
    for name in ("a/0001.png", "a/0002.bin.png", "b/0001.png", "b/0003.png"):
        picture(tmp_path / name)
    for name, text in (("a/0001", "one\n"), ("a/0002", "two"), ("b/0001", "another one"), ("b/0009", "no picture")):
        (tmp_path / f"{name}.gt.txt").write_text(text, encoding="utf-8")
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["text"].to_list() == ["one", "two", "another one", None]
    assert scanned.problems.rows() == [(f"{tmp_path}/b/0009.gt.txt", "a text without its picture")]
    assert "3 pictures have their texts in .gt.txt beside" in scanned.notes


def test_the_text_of_a_page_is_not_that_of_its_line(tmp_path: Path) -> None:
    for name in ("p1.l1", "p2.l1", "q.BIN", "r.nrm", "s.dew", "t", "t.bin"):
        picture(tmp_path / f"{name}.png")
    for name in ("p1", "p2.l1", "q", "r", "s", "t"):
        (tmp_path / f"{name}.gt.txt").write_text(f"text of {name}\n")
    scanned = LinesReader().scan(tmp_path)
    frame = scanned.samples.frame
    assert dict(zip(frame["sample"], frame["text"], strict=True)) == {
        "p1.l1.png": None, "p2.l1.png": "text of p2.l1", "q.BIN.png": "text of q", "r.nrm.png": "text of r",
        "s.dew.png": "text of s", "t.png": "text of t", "t.bin.png": None,
    }  # fmt: skip
    assert scanned.problems.rows() == [(f"{tmp_path}/p1.gt.txt", "a text without its picture")]


def test_names_of_texts_beside_pictures_in_another_form_of_unicode(tmp_path: Path) -> None:
    for of_picture, of_text in (("gra\u0308fin", "gr\u00e4fin"), ("k\u00f6nig.bin", "ko\u0308nig"), ("A", "A")):
        picture(tmp_path / f"{of_picture}.png")
        (tmp_path / f"{of_text}.gt.txt").write_text(of_text[0])
    scanned = LinesReader().scan(tmp_path)
    assert sorted(scanned.samples.frame["text"]) == ["A", "g", "k"]
    assert len(scanned.problems) == 0


def test_encodings_of_texts_beside_pictures_are_said(tmp_path: Path) -> None:
    for number, encoding in enumerate(("utf-8-sig", "latin-1", "latin-1", "utf-16")):
        picture(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.gt.txt").write_bytes("Müller".encode(encoding))
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["text"].to_list() == ["Müller"] * 4
    assert (
        "4 pictures have their texts in .gt.txt beside; 2 of them Latin-1 text; 1 of them UTF-16 text" in scanned.notes
    )


def test_a_picture_as_the_source_has_the_text_beside_it(tmp_path: Path) -> None:
    for name in ("0", "1.bin", "2"):
        picture(tmp_path / f"{name}.png")
    for name in ("0", "1", "9"):
        (tmp_path / f"{name}.gt.txt").write_text(f"text {name}\n")
    for name, text in (("0", "text 0"), ("1.bin", "text 1"), ("2", None)):
        scanned = LinesReader().scan(tmp_path / f"{name}.png")
        assert scanned.samples.frame["text"].to_list() == [text]
        assert len(scanned.problems) == 0
    assert run(["lines", "scan", str(tmp_path / "0.png"), "-o", str(tmp_path / "o.parquet")]) == 0
    assert read_table(tmp_path / "o.parquet").frame["text"].to_list() == ["text 0"]
