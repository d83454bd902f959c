"""The seismic demonstration: its lines can be typed, its table is that of the reports, its refusal is checked."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from command_lines import check_line
from ssl_domains.cli.command_line import typed
from ssl_domains.cli.work.demo import SeismicDemonstration
from ssl_domains.cli.work.demo import demonstration as base
from ssl_domains.cli.work.demo.folder import COMMANDS
from ssl_domains.cli.work.demo.seismic import demonstration as module
from ssl_domains.cli.work.demo.seismic.lines import ARMS, DISGUISE, RULE, TUNED, SeismicLines
from ssl_domains.cli.work.demo.seismic.scores import METRIC, SeismicScores
from ssl_domains.errors import DataError
from ssl_domains.evaluation import MASKS, ProbeReport, ProbeRow
from ssl_domains.extending import Registry
from ssl_domains.finetuning.report import FINE_TUNED, FROZEN, FineTuneReport, FineTuneRow
from ssl_domains.probes import POSITION


@pytest.fixture
def demonstration(tmp_path: Path) -> SeismicDemonstration:
    return SeismicDemonstration(SeismicLines(tmp_path / "demo"), Registry().domain("seismic"))


def test_every_line_can_be_typed(demonstration: SeismicDemonstration) -> None:
    text = list(map(typed, demonstration.script()))
    registry = Registry()
    for line in [*text, typed(demonstration.lines.slice_page(["il:300"]))]:
        check_line(line, registry)
    trained = [words for words in map(shlex.split, text) if words[2] == "pretrain"]
    assert [words[words.index("--out") + 1].rpartition("/")[2] for words in trained] == [arm.name for arm in ARMS]


def scored(lines: SeismicLines, frozen: dict[str, float], tuned: dict[str, float], floor: float) -> None:
    """Write the reports that the command lines would leave; three fractions whose scores rise by 0.1."""
    steps = list(enumerate((0.012, 0.05, 1.0)))

    def row(kind: Any, arm: str, score: float, step: int, fraction: float) -> Any:
        counts = {"groups": (1, 3, 67)[step], "labels": 18, "tested": 450}
        words = {"probe": "1×1"} if kind is ProbeRow else {"steps": 80}
        return kind(
            arm=arm, fraction=fraction, used=fraction, draw=0, values={METRIC: score + 0.1 * step}, **counts, **words
        )

    about: dict[str, Any] = {
        "label": MASKS, "task": "segmentation", "classes": ("sand",), "group": "inline", "test_groups": 25,
        "transductive": "", "supervised": 0, "dropped": 0,
    }  # fmt: skip
    for arm in ARMS:
        if arm.name in TUNED:
            folder = lines.tuned_folder(arm.name)
            kinds = ((FROZEN, frozen[arm.name]), (FINE_TUNED, tuned[arm.name]))
            made = tuple(row(FineTuneRow, kind, score, *step) for step in steps for kind, score in kinds)
            report: Any = FineTuneReport(**about, pretraining_views=2, rows=made)
        else:
            folder = lines.run_folder(arm.name)
            kinds = (("frozen encoder", frozen[arm.name]), ("random initialisation", 0.9), (POSITION, floor))
            made = tuple(row(ProbeRow, kind, score, *step) for kind, score in kinds for step in steps)
            report = ProbeReport(**about, rows=made)
        folder.mkdir(parents=True)
        report.write(folder)


def test_the_table_is_that_of_the_reports(demonstration: SeismicDemonstration) -> None:
    frozen = {"neighbours": 0.5, "simclr": 0.4, "shuffled": 0.3, "random": 0.2}
    tuned = {"neighbours": 0.55, "simclr": 0.45, "random": 0.25}
    scored(demonstration.lines, frozen, tuned, floor=0.1)
    headings, rows = SeismicScores.read(demonstration.lines).table()
    assert headings == [
        "features", "frozen, 1 lines", "frozen, 3", "frozen, 67", "fine-tuned, 1", "fine-tuned, 3", "fine-tuned, 67"
    ]  # fmt: skip
    shown = {name: cells for name, *cells in rows}
    assert shown[ARMS[0].about] == ["0.500", "0.600", "0.700", "0.550", "0.650", "0.750"]
    assert shown["random weights, no training"] == ["0.200", "0.300", "0.400", "0.250", "0.350", "0.450"]
    assert shown["the rule, places shuffled (control)"] == ["0.300", "0.400", "0.500", "–", "–", "–"]
    assert shown[f"{POSITION}, no picture"] == ["0.100", "0.200", "0.300", "–", "–", "–"]
    assert len(rows) == len(ARMS) + 1


def test_it_plays_its_lines_in_order_and_wants_the_leak_refused(
    demonstration: SeismicDemonstration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = demonstration.lines
    invoked: list[list[str]] = []
    code = 4
    monkeypatch.setattr(module, "trained_lines", lambda lines: ["il:262"])

    decoded: list[Path] = []
    monkeypatch.setattr(base.Demonstration, "decode", lambda self, *tables: decoded.extend(tables))

    def run_jobs(jobs: Any, *rest: Any) -> None:
        assert decoded == [lines.samples], "before several processes read them"
        zero = dict.fromkeys((arm.name for arm in ARMS), 0.0)
        scored(lines, zero, zero, 0.0)

    def invoke(words: Sequence[str]) -> None:
        invoked.append(list(words))
        print("note: hidden\nlines         words 9,21" if words[1] == "header" else "equal")

    monkeypatch.setattr(base, "run_jobs", run_jobs)
    assert demonstration.play(invoke, lambda words: code) == "equal"
    assert [words[1] for words in invoked] == [
        "demo-data", "header", "scan", "scan", "split", "scan", "pairs", "pairs", "slice", "same-headers"
    ]  # fmt: skip
    assert [words[words.index("--pairs") + 1] for words in invoked if words[1] == "pairs"] == [DISGUISE, RULE]
    out = capsys.readouterr().out
    assert "words 9,21" in out
    assert "hidden" not in out
    written = (lines.out / COMMANDS).read_text(encoding="utf-8")
    assert written.splitlines() == list(map(typed, [*demonstration.script(), lines.slice_page(["il:262"])]))
    code = 0
    with pytest.raises(DataError, match="not refused"):
        demonstration.play(invoke, lambda words: code)
