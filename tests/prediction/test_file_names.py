"""Names of written files follow those of the sources, and are distinct on every file system."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.prediction import distinct_names, mirrored_names

PART = st.text("aAbé. -1", min_size=1, max_size=3).filter(lambda part: part.strip(". ") != "")


def test_folders_are_mirrored_below_the_scanned_one() -> None:
    root = Path("/data/pictures")
    paths = [str(root / name) for name in ("a.jpg", "left/a.jpg", "left/b.v2.jpg", "right/a.jpg")]
    expected = ["a.png", "left/a.png", "left/b.v2.png", "right/a.png"]
    assert mirrored_names(paths, root, ".png") == expected
    assert mirrored_names(paths, None, ".png") == expected  # of a table: the folder that all files share


def test_names_that_would_be_alike_are_told_apart() -> None:
    root = Path("/data")
    paths = [f"/data/{name}" for name in ("a.jpg", "a.tif", "b.jpg", "b.jpg", "B.jpg")]
    assert mirrored_names(paths, root, ".png") == [
        "a.jpg.png", "a.tif.png", "b.jpg-1.png", "b.jpg-2.png", "B.jpg.png",
    ]  # fmt: skip
    # A number may be part of another file's name.
    assert mirrored_names(["/data/c.jpg", "/data/c.jpg", "/data/c-1.jpg"], root, ".png") == [
        "c-1.png", "c-2.png", "c-1-2.png",
    ]  # fmt: skip


def test_a_file_outside_of_the_folder_keeps_its_name_alone() -> None:
    assert mirrored_names(["/data/x/a.jpg", "/other/a.jpg"], Path("/data"), ".png") == ["x/a.png", "a.png"]


def test_links_of_the_scanned_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    resolved, unresolved = str(tmp_path / "real" / "x" / "a.jpg"), str(tmp_path / "link" / "x" / "b.jpg")
    assert mirrored_names([resolved, unresolved], tmp_path / "link", ".png") == ["x/a.png", "x/b.png"]


def test_a_name_is_no_folder_of_another_one() -> None:
    assert mirrored_names(["/data/a.jpg", "/data/a.png/b.jpg"], Path("/data"), ".png") == ["a-2.png", "a.png/b.png"]


@given(st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), max_size=12))
def test_names_are_distinct_whatever_the_case_and_form(names: list[str]) -> None:
    made = distinct_names(names, ".png")
    keys = [unicodedata.normalize("NFC", name).casefold() for name in made]
    assert len(set(keys)) == len(names)
    assert made == distinct_names(names, ".png")
    folders = {unicodedata.normalize("NFC", str(Path(name).parent)).casefold() for name in made}
    assert not folders & set(keys)


def test_the_two_forms_of_a_letter_are_one_name() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    assert distinct_names([composed, decomposed], ".png")[1] == f"{decomposed}-2.png"
