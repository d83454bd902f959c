"""Columns from the names of folders."""

from __future__ import annotations

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import folder_columns, folder_note


def test_folders() -> None:
    names = ["north/night1/a.wav", "south/b.wav", "c.wav"]
    assert folder_columns(names, "site/session") == {
        "site": ["north", "south", None],
        "session": ["night1", None, None],
    }
    assert folder_columns(names, "-/session") == {"session": ["night1", None, None]}
    assert folder_columns(names, None) == {}
    for levels in ("a/b/c", "site/site", "path", "", "my site"):
        with pytest.raises(UsageError):
            folder_columns(names, levels)


def test_folders_are_offered() -> None:
    assert "2 folders (north, south)" in folder_note(["north/a.wav", "south/a.wav", "b.wav"], None, [])
    assert folder_note(["north/a.wav", "south/a.wav"], None, ["speaker"], ("site", "speaker")) == ""
    assert folder_note(["north/a.wav", "north/b.wav"], None, []) == ""
