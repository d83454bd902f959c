"""The page on domain plugins, followed by a reader: its plugin, its commands, and the recordings that are no good."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from page_plugin import ECG_PAGE, titled_blocks

Blocks = Callable[[str, str], list[str]]
PAGE = "docs/how-to/write-a-domain-plugin.md"


def shown(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command of a console block as words, with the lines that the page shows after it."""
    command: list[str] | None = None
    lines: list[str] = []
    for line in [*text.splitlines(), "$ "]:
        if line.startswith("$ "):
            if command is not None:
                yield command, lines
            command, lines = shlex.split(line.removeprefix("$ ")), []
        else:
            lines.append(line)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    from ssl_domains.cli.app import run as run_command

    capsys.readouterr()
    code = run_command([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_the_code_of_the_page_is_short() -> None:
    lines = [line for name, code in titled_blocks(ECG_PAGE).items() if name != "use.py" for line in code.splitlines()]
    assert sum(bool(line.strip()) for line in lines) <= 125


def test_help_lists_the_domain_without_importing_it(ecg: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "--help")
    assert code == 0
    assert "12-lead ECGs: recordings of one patient" in told
    assert not [name for name in sys.modules if name.startswith("ssl_domains_ecg")]


def test_the_test_of_the_page_passes(ecg: Path, tmp_path: Path) -> None:
    scope: dict[str, Any] = {}
    exec(titled_blocks(ECG_PAGE)["tests/test_ecg.py"], scope)
    (tmp_path / "checked").mkdir()
    scope["test_the_domain_keeps_its_contract"](tmp_path / "checked")


@pytest.mark.slow
def test_every_command_of_the_page_prints_what_the_page_shows(
    ecg: Path, tmp_path: Path, blocks: Blocks, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [each for block in blocks(PAGE, "console") for each in shown(block)]
    assert commands[0][0] == ["pip", "install", "-e", ecg.name]  # done by the fixture
    seen = set()
    for words, lines in commands[1:]:
        assert words[0] == "ssl-domains"
        seen.add(words[2])
        code, told = run(capsys, *words[1:])
        assert code == 0, told
        printed = [line.rstrip() for line in told.splitlines()]
        for line in lines:
            assert line.rstrip() in printed, f"{' '.join(words)} doesn't print {line!r}, but:\n{told}"
    assert seen == {"check", "demo-data", "scan", "pairs", "pretrain", "embed", "probe", "report", "export"}

    scope: dict[str, Any] = {}
    exec(titled_blocks(ECG_PAGE)["use.py"], scope)
    [row] = pl.read_parquet("samples.parquet").filter(pl.col("path").str.ends_with("00-0.npy")).rows(named=True)
    stored = pl.read_parquet("embeddings.parquet").filter(pl.col("sample") == row["sample"])["embedding"].to_numpy()
    assert scope["features"].shape == (1, 128)
    np.testing.assert_allclose(scope["features"].detach().numpy(), stored, rtol=1e-4, atol=1e-5)

    pages = {name: Path(name).read_text(encoding="utf-8") for name in ("pairs.html", "run/report.html")}
    for name, page in pages.items():
        assert "data:image/png" in page or "data:image/jpeg" in page, name
        assert str(tmp_path) not in page, name
        assert row["patient"] not in page, name
        assert "patient 0" not in page, name
    config = Path("run/config.toml").read_text()
    assert "size" not in config.split("[views]")[1].split("[")[0]
    assert "canvas" not in config
    card = Path("exported/README.md").read_text()
    assert "[B, 12, any length]" in card
    assert json.loads(Path("exported/preprocess.json").read_text())["name"] == "signal"
    code, told = run(capsys, "ecg", "probe", "run", "--label", "rhythm", "--json")
    found = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert found["evidence"] is False


def test_bad_recordings_get_their_sentence_and_the_others_are_trained_on(
    ecg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "ecg", "demo-data", "data")[0] == 0
    good = np.zeros((1000, 12), dtype=np.float32)
    broken = good.copy()
    broken[:3, 6] = np.nan
    for name, array in (("lead", good[:, :11]), ("flat", good.reshape(-1)), ("nan", broken)):
        np.save(tmp_path / "data" / f"{name}.npy", array)
    (tmp_path / "data" / "cut.npy").write_bytes((tmp_path / "data" / "00-0.npy").read_bytes()[:5000])
    with (tmp_path / "data" / "recordings.csv").open("a") as listed:
        listed.writelines(f"{name}.npy,patient {name},0,regular\n" for name in ("lead", "flat", "nan", "cut", "gone"))

    code, told = run(capsys, "ecg", "scan", "data", "-o", "samples.parquet")
    assert code == 0, told
    assert "63 samples" in told
    problems = dict(pl.read_csv("samples.problems.csv").iter_rows())
    causes = {Path(path).stem: cause for path, cause in problems.items()}
    assert causes["empty"] == "not a readable recording: the file is empty"
    assert causes["gone"] == "not a readable recording: the file can't be opened: No such file or directory"
    assert causes["cut"].startswith("not a readable recording: ")

    small = ("--set", "train.max_steps=1", "--set", "train.batch_size=8", "--set", "train.device=cpu")
    code, told = run(capsys, "ecg", "pretrain", "samples.parquet", "--pairs", "patient", "--out", "run", *small)
    assert code == 0, told
    assert "Traceback" not in told
    assert "3 of 63 samples can't be decoded and are left out" in told
    table = ECG_PAGE.read_text(encoding="utf-8")
    for sentence in (
        "decoded to shape [1000, 11], but the reader declares 12 channels",
        "decoded to shape [12000], but axes 'tc' are time, channels",
        "3 values of the recording are not numbers",
    ):
        assert sentence in told
        assert f"`{sentence}`" in table
    assert f"`{causes['empty']}`" in table
    assert len(pl.read_parquet("run/training_samples.parquet")) == 60
    code, told = run(capsys, "ecg", "pairs", "samples.parquet", "--pairs", "patient", "--html", "pairs.html")
    assert code == 0, told
    code, told = run(capsys, "ecg", "embed", "run", "samples.parquet", "-o", "e.parquet")
    assert code == 0, told
    assert "60 of 63 samples embedded" in told
