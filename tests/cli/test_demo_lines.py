"""The demonstration of text lines: its lines can be typed, its table is that of the reports, its page shows all."""

from __future__ import annotations

import contextlib
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
from ssl_domains.cli.work.demo import LinesDemonstration
from ssl_domains.cli.work.demo import demonstration as base
from ssl_domains.cli.work.demo.folder import COMMANDS
from ssl_domains.cli.work.demo.text_lines import page
from ssl_domains.cli.work.demo.text_lines.lines import COLUMN, EFFORT, LABELS, RANDOM, READ, SCRATCH, LineLines
from ssl_domains.cli.work.demo.text_lines.pictures import SHOWN, read_strips
from ssl_domains.cli.work.demo.text_lines.scores import METRIC, LineScores
from ssl_domains.extending import Registry
from ssl_domains.finetuning.report import FINE_TUNED, FROZEN, FineTuneReport, FineTuneRow
from ssl_domains.samples import read_table

LEFT_OUT = "left out: 1 training row whose transcript needs more frames"

ERRORS = {
    ("window", FROZEN): (0.90, 0.85),
    ("window", FINE_TUNED): (0.55, 0.36),
    ("frame", FROZEN): (0.91, 0.86),
    ("frame", FINE_TUNED): (0.65, 0.41),
    (SCRATCH, FROZEN): (0.99, 0.98),
    (SCRATCH, FINE_TUNED): (1.00, 0.97),
    (f"{EFFORT}-24", FINE_TUNED): (0.60,),
    (f"{EFFORT}-96", FINE_TUNED): (0.15,),
}
"""(Folder, arm) → errors, from the fewest labels."""


@pytest.fixture
def demonstration(tmp_path: Path) -> LinesDemonstration:
    return LinesDemonstration(LineLines(tmp_path / "demo"), Registry().domain("lines"))


def reported(lines: LineLines, levelled: bool = True) -> None:
    """Write the reports that the command lines would leave; larger shares come first, as nothing says they don't."""
    for name in {folder for folder, _ in ERRORS}:
        rows = []
        for arm in (FROZEN, FINE_TUNED):
            errors = ERRORS.get((name, arm), (0.7,))
            counts = list(LABELS) if len(errors) > 1 else [int(name.rpartition("-")[2])]
            for count, error in zip(counts, errors, strict=True):
                rows.append(
                    FineTuneRow(
                        arm=arm, fraction=LABELS[count], used=LABELS[count], draw=0, groups=count, labels=count,
                        tested=320, steps=0 if arm == FROZEN else 240, values={METRIC: error},
                        levelled=None if arm == FROZEN else levelled or count == 24,
                    )
                )  # fmt: skip
        lines.tuned_folder(name).mkdir(parents=True)
        FineTuneReport(
            label=COLUMN, task="transcription", classes=tuple("0123456789"), group="entry", test_groups=320,
            transductive="", supervised=0, pretraining_views=0, dropped=0, rows=tuple(reversed(rows)),
            notes=("alphabet of 10 characters", LEFT_OUT),
        ).write(lines.tuned_folder(name))  # fmt: skip


def test_every_line_can_be_typed(demonstration: LinesDemonstration) -> None:
    lines = list(map(typed, demonstration.script()))
    registry = Registry()
    for line in lines:
        check_line(line, registry)
    words = list(map(shlex.split, lines))
    made = [one[one.index("--out") + 1] for one in words if one[2] in ("pretrain", "finetune")]
    assert len(set(made)) == len(made) == 8
    started = [one[one.index("--from") + 1].rpartition("/")[2] for one in words if one[2] == "finetune"]
    assert sorted(started) == ["frame", RANDOM, RANDOM, RANDOM, "window"]
    read = [one[3].rpartition("/")[2] for one in words if one[2] == "predict"]
    assert sorted(read) == sorted(READ)


def test_scratch_has_the_views_of_both_trainings(demonstration: LinesDemonstration) -> None:
    lines = demonstration.lines
    pretraining = lines.steps * 64 * 2
    for count, batch in ((24, 24), (96, 32)):
        together = pretraining + lines.tuning_steps * batch
        assert together <= lines.effort_steps(count) * batch < together + batch
        words = lines.scratch_effort(count)
        assert f"train.max_steps={lines.effort_steps(count)}" in words
        assert words[words.index("--fractions") + 1] == f"{count / 96:g}"
    for words in (lines.scratch(), lines.scratch_effort(24)):
        assert words[words.index("--from") + 1] == str(lines.run_folder(RANDOM))


