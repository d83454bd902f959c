"""The audio demonstration: its lines can be typed, its table is that of the reports, its refusal is checked."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from command_lines import check_line
from ssl_domains.cli.app import run
from ssl_domains.cli.command_line import typed
from ssl_domains.cli.work.demo import AudioDemonstration
from ssl_domains.cli.work.demo import demonstration as base
from ssl_domains.cli.work.demo.audio.lines import ARMS, FLOORS_BY, LONGEST, AudioLines
from ssl_domains.cli.work.demo.audio.scores import METRIC, AudioScores
from ssl_domains.cli.work.demo.audio.twin import Twin, find_twin
from ssl_domains.cli.work.demo.folder import COMMANDS
from ssl_domains.errors import DataError
from ssl_domains.evaluation import ProbeReport, ProbeRow
from ssl_domains.extending import Registry
from ssl_domains.samples import read_table

AUDIT = {
    "findings": [
        {"check": "group", "leak": False, "found": 0},
        {"check": "near", "leak": True, "found": 10, "examples": [{"a": "c1", "b": "d1"}, {"a": "c2", "b": "d2"}]},
    ]
}
ROWS = {
    "c1": {"speaker": "S05", "session": "S05-1"},
    "c2": {"speaker": "S05", "session": "S05-1"},
    "d1": {"speaker": "S13", "session": "S13-1"},
    "d2": {"speaker": "S13", "session": "S13-1"},
}
TWIN = Twin({"speaker": ("S13", "S05"), "session": ("S13-1", "S05-1")}, 10)
FLOORS = {
    "log-mel statistics (hand-made)": "linear",
    "MFCC (hand-made)": "linear",
    "duration and level (seconds, level_db)": "trees",
}


@pytest.fixture
def demonstration(tmp_path: Path) -> AudioDemonstration:
    return AudioDemonstration(AudioLines(tmp_path / "demo"), Registry().domain("audio"))


def test_every_line_can_be_typed(demonstration: AudioDemonstration) -> None:
    lines = list(map(typed, demonstration.script(TWIN)))
    registry = Registry()
    for line in lines:
        check_line(line, registry)
    words = list(map(shlex.split, lines))
    trained = [one[one.index("--out") + 1].rpartition("/")[2] for one in words if one[2] == "pretrain"]
    assert sorted(trained) == sorted(arm.name for arm in ARMS)
    assert trained[0] == LONGEST
    assert sum(one[2] == "probe" for one in words) == 3 * len(ARMS)
    assert sum("--handmade" in one for one in words) == 3, "the floors are probed once"


def test_near_copies_show_two_ids_of_one_speaker(demonstration: AudioDemonstration) -> None:
    assert find_twin(AUDIT, ROWS) == TWIN
    assert "10 clips of S13 (test) are near copies of clips of S05 (train)" in TWIN.sentence()
    assert "speaker:S13=S05" in demonstration.lines.unite(TWIN.ids)
    with pytest.raises(DataError, match="no near copies"):
        find_twin({"findings": AUDIT["findings"][:1]}, ROWS)
    with pytest.raises(DataError, match="several pairs of session"):
        find_twin(AUDIT, {**ROWS, "c2": {"speaker": "S05", "session": "S05-2"}})


def scored(lines: AudioLines, words: dict[str, float], speakers: dict[str, tuple[float, float]]) -> None:
    """Write the reports that the command lines would leave: three fractions and two draws, three folds, or one day."""
    about: dict[str, Any] = {"task": "classification", "classes": ("ai",), "transductive": "", "dropped": 0}

    folds_of = {"sample": range(3), "day": range(1, 2)}

    def row(arm: str, probe: str, score: float, fraction: float = 1.0, draw: int = 0, fold: int = 0) -> ProbeRow:
        counts = {"groups": 8, "labels": 90, "tested": 90}
        values: dict[str, float | None] = {METRIC: score}
        return ProbeRow(arm, probe, fraction, fraction, draw, **counts, values=values, fold=fold)

    for arm in ARMS:
        folder = lines.run_folder(arm.name)
        folder.mkdir(parents=True)
        own = "frozen encoder (supervised contrastive, saw 7 labels)" if arm.name == "speaker" else "frozen encoder"
        plain = {"frozen encoder": "linear"}
        extra = {"random initialisation": "linear", **FLOORS} if arm.name == FLOORS_BY else {}
        for label, group, name in (
            ("word", "speaker", "frozen encoder"),
            ("speaker", "sample", own),
            ("speaker", "day", own),
        ):
            rows = []
            for one, probe in {**plain, **extra}.items():
                key = arm.name if one == "frozen encoder" else one
                shown = name if one == "frozen encoder" else one
                if label == "word":
                    for draw, (step, fraction) in ((d, s) for d in range(2) for s in enumerate((0.125, 0.25, 1.0))):
                        score = words[key] + 0.1 * step + (0.02 if draw else -0.02)
                        rows += [row(shown, probe, score, fraction, draw), row(shown, "k-NN", 0.9, fraction, draw)]
                else:
                    score = speakers[key][group == "day"]
                    rows += [row(shown, probe, score + 0.01 * (fold - 1), fold=fold) for fold in folds_of[group]]
            folds = 3 if group == "sample" else 0
            report = ProbeReport(
                **about, label=label, group=group, test_groups=4, supervised=0, rows=tuple(rows), folds=folds
            )
            report.write(folder)


def numbers() -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    names = [arm.name for arm in ARMS] + [*FLOORS, "random initialisation"]
    return (
        {name: 0.3 + 0.02 * k for k, name in enumerate(names)},
        {name: (0.9 - 0.01 * k, 0.5 + 0.01 * k) for k, name in enumerate(names)},
    )


def test_the_table_is_that_of_the_reports(demonstration: AudioDemonstration) -> None:
    words, speakers = numbers()
    words["within_speaker"] = 0.6
    scored(demonstration.lines, words, speakers)
    scores = AudioScores.read(demonstration.lines)
    headings, rows = scores.table()
    assert len(headings) == len(rows[0]) == 7
    shown = {name: cells for name, *cells in rows}
    assert list(shown) == [*(arm.about for arm in ARMS), *FLOORS]
    assert shown[ARMS[0].about] == ["0.300", "0.400", "0.500", "0.900", "0.500", "0.400"]
    assert shown[ARMS[2].about] == ["0.340", "0.440", "0.540", "0.880", "0.520", "0.360"]
    assert shown["log-mel statistics (hand-made)"] == ["0.440", "0.540", "0.640", "0.830", "0.570", "0.260"]
    best, speaker, claims, caveat = scores.sentences
    assert "within_speaker: negatives of the same speaker (0.800); it beats the best floor" in best
    assert "random weights, no training (0.560); it does not beat the best floor" in speaker
    assert "Not here: " in claims
    assert "the speaker on a new day: {speaker, other_session} > {clip, within_speaker}: 0.520 is not above" in claims
    assert "One seed" in caveat


def test_claims_that_hold_and_one_that_does_not(demonstration: AudioDemonstration) -> None:
    words, speakers = numbers()
    for name in ("clip", "within_speaker"):
        words[name] = 0.7
    for name in ("speaker", "other_session"):
        speakers[name] = (0.9, 0.8)
    scored(demonstration.lines, words, speakers)
    scores = AudioScores.read(demonstration.lines)
    assert scores.broken() == []
    assert "They hold here." in scores.sentences[2]
    worse = dataclasses.replace(scores.arm("clip"), session=0.85)
    changed = AudioScores(tuple(worse if row.name == "clip" else row for row in scores.rows))
    assert [text.rpartition(": ")[2] for text in changed.broken()] == [
        "0.800 is not above 0.850 (speaker, clip)", "0.800 is not above 0.850 (other_session, clip)"
    ]  # fmt: skip


def test_a_winner_below_a_floor_is_said_to_be_so(demonstration: AudioDemonstration) -> None:
    scored(demonstration.lines, *numbers())
    assert "it does not beat the best floor" in AudioScores.read(demonstration.lines).sentences[0]


def test_it_plays_its_lines_in_order_and_wants_the_leak_refused(
    demonstration: AudioDemonstration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = demonstration.lines
    invoked: list[list[str]] = []
    decoded: list[Path] = []
    code = 4

    def run_jobs(jobs: Any, *rest: Any) -> None:
        assert sorted(job.name for job in jobs) == sorted(arm.name for arm in ARMS)
        scored(lines, *numbers())

    def invoke(words: Sequence[str]) -> None:
        invoked.append(list(words))
        if words[1] == "scan":
            pl.DataFrame([{"sample": name, **row} for name, row in ROWS.items()]).write_parquet(lines.scanned)
        print("note: mixed rates\nhidden\ngood: nothing shared")

    def exit_code(words: Sequence[str]) -> int:
        assert list(words) in (lines.audit(lines.scanned), lines.audit(lines.scanned, as_json=True))
        print(json.dumps(AUDIT) if "--json" in words else "leak: 10 samples\nhidden")
        return code

    monkeypatch.setattr(base, "run_jobs", run_jobs)
    monkeypatch.setattr(AudioDemonstration, "decode", lambda self, *tables: decoded.extend(tables))
    said = demonstration.play(invoke, exit_code)
    assert "not evidence" in said
    assert "Best for the word on new speakers" in said
    assert [words[1] for words in invoked] == [
        "demo-data", "scan", "unite", "audit", "filter", "filter", "filter", "join", "pairs"
    ]  # fmt: skip
    assert decoded == [lines.samples, lines.earlier, lines.known]
    out = capsys.readouterr()
    assert "note: mixed rates" in out.out
    assert "leak: 10 samples\nexit code 4" in out.out
    assert "good: nothing shared" in out.out
    assert TWIN.sentence() in out.err
    written = (lines.out / COMMANDS).read_text(encoding="utf-8")
    assert written == "\n".join(map(typed, demonstration.script(TWIN))) + "\n"
    code = 0
    with pytest.raises(DataError, match="not refused"):
        demonstration.play(invoke, exit_code)


def stored(run: Path, name: str, arm: str) -> list[str]:
    """Means of an arm's leading score at each fraction, over draws and folds, from a file of the run's folder."""
    scores: dict[float, list[float]] = {}
    for row in json.loads((run / name).read_text(encoding="utf-8"))["rows"]:
        if row["arm"].startswith(arm) and row["probe"] != "k-NN":
            scores.setdefault(row["fraction"], []).append(row["values"][METRIC])
    return [f"{sum(each) / len(each):.3f}" for _, each in sorted(scores.items())]


@pytest.mark.slow
def test_every_printed_number_is_recomputed_from_the_run_folders(tmp_path: Path) -> None:
    """A whole demonstration with trainings of two steps; faults are found and the pages play sounds."""
    out, err = io.StringIO(), io.StringIO()
    folder = tmp_path / "demo"
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["demo", "--domain", "audio", "--out", str(folder), "--steps", "2"])
    assert code == 0, err.getvalue()
    printed = out.getvalue()
    cells = [re.split(r" {2,}", line.strip()) for line in printed[printed.index("not evidence") :].splitlines()]
    table = {line[0]: line[1:] for line in cells if len(line) == 7 and line[0] != "features" and line[0][0] != "─"}
    shown = [(arm.about, arm.name, "frozen encoder") for arm in ARMS]
    for about, name, arm in [*shown, *((floor, FLOORS_BY, floor) for floor in FLOORS)]:
        of_run = folder / "runs" / name
        words, clips, day = (
            stored(of_run, file, arm)
            for file in ("probe-word.json", "probe-speaker-folds-of-sample.json", "probe-speaker.json")
        )
        assert len(words) == 3
        assert table[about][:5] == [*words, *clips, *day]
        assert float(table[about][5]) == pytest.approx(float(clips[0]) - float(day[0]), abs=0.0011)
        table.pop(about)
    assert not table
    assert "10 clips of S13 (test) are near copies" in err.getvalue()
    assert printed.count("leak: ") == 1, "united, the speaker is on one side"
    samples = read_table(folder / "earlier.parquet").frame
    assert set(samples["day"]) == {1, 2}
    assert "S13" not in set(samples["speaker"])
    for page in (folder / "pairs.html", folder / "runs" / "other_session" / "report.html"):
        text = page.read_text(encoding="utf-8")
        assert text.count("data:audio/wav;base64,") > 10
        assert not re.search(r"(src|href)=.https?:", text), "it works from disk"
