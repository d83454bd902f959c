"""The real commands on real files: what a user gets for good and for bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run

from .line_files import lines_database, page_xml, picture, strip
from .test_pages import COORDS, equivalent, line, page_folder

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["lines", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_a_scan_prints_counts_by_reason(tmp_path: Path, command: Command) -> None:
    lines_database(tmp_path / "data", ["abc", "naïve", "x" * 30, None, ""], declared=9)
    code, out, err = command(
        "scan", tmp_path / "data", "-o", tmp_path / "s.parquet", "--alphabet", "ascii", "--longest", "25"
    )
    assert code == 0, err
    assert (
        "note: 4 labels, 1 can be used; left out: 1 outside the alphabet, 1 longer than 25 characters, 1 empty" in out
    )
    assert "note: 1 line has no label" in out
    assert "num-samples declares 9 entries, 5 have a readable picture" in out
    frame = pl.read_parquet(tmp_path / "s.parquet")
    assert len(frame) == 5
    assert frame["text_problem"].null_count() == 2


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--format", "lmbd"), "lmdb"),
        (("--format", "iam"), "leave --format out"),
        (("--alphabet", ""), "give a name"),
        (("--longest", "0"), "such as 25"),
        (("--direction", "down"), "auto, ltr or rtl"),
        (("--labels", "absent.csv"), "CSV"),
        (("--folders", "width"), "name the levels"),
    ],
)
def test_options_that_can_t_be_are_one_line_and_a_hint(
    tmp_path: Path, command: Command, words: tuple[str, ...], hint: str
) -> None:
    picture(tmp_path / "data" / "w" / "a.png")
    code, _, err = command("scan", tmp_path / "data", "-o", tmp_path / "s.parquet", *words)
    assert code == 2
    assert [one.split(":")[0] for one in err.strip().splitlines()] == ["error", "hint"]
    assert hint in err
    assert "Traceback" not in err


def test_nothing_that_can_be_read_is_exit_4(tmp_path: Path, command: Command) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.md").write_text("no lines")
    code, _, err = command("scan", tmp_path / "data", "-o", tmp_path / "s.parquet")
    assert code == 4
    assert "hint: lines reads LMDB (.mdb), words.txt or lines.txt of IAM" in err
    (tmp_path / "data" / "data.mdb").write_bytes(b"no database")
    code, _, err = command("scan", tmp_path / "data", "-o", tmp_path / "s.parquet")
    assert code == 4
    assert "no LMDB database" in err


def test_an_encoder_is_trained_and_embeds(tmp_path: Path, command: Command) -> None:
    """SeqCLR on lines of differing width, from a database, in one step an epoch."""
    for number in range(16):
        picture(tmp_path / "data" / f"w{number % 4}" / f"{number}.png", 40 + 6 * number, 20, number)
    (tmp_path / "data" / "labels.csv").write_text(
        "file,text\n" + "".join(f"w{k % 4}/{k}.png,line {k}\n" for k in range(16))
    )
    samples = tmp_path / "s.parquet"
    code, out, err = command("scan", tmp_path / "data", "-o", samples, "--folders", "writer", "--split-by", "writer")
    assert code == 0, err
    assert "16 labels, all can be used" in out
    page = tmp_path / "pairs.html"
    code, _, err = command("pairs", samples, "--pairs", "ignore_same", "--html", page)
    assert code == 0, err
    assert 'class="caption" dir="auto">line ' in page.read_text(encoding="utf-8")
    given = ("--out", tmp_path / "run", "--method", "seqclr", "--pairs", "ignore_same")
    small = ("--set", "train.epochs=1", "--set", "train.batch_size=6", "--set", "input.height=16")
    code, _, err = command("pretrain", samples, *given, *small)
    assert code == 0, err
    assert "lines: strips 16 pixels high" in err
    code, _, err = command("embed", tmp_path / "run", samples, "-o", tmp_path / "e.parquet")
    assert code == 0, err
    embedded = pl.read_parquet(tmp_path / "e.parquet")
    assert len(embedded) == 16
    assert np.isfinite(embedded["embedding"].to_numpy()).all()
    assert embedded["embedding"].n_unique() == 16


def test_lines_of_one_page_on_both_sides_are_a_leak(tmp_path: Path, command: Command) -> None:
    """The audit demands that lines of one page are on one side, without being asked."""
    from PIL import Image

    Image.fromarray(strip(100, 50)).save(tmp_path / "p.png")
    other = '<Coords points="10,28 70,28 70,45 10,45"/>'
    page_folder(tmp_path, page_xml([line(COORDS + equivalent("a"), "l1"), line(other, "l2")], "p.png", (100, 50)))
    samples = tmp_path / "s.parquet"
    (tmp_path / "split.csv").write_text("sample,split\npage/p.xml:l1,train\npage/p.xml:l2,test\n")
    assert command("scan", tmp_path, "-o", samples, "--join", tmp_path / "split.csv", "--on", "sample")[0] == 0
    assert run(["splits", "audit", str(samples), "--split", "split", "--no-contents"]) == 4