def test_trainings_with_labels_differ_in_start_and_length_alone(demonstration: LinesDemonstration) -> None:
    lines = demonstration.lines
    own = ("train.max_steps=",)
    tuned = [lines.finetune("window"), lines.finetune("frame"), lines.scratch(), lines.scratch_effort(96)]
    kept = [[word for word in words[words.index("--draws") :] if not word.startswith(own)] for words in tuned]
    assert all(words == kept[0] for words in kept)
    assert {"train.lr=0.003", "method.head_start=fresh"} <= set(kept[0])


def test_scratch_starts_when_its_weights_are_there(demonstration: LinesDemonstration) -> None:
    jobs = demonstration.jobs()
    assert [job.name for job in jobs if not job.after] == [RANDOM, "window", "frame"]
    assert {job.after for job in jobs if job.after} == {RANDOM}


def test_the_table_is_that_of_the_reports(demonstration: LinesDemonstration) -> None:
    reported(demonstration.lines)
    scores = LineScores.read(demonstration.lines)
    headings, rows = scores.table()
    assert headings == ["encoder", "CER, 24 labels", "CER, 96 labels", "steps with labels"]
    assert rows == [
        ["SeqCLR, five windows of a line: frozen", "0.900", "0.850", "–"],
        ["SeqCLR, each frame: frozen", "0.910", "0.860", "–"],
        ["random weights: frozen", "0.990", "0.980", "–"],
        ["SeqCLR, five windows of a line: fine-tuned", "0.550", "0.360", "240"],
        ["SeqCLR, each frame: fine-tuned", "0.650", "0.410", "240"],
        ["scratch, equal steps", "1.000", "0.970", "240"],
        ["scratch, equal effort", "0.600", "0.150", "240"],
    ]
    assert scores.left_out == (LEFT_OUT,)


def test_the_winner_is_said_whichever_it_is(demonstration: LinesDemonstration) -> None:
    reported(demonstration.lines)
    few, many, caveat = LineScores.read(demonstration.lines).sentences
    assert few == (
        "Fewest errors with 24 labels: SeqCLR, five windows of a line: fine-tuned (0.550), which is pre-trained; "
        "without pre-training the fewest are those of scratch, equal effort (0.600)."
    )
    assert many == (
        "Fewest errors with 96 labels: scratch, equal effort (0.150), which is not pre-trained; "
        "with pre-training the fewest are those of SeqCLR, five windows of a line: fine-tuned (0.360)."
    )
    assert "One seed" in caveat


def test_trainings_that_were_stopped_early_are_named(demonstration: LinesDemonstration) -> None:
    reported(demonstration.lines, levelled=False)
    said = LineScores.read(demonstration.lines).sentences[2]
    assert said.startswith("The loss had not levelled off")
    assert said.count("with 96 (240 steps)") == 4
    assert "with 24" not in said


