"""Pictures by the names that tables and pages write: composed and decomposed letters, capitals, folders."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ssl_domains_text.lines.reader import LinesReader
from ssl_domains_text.lines.scanning.pictures import Pictures

from .line_files import page_xml, picture
from .test_pages import COORDS, equivalent, line

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Gräfin") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("disk", "written"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED), ("GRÄFIN", COMPOSED)])
def test_tables_and_pages_find_pictures_of_other_letters(tmp_path: Path, disk: str, written: str) -> None:
    picture(tmp_path / "lines" / f"{disk}.png")
    (tmp_path / "lines" / "labels.csv").write_text(f"file,text\n{written}.png,one\n", encoding="utf-8")
    assert LinesReader().scan(tmp_path / "lines").samples.frame["text"].to_list() == ["one"]

    picture(tmp_path / "pages" / f"{disk}.png", 100, 50)
    content = page_xml([line(COORDS + equivalent("Wort"))], f"{written}.png", (100, 50))
    (tmp_path / "pages" / "page").mkdir()
    (tmp_path / "pages" / "page" / "0.xml").write_text(content, encoding="utf-8")
    scanned = LinesReader().scan(tmp_path / "pages")
    assert scanned.samples.frame["text"].to_list() == ["Wort"]
    assert Path(scanned.samples.frame["path"][0]).name == f"{disk}.png", "a path stays as it is on the disk"

    (tmp_path / "pages" / "page" / "0.xml").rename(tmp_path / "pages" / "page" / f"{written}.xml")
    other = content.replace(f"{written}.png", "elsewhere.tif")
    (tmp_path / "pages" / "page" / f"{written}.xml").write_text(other, encoding="utf-8")
    assert len(LinesReader().scan(tmp_path / "pages").samples) == 1, "by the stem"


def found(files: list[str], written: str, folder: str = "/data") -> str:
    answer = Pictures([Path(file) for file in files]).named(written, Path(folder))
    return str(answer)


def test_the_name_as_it_is_written_comes_first() -> None:
    both = [f"/data/{DECOMPOSED}.png", f"/data/{COMPOSED}.png", "/data/GRÄFIN.png", "/data/p.PNG", "/data/p.png"]
    for file in both:
        assert found(both, file) == found(both, Path(file).name) == file
    assert found(both, "P.png").endswith("lies in 2 folders"), "capitals count where two names differ in nothing else"
    assert found(both, "gräfin.png").endswith("lies in 3 folders")
    assert found([both[0], both[2]], f"{COMPOSED}.png") == both[0], "another form of a letter is nearer than a capital"


def test_the_longest_end_of_a_path_counts() -> None:
    files = ["/data/x/A/0.png", "/data/y/B/0.png", "/data/y/b/1.png", f"/data/{DECOMPOSED}/2.png", "/data/z/2.png"]
    assert found(files, "C:\\scans\\A\\0.png") == files[0]
    assert found(files, "/scans/b/0.png") == files[1]
    assert found(files, "0.png").endswith("its picture 0.png lies in 2 folders")
    assert found(files, "q/1.png") == files[2]
    assert found(files, f"/scans/{COMPOSED}/2.png") == files[3]
    assert found(files, "../z/2.png", "/data/page") == files[4]
    assert found(files, "3.png") == "its picture 3.png is not here"
    assert found(files, "") == "no picture is named"
