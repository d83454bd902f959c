"""Alphabets as a user gives them; the scan of lines and the recognisers of any domain take the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains.alphabets import alphabet_of
from ssl_domains.errors import UsageError


@pytest.mark.parametrize(
    ("given", "characters"),
    [
        ("digits", "0123456789"),
        ("ascii-lower", "0123456789abcdefghijklmnopqrstuvwxyz"),
        ("abca", "abc"),
        ("e\u0301x", "\u00e9x"),
        ("0123456789/", "0123456789/"),
    ],
)
def test_names_and_characters(given: str, characters: str) -> None:
    assert alphabet_of(given) == frozenset(characters)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("e\r\n\u0301\nab \n".encode())
    assert alphabet_of(str(tmp_path / "a.txt")) == frozenset("e\u0301ab ")
    (tmp_path / "zero.txt").write_bytes(b"a\x00b")
    for name, cause in (("none.txt", "there is no such file"), ("zero.txt", "it is no text")):
        with pytest.raises(UsageError, match=cause):
            alphabet_of(str(tmp_path / name))
    with pytest.raises(UsageError, match="no characters"):
        alphabet_of("")