def test_it_plays_its_lines_in_order(
    demonstration: LinesDemonstration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = demonstration.lines
    invoked: list[list[str]] = []
    decoded: list[Path] = []

    def run_jobs(jobs: Any, *rest: Any) -> None:
        assert lines.read_file("window").parent.is_dir()
        reported(lines)

    def invoke(words: Sequence[str]) -> None:
        invoked.append(list(words))
        print("note: num-samples declares 9\nhidden\nleft out: 8\nrelations: none")

    monkeypatch.setattr(base, "run_jobs", run_jobs)
    monkeypatch.setattr(LinesDemonstration, "decode", lambda self, *tables: decoded.extend(tables))
    monkeypatch.setattr(page, "write_page", lambda lines, *rest: lines.page)
    said = demonstration.play(invoke, lambda words: 0)
    assert "not evidence" in said
    assert "Fewest errors with 96 labels: scratch" in said
    assert str(lines.page) in said
    assert [words[1] for words in invoked] == ["demo-data", "scan", "filter", "pairs"]
    assert decoded == [lines.samples, lines.test]
    out = capsys.readouterr()
    assert "note: num-samples declares 9\nleft out: 8\n" in out.out
    assert LEFT_OUT in out.err
    written = (lines.out / COMMANDS).read_text(encoding="utf-8")
    assert written == "\n".join(map(typed, demonstration.script())) + "\n"


def quiet(*words: str) -> str:
    """Run a command line and return what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(words))
    assert code == 0, err.getvalue()
    return out.getvalue()


def test_the_page_shows_strips_and_what_was_read(demonstration: LinesDemonstration) -> None:
    lines = demonstration.lines
    for words in (lines.demo_data(), lines.scan(), lines.test_strips()):
        quiet(*words)
    demonstration.decode(lines.test)
    reported(lines)
    strips = read_table(lines.test).frame
    lines.read_file(READ[0]).parent.mkdir()
    right = dict(zip(strips["sample"], strips[COLUMN], strict=True))
    answers = {
        READ[0]: right,
        READ[1]: {sample: text[:-2] + "x" for sample, text in right.items()},
        READ[2]: dict.fromkeys(right, ""),
    }
    for name, texts in answers.items():
        pl.DataFrame({"sample": list(texts), "text": list(texts.values())}).write_csv(lines.read_file(name))
    shown = read_strips(lines, demonstration.domain)
    assert len(shown) == SHOWN
    for strip in shown:
        assert [one.edits for one in strip.answers] == [0, 2, len(strip.text)]
        assert (strip.width, strip.height) in set(strips.select("width", "height").iter_rows())
    written = page.write_page(lines, demonstration.domain, LineScores.read(lines), "Not evidence.")
    text = written.read_text(encoding="utf-8")
    assert text.count('<img src="data:image/') == SHOWN
    assert text.count("2 off") >= SHOWN
    best = re.findall(r"<tr><td>([^<]*)</td>.*class=\"best\">([^<]*)<", text)
    assert best == [("SeqCLR, five windows of a line: fine-tuned", "0.550"), ("scratch, equal effort", "0.150")]
    assert "http" not in re.sub(r"data:[^\"\x27]*", "", text)


def stored(folder: Path, arm: str) -> list[str]:
    """Errors of an arm from the file of a fine-tuning, from the fewest labels."""
    document = json.loads((folder / f"finetune-{COLUMN}.json").read_text(encoding="utf-8"))
    rows = [row for row in document["rows"] if row["arm"] == arm]
    return [f"{row['values'][METRIC]:.3f}" for row in sorted(rows, key=lambda row: row["labels"])]


@pytest.mark.slow
def test_every_printed_number_is_recomputed_from_the_run_folders(tmp_path: Path) -> None:
    """A whole demonstration with pre-trainings of one step; faults are found, and the page shows what was read."""
    folder = tmp_path / "demo"
    printed = quiet("demo", "--domain", "lines", "--out", str(folder), "--steps", "1")
    cells = [re.split(r" {2,}", line.strip()) for line in printed[printed.index("not evidence") :].splitlines()]
    table = {line[0]: line[1:3] for line in cells if len(line) == 4 and line[0] != "encoder"}
    tuned = folder / "tuned"
    expected = {
        "SeqCLR, five windows of a line: frozen": stored(tuned / "window", FROZEN),
        "SeqCLR, each frame: frozen": stored(tuned / "frame", FROZEN),
        "random weights: frozen": stored(tuned / SCRATCH, FROZEN),
        "SeqCLR, five windows of a line: fine-tuned": stored(tuned / "window", FINE_TUNED),
        "SeqCLR, each frame: fine-tuned": stored(tuned / "frame", FINE_TUNED),
        "scratch, equal steps": stored(tuned / SCRATCH, FINE_TUNED),
        "scratch, equal effort": [one for count in LABELS for one in stored(tuned / f"{EFFORT}-{count}", FINE_TUNED)],
    }
    assert {name: cells for name, cells in table.items() if name in expected} == expected
    assert "num-samples declares 1,530 entries, 1,522 have a readable picture" in printed
    assert "'a' (U+0061) in 1" in printed
    assert "the picture is truncated" in printed
    text = (folder / "strips.html").read_text(encoding="utf-8")
    assert text.count('<img src="data:image/') == SHOWN
    for name in READ:
        read = pl.read_csv(folder / "read" / f"{name}.csv", schema_overrides={"sample": pl.String})
        assert read.height == 320
        assert not read["trained_on"].any()
