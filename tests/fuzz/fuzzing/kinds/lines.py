"""Text lines: databases, lists of IAM, pages in PAGE-XML and ALTO, and tables of labels."""

from __future__ import annotations

from pathlib import Path

import lmdb

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.kinds.shared import picture
from fuzzing.mutations.lmdb import LMDB
from fuzzing.mutations.picture import PNG
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.xml import XML

__all__ = ["KINDS"]

SCAN = Command("lines scan in -o out.parquet", READ, "out.parquet")
ALONE = Command("lines scan in -o out.parquet --alphabet digits --longest 5 --lower", REFUSED)


def _forms(form: str) -> tuple[Plan, ...]:
    # Damage can make one form look like another; then the command reads the rest, or says that there is nothing.
    named = Command(f"lines scan in -o out.parquet --format {form}", REFUSED)
    return Plan((named,), 2), Plan((ALONE,), 1)


def _database(path: Path, first: int, entries: int) -> None:
    """Entries with small pictures, on one page or on a tree of several."""
    path.mkdir(parents=True)
    with lmdb.open(str(path), map_size=4 << 20, lock=False) as opened, opened.begin(write=True) as transaction:
        for number in range(1, entries + 1):
            picture(path / "picture.png", first + number, mode="L")
            transaction.put(b"image-%09d" % number, (path / "picture.png").read_bytes())
            transaction.put(b"label-%09d" % number, b"%d" % (first + number))
            transaction.put(b"writer-%09d" % number, b"w%d" % (number % 2))
        transaction.put(b"num-samples", b"%d" % entries)
    (path / "picture.png").unlink()


def make_databases(folder: Path, shared: Path) -> None:
    """A small and a larger database, each beside a good one."""
    for case, entries in (("leaf", 2), ("tree", 40)):
        _database(folder / case / "in" / "good", 100, 3)
        _database(folder / case / "in" / "target", 1, entries)


def make_iam(folder: Path, shared: Path) -> None:
    """Words and lines of IAM, with the list of forms."""
    words = ("a01-000u-00-00 ok 154 408 768 27 51 AT A", 'a01-000u-00-01 err 154 1 507 766 213 48 " "')
    lines = ("a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to", "a01-000u-01 err 156 19 395 932 1850 105 1960")
    for name, entries in (("words", words), ("lines", lines)):
        source = folder / name / "in"
        for number, entry in enumerate(entries):
            picture(source / name / "a01" / "a01-000u" / f"{entry.split()[0]}.png", number, mode="L")
        (source / f"{name}.txt").write_text("#--- list ---#\n" + "\n".join(entries) + "\n")
        (source / "forms.txt").write_text("# forms\na01-000u 000 2 prt 7 5 52 36\n")


_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="{name}.png" imageWidth="40" imageHeight="30"><TextRegion id="r">
<TextLine id="l1"><Coords points="2,2 35,2 35,12 2,12"/><TextEquiv index="0"><Unicode>12</Unicode></TextEquiv>
</TextLine>
<TextLine id="l2"><Word id="w"><Coords points="2,15 20,15 20,25"/>
<TextEquiv><Unicode>a</Unicode></TextEquiv></Word></TextLine>
</TextRegion></Page></PcGts>
"""
_ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>mm10</MeasurementUnit>
<sourceImageInformation><fileName>{name}.png</fileName></sourceImageInformation></Description>
<Layout><Page ID="p" WIDTH="400" HEIGHT="300"><PrintSpace><TextBlock ID="b">
<TextLine ID="l1" HPOS="20" VPOS="20" WIDTH="330" HEIGHT="100">
<String CONTENT="12" HPOS="20" VPOS="20" WIDTH="50" HEIGHT="50"/>
<SP/><String CONTENT="3"/><HYP CONTENT="-"/></TextLine>
<TextLine ID="l2"><Shape><Polygon POINTS="20,150 200,150 200,250"/></Shape><String CONTENT="a"/></TextLine>
</TextBlock></PrintSpace></Page></Layout></alto>
"""


def _pages(text: str, folder: Path) -> None:
    for name in ("good", "target"):
        picture(folder / "in" / f"{name}.png", len(name), 30, 40, mode="L")
        (folder / "in" / f"{name}.xml").write_text(text.format(name=name), encoding="utf-8")


def make_page_xml(folder: Path, shared: Path) -> None:
    """A page beside a good one, in PAGE-XML."""
    _pages(_PAGE, folder / "page")


def make_alto(folder: Path, shared: Path) -> None:
    """A page beside a good one, in ALTO, in tenths of millimetres."""
    _pages(_ALTO, folder / "alto")


def make_label_tables(folder: Path, shared: Path) -> None:
    """Pictures with a table of labels, and with a list without a header."""
    for case, name, text in (
        ("table", "labels.csv", 'file,label,writer\ngood0.png,"1, 2",w\ngood1.png,3,v\n'),
        ("list", "gt.txt", 'good0.png\t"1\ngood1.png\t2\n'),
    ):
        for number in range(2):
            picture(folder / case / "in" / f"good{number}.png", number, mode="L")
        (folder / case / "in" / name).write_text(text)


def make_line_pictures(folder: Path, shared: Path) -> None:
    """A picture beside two others."""
    for name in ("good0", "good1", "target"):
        picture(folder / "pictures" / "in" / f"{name}.png", len(name), mode="L")


KINDS = (
    Kind(
        "lines_lmdb",
        make_databases,
        ("in/target/data.mdb",),
        LMDB,
        (Plan((SCAN,), 3), Plan((ALONE,), 1)),
        ("in/good/data.mdb",),
    ),
    Kind("lines_iam", make_iam, ("in/words.txt", "in/lines.txt", "in/forms.txt"), TEXT, _forms("iam")),
    Kind(
        "lines_page_xml", make_page_xml, ("in/target.xml",), XML, (Plan((SCAN,), 3), *_forms("pages")), ("in/good.png",)
    ),
    Kind("lines_alto", make_alto, ("in/target.xml",), XML, (Plan((SCAN,), 3), *_forms("pages")), ("in/good.png",)),
    Kind(
        "lines_labels", make_label_tables, ("in/labels.csv", "in/gt.txt"), TEXT, (Plan((SCAN,), 1),), ("in/good*.png",)
    ),
    Kind("lines_pictures", make_line_pictures, ("in/target.png",), PNG, (Plan((SCAN,), 1),), ("in/good*.png",)),
)
