"""The pool imports functions of files as other processes see them."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.testing.process_pool import Reference


def test_files_of_one_name_in_two_folders_are_two_modules(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "case.py").write_text(f"def place():\n    return {folder!r}\n")
    references = [Reference("no_such_module", str(tmp_path / folder / "case.py"), "place") for folder in ("one", "two")]
    assert [reference.load()() for reference in references] == ["one", "two"]
