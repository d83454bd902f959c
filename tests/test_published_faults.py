"""Faults of published code and splits, made again in small files, and what this tool answers to each."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.cli.app import run

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def picture(path: Path, rng: np.random.Generator, size: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (size, size), dtype=np.uint8)).save(path)


def archive(folder: Path, command: Command, columns: dict[str, list[Any]], **options: object) -> Path:
    """Pictures with a table of what is known about them, scanned by the medical plugin."""
    rng = np.random.default_rng(0)
    count = len(next(iter(columns.values())))
    files = [f"{number:04d}.png" for number in range(count)]
    for file in files:
        picture(folder / "pictures" / file, rng)
    pl.DataFrame({"file": files, **columns}).write_csv(folder / "known.csv")
    out = folder / "samples.parquet"
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    code, _, err = command(
        "medical", "scan", folder / "pictures", "-o", out, "--join", folder / "known.csv", "--on", "file", *words
    )
    assert code == 0, err
    return out


@pytest.mark.parametrize("task", ["pairs", "pretrain"])
def test_positives_from_an_all_unique_column_are_refused_as_simclr(task: str, command: Command, tmp_path: Path) -> None:
    """The published seismic code read the wrong column of its CSV: every label was unique, and SupCon was SimCLR."""
    rows = 40
    columns = {"trace_file": [f"trace{row}" for row in range(rows)], "slice_bin": [row // 4 for row in range(rows)]}
    samples = archive(tmp_path, command, columns)
    out = ("--out", tmp_path / "run") if task == "pretrain" else ()
    small = ("--set", "train.batch_size=20")
    code, told, err = command("medical", task, samples, "--rule", "same('trace_file')", *small, *out)
    assert code == 4
    assert "error: column 'trace_file' is all unique, so same('trace_file') never matches two samples" in err
    assert "this equals SimCLR" in err
    assert len(err.splitlines()) <= 3
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.glob("*.store"))  # refused before anything was decoded
    if task == "pairs":
        assert "this equals SimCLR" in told
        # The column that was meant.
        assert command("medical", "pairs", samples, "--rule", "same('slice_bin')", *small)[0] == 0


def survey(shared: float) -> pl.DataFrame:
    """Traces of a training block and of a test block, of whose crosslines a share lies within the training block."""
    inline, crossline = (axis.ravel() for axis in np.meshgrid(np.arange(100, 130), np.arange(300, 400)))
    train = pl.DataFrame({"inline": inline, "crossline": crossline, "split": "train"})
    first = 400 - round(100 * shared)
    test = train.with_columns(crossline=pl.col("crossline") - 300 + first, split=pl.lit("test"))
    return pl.concat([train, test])


def test_a_block_split_that_shares_two_thirds_of_its_traces(command: Command, tmp_path: Path) -> None:
    """Two of three published test folds shared 67 % of their traces with training."""
    table = tmp_path / "traces.csv"
    survey(0.67).write_csv(table)
    code, out, err = command("splits", "audit", table, "--split", "split", "--block", "inline,crossline")
    assert code == 4
    assert "67 % of test lies at places (inline×crossline) that train has as well: 2,010 of 3,000 rows" in out
    assert err.splitlines()[0].startswith("error: the split 'split' leaks: 67 % of test")
    found = command("splits", "audit", table, "--split", "split", "--block", "inline,crossline", "--json")
    document = json.loads(found[1])
    assert document["leaking"]
    assert [finding["share_b"] for finding in document["findings"]] == [0.67]
    assert document["findings"][0]["box_overlap_b"] == pytest.approx(0.67)

    survey(0.0).write_csv(table)
    code, out, err = command("splits", "audit", table, "--split", "split", "--block", "inline,crossline")
    assert (code, err) == (0, "")
    assert "share no place (inline×crossline); the gap is 1" in out
    code, out, _ = command("splits", "audit", table, "--split", "split", "--block", "inline,crossline", "--gap", 40)
    assert code == 4
    assert "the gap between train and test is 1 in inline×crossline, less than the required 40" in out
    apart = survey(0.0).filter(~pl.col("crossline").is_between(400, 438))
    apart.write_csv(table)
    assert command("splits", "audit", table, "--split", "split", "--block", "inline,crossline", "--gap", 40)[0] == 0


def test_four_patients_on_both_sides(command: Command, tmp_path: Path) -> None:
    """One of three published OCT splits had four patients on both sides."""
    patients = [f"P{row // 4:02d}" for row in range(80)]
    sides = ["test" if row // 4 >= 15 or (row // 4 < 4 and row % 4 == 3) else "train" for row in range(80)]
    samples = archive(tmp_path, command, {"subject": patients, "published": sides})
    code, out, err = command("splits", "audit", samples, "--split", "published", "--group", "subject")
    assert code == 4
    assert "4 of 9 groups of 'subject' in test are in train as well: 12 rows of train (21.4 %)" in out
    assert "leaks: 4 of 9 groups" in err
    assert "P00" not in out + err  # nobody is named unasked
    named = command("splits", "audit", samples, "--split", "published", "--group", "subject", "--names")[1]
    assert "(P00, P01, P02, P03)" in named

    whole = archive(tmp_path, command, {"subject": patients, "published": sides}, split_by="subject")
    code, out, err = command("splits", "audit", whole, "--split", "split", "--group", "subject")
    assert (code, err) == (0, "")
    assert "good: train and test share none of their 16 and 4 groups of 'subject'" in out


def test_a_thousand_pictures_under_two_names(command: Command, tmp_path: Path) -> None:
    """The two small Omniglot archives share 1,000 identical files under other folders."""
    rng = np.random.default_rng(0)
    for number in range(1200):
        picture(tmp_path / "data" / "small1" / f"{number}.png", rng)
    for number in range(200, 1400):
        name = tmp_path / "data" / "small2" / f"{number - 200:04d}_copy.png"
        name.parent.mkdir(exist_ok=True)
        if number < 1200:
            name.write_bytes((tmp_path / "data" / "small1" / f"{number}.png").read_bytes())
        else:
            picture(name, rng)
    samples = tmp_path / "samples.parquet"
    assert command("medical", "scan", tmp_path / "data", "-o", samples)[0] == 0
    frame = pl.read_parquet(samples)
    names = frame["file"].str.starts_with("small1")
    table = tmp_path / "named.csv"
    frame.select("sample", "path").with_columns(
        archive=pl.Series(names).replace_strict({True: "train", False: "test"}, return_dtype=pl.String)
    ).write_csv(table)
    code, out, err = command("splits", "audit", table, "--split", "archive")
    assert code == 4
    told = "1,000 samples of test (83.3 %) are duplicates of 1,000 of train (byte for byte)"
    assert told in out
    assert told in err


@pytest.mark.shared_data
def test_the_two_omniglot_archives_share_a_thousand_files(shared_data: Path, command: Command, tmp_path: Path) -> None:
    rows = []
    for number in (1, 2):
        with zipfile.ZipFile(shared_data / "text" / f"omniglot_images_background_small{number}.zip") as archive:
            for name in archive.namelist():
                if name.endswith(".png"):
                    path = Path(archive.extract(name, tmp_path / str(number)))
                    rows.append({"sample": f"{number}/{len(rows)}", "path": str(path), "archive": number})
    table = tmp_path / "omniglot.csv"
    pl.DataFrame(rows).write_csv(table)
    code, _, err = command("splits", "audit", table, "--split", "archive")
    assert code == 4
    assert "leaks: 1,000 samples of 2 (32.1 %) are duplicates of 1,000 of 1 (byte for byte)" in err
