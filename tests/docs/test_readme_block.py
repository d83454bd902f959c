"""The commands that README shows for own data run as printed, on simulated scans and on a folder of pictures."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssl_domains.cli.app import run

Blocks = Callable[[str, str], list[str]]

SMALL = shlex.split("--set train.max_steps=2 --set train.batch_size=16 --set views.size=32 --encoder small_conv")
"""A short training of a small encoder: the only words that are added to the printed ones."""


def commands_of(blocks: Blocks, first: str) -> list[list[str]]:
    """The ``ssl-domains`` lines of the block that contains a text."""
    [block] = [block for block in blocks("README.md", "console") if first in block]
    return [shlex.split(line)[1:] for line in block.splitlines() if line.startswith("ssl-domains ")]


def run_all(commands: list[list[str]], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run the command lines in the working directory; the output of each by its second word."""
    shown = {}
    for words in commands:
        extra = SMALL if words[1] == "pretrain" else []
        capsys.readouterr()
        code = run([*words, *extra])
        captured = capsys.readouterr()
        assert code == 0, f"{shlex.join(words)}: {captured.err}"
        assert "Traceback" not in captured.err
        shown[words[1]] = captured.out
    return shown


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key of the tests")
    return tmp_path


@pytest.mark.slow
def test_the_block_runs_on_the_demonstration_data(
    blocks: Blocks, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = commands_of(blocks, "medical demo-data")
    assert [words[1] for words in commands] == ["demo-data", "scan", "pairs", "pretrain", "probe", "report"]
    shown = run_all(commands, capsys)
    assert shown["demo-data"].splitlines()[-1].startswith("next: ssl-domains medical scan archive/images")
    assert "severity" in shown["scan"]
    assert "Frozen probe of 'severity'" in shown["probe"]
    assert (place / "pairs.html").is_file()
    assert (place / "run" / "report.html").is_file()


def write_pictures(folder: Path, table: Path, separator: str = ",") -> None:
    """Sixty pictures of twenty patients in folders, the sick ones brighter below."""
    draws, lines = np.random.default_rng(0), [["file", "patient", "diagnosis"]]
    for patient in range(20):
        sick = patient % 2
        for number in range(3):
            pixels = draws.integers(0, 120, (40, 48))
            pixels[20:] += 100 * sick
            file = folder / f"clinic-{patient % 3}" / f"{patient:02d}-{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(file)
            lines.append([file.relative_to(folder).as_posix(), f"P{patient:02d}", "sick" if sick else "well"])
    table.write_text("\n".join(separator.join(line) for line in lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_block_runs_on_a_folder_of_pictures(
    blocks: Blocks, place: Path, capsys: pytest.CaptureFixture[str], separator: str
) -> None:
    write_pictures(place / "pictures", place / "labels.csv", separator)
    shown = run_all(commands_of(blocks, "scan pictures"), capsys)
    assert "60 samples" in shown["scan"]
    assert "Frozen probe of 'diagnosis'" in shown["probe"]
