"""The medical demonstration: every printed number stands in a run folder, and every row can be had by hand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from ssl_domains.cli.app import run
from ssl_domains.cli.command_line import typed
from ssl_domains.cli.work.demo.folder import COMMANDS
from ssl_domains.cli.work.demo.medical.demonstration import TITLE, MedicalDemonstration
from ssl_domains.cli.work.demo.medical.lines import ARMS, LABEL, NUISANCE, REFUSED, MedicalLines
from ssl_domains.cli.work.demo.medical.scores import ORDER, Row, Scores
from ssl_domains.cli.work.demo.workers import Job, run_jobs
from ssl_domains.errors import DataError

METRIC = "balanced accuracy"
SHORT = ("--seeds", "1", "--epochs", "1", "--size", "16", "--draws", "2")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory):
    """One short demonstration: its folder, and what it printed on standard output and on standard error."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("demo") / "demo"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["demo", "--out", str(folder), *SHORT])
    assert code == 0, err.getvalue()
    return folder, out.getvalue(), err.getvalue()


def table_of(printed: str) -> dict[str, list[str]]:
    """The lines of the table below the title by their first column; columns are two or more blanks apart."""
    cells = [re.split(r" {2,}", line.strip()) for line in printed[printed.index(TITLE) :].splitlines()]
    return {line[0]: line[1:] for line in cells if len(line) in (4, 5) and line[0] != "─" * len(line[0])}


def means(run: Path, label: str, arm: str) -> list[str]:
    """Means over draws of an arm's leading score at each fraction, from the run's own file."""
    document = json.loads((run / f"probe-{label}.json").read_text())
    scores: dict[float, list[float]] = {}
    for row in document["rows"]:
        if row["arm"].startswith(arm) and row["probe"] != "k-NN":
            scores.setdefault(row["fraction"], []).append(row["values"][METRIC])
    assert [len(each) for fraction, each in scores.items() if fraction < 1] == [2] * (len(scores) - (1 in scores))
    return [f"{sum(each) / len(each):.3f}" for each in scores.values()]


@pytest.mark.slow
def test_every_printed_number_is_recomputed_from_the_run_folders(played):
    folder, printed, _ = played
    table = table_of(printed)
    page = (folder / "summary.html").read_text()
    for arm in ARMS:
        trained = folder / "runs" / f"{arm.name}-0"
        expected = [*means(trained, LABEL, "frozen encoder"), *means(trained, NUISANCE, "frozen encoder")]
        assert table.pop(arm.about) == expected
        assert all(f"<td>{number}<" in page for number in expected)
    for shown, arm in (("HOG (hand-made)",) * 2, ("mean grey (hand-made)",) * 2, ("cst alone", "cst alone (cst)")):
        assert table.pop(shown) == [*means(folder / "runs" / "random-0", LABEL, arm), "–"]
    tuned = json.loads((folder / "finetuned" / f"finetune-{LABEL}.json").read_text())["rows"]
    for arm in ("frozen probe", "fine-tuned", "scratch, equal steps", "scratch, equal effort"):
        expected = [f"{row['values'][METRIC]:.3f}" for row in tuned if row["arm"] == arm]
        assert len(expected) == 3
        assert table.pop(arm) == expected
        assert all(f"<td>{number}<" in page for number in expected)
    few = ["severity, 3 patients", "severity, 10 patients", "severity, 64 patients"]
    assert table == {"features": [*few, "scanner, 10 patients"], "with labels": few}


@pytest.mark.slow
def test_planted_faults_are_found_and_bad_pairs_are_named(played):
    _, printed, told = played
    for fault in ("truncated", "burned-in annotation", "a copy of another file"):
        assert fault in printed
    for note in ("1 DICOMDIR file recognised", "a placeholder for PatientID", "1 volume has gaps"):
        assert note in printed
    assert "these positives are the scanner" in printed
    refusal = next(line for line in printed.splitlines() if line.startswith("refused: "))
    assert "equals SimCLR" in refusal
    assert REFUSED in told


@pytest.mark.slow
def test_the_page_shows_pictures_of_every_grade_and_positives(played):
    folder, printed, _ = played
    page = (folder / "summary.html").read_text()
    assert TITLE in page
    assert f"page: {folder / 'summary.html'}" in printed
    assert page.count('src="data:image/') == 3 * 6 + 3 * 6
    assert page.count('<figure class="anchor">') == 3
    for anchor, positives in re.findall(r'<figure class="anchor">.*?<figcaption>(\d+) µm(.*?)</div>', page, re.DOTALL):
        near = [int(value) for value in re.findall(r"<figcaption>(\d+) µm", positives)]
        assert len(near) == 5
        assert all(abs(value - int(anchor)) <= 20 for value in near)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", page)


@pytest.mark.slow
def test_an_arm_typed_by_hand_gives_the_same_row(played, cli):
    from ssl_domains.engine import Run

    folder, _, _ = played
    lines = [shlex.split(line) for line in (folder / COMMANDS).read_text().splitlines() if not line.startswith("#")]
    assert all(words[0] == "ssl-domains" for words in lines)
    assert sum("finetune" in words for words in lines) == 1
    by_hand = [
        words[1:] for words in lines if words[2] != "finetune" and any(word.endswith("by-hand/cst-0") for word in words)
    ]
    assert [words[1] for words in by_hand] == ["pretrain", "probe", "probe"]
    for words in by_hand:
        done = cli(*words)
        assert done.code == 0, done.err
    for name in (f"probe-{LABEL}.json", f"probe-{NUISANCE}.json"):
        first, second = (json.loads((folder / kind / "cst-0" / name).read_text()) for kind in ("by-hand", "runs"))
        assert first == second
    first, second = (Run.open(folder / kind / "cst-0").encoder_state() for kind in ("by-hand", "runs"))
    assert all(bool((first[name] == second[name]).all()) for name in first)


@pytest.mark.slow
def test_the_random_arm_is_untrained_and_the_others_are_not(played):
    from ssl_domains.engine import Run

    folder, _, _ = played
    for arm in ARMS:
        assert (Run.open(folder / "runs" / f"{arm.name}-0").step == 0) == (arm.name == "random")


def write_reports(out: Path, few: dict[str, float], seeds: int = 2) -> MedicalLines:
    """Reports of every arm whose score with 10 patients is given; seed 1 scores 0.02 more, draw 1 0.01 less."""
    from ssl_domains.evaluation import ProbeReport, ProbeRow
    from ssl_domains.finetuning import FineTuneReport, FineTuneRow

    lines = MedicalLines(out)
    for arm in ARMS:
        for seed in range(seeds):
            run = lines.trained(arm.name, seed)
            run.mkdir(parents=True)
            floors = [("HOG (hand-made)", "linear")] if arm.name == "random" and not seed else []
            for label, fractions in ((LABEL, lines.fractions), (NUISANCE, lines.fractions[1:2])):
                rows = [
                    ProbeRow(name, probe, fraction, fraction, draw, round(64 * fraction), 1, 1, {METRIC: value})
                    for name, probe in [("frozen encoder", "linear"), ("frozen encoder", "k-NN"), *floors]
                    for fraction in fractions
                    for draw in range(2)
                    for value in [few[arm.name] + 0.02 * seed - 0.01 * draw + (0.5 if probe == "k-NN" else 0)]
                ]
                ProbeReport(label, "classification", (), "patient", 16, "", 0, 0, tuple(rows)).write(run)
    rows = [
        FineTuneRow(arm, fraction, fraction, 0, round(64 * fraction), 1, 1, 5, {METRIC: 0.6 + k / 100})
        for k, arm in enumerate(("frozen probe", "fine-tuned"))
        for fraction in lines.fractions
    ]
    lines.finetuned().mkdir()
    FineTuneReport(LABEL, "classification", (), "patient", 16, "", 0, 0, 0, tuple(rows)).write(lines.finetuned())
    return lines


GOOD = {"cst": 0.7, "simclr": 0.6, "composed": 0.61, "shuffled": 0.5, "random": 0.4, "patient": 0.5, "scanner": 0.41}


def test_means_are_over_draws_and_seeds_and_the_order_holds(tmp_path):
    scores = Scores.read(write_reports(tmp_path, GOOD), range(2))
    for name, value in GOOD.items():
        row = scores.arm(name)
        assert row.label == pytest.approx([value + 0.005] * 3)
        assert row.scanner == pytest.approx(value + 0.005)
        assert row.each == pytest.approx([value - 0.005, value + 0.015])
    assert scores.patients == ("3", "10", "64")
    assert scores.floors == (Row("HOG (hand-made)", "HOG (hand-made)", *[pytest.approx(x) for x in (
        [0.395] * 3, None, [0.395])]),)  # fmt: skip
    assert scores.tuned == (("frozen probe", (0.6, 0.6, 0.6)), ("fine-tuned", (0.61, 0.61, 0.61)))
    assert scores.broken() == []
    assert {name for group in ORDER for name in group} == set(GOOD)


@pytest.mark.parametrize(
    ("arm", "value", "said"),
    [
        ("cst", 0.61, ["cst 0.615 is not above composed 0.615"]),
        ("patient", 0.605, ["simclr 0.605 is not above patient 0.610"]),
        ("simclr", 0.3, [f"simclr 0.305 is not above {name}" for name in ORDER[2]]),
    ],
)
def test_an_order_that_does_not_hold_is_said(tmp_path, arm, value, said):
    from ssl_domains.extending import Registry

    lines = write_reports(tmp_path, {**GOOD, arm: value})
    scores = Scores.read(lines, range(2))
    assert len(scores.broken()) == len(said)
    assert all(text.startswith(start) for text, start in zip(scores.broken(), said, strict=True))
    assert "does not hold here" in MedicalDemonstration(lines, Registry().domain("medical")).results(scores)


def test_jobs_run_in_order_and_print_into_their_logs(tmp_path):
    finished: list[str] = []
    jobs = [
        Job("late", "", (("--version",),), after="early"),
        Job("early", "", (("--version",), ("methods", "list"))),
    ]
    run_jobs(jobs, tmp_path / "logs", 2, run, lambda number, job: finished.append(f"{number} {job.name}"))
    assert finished == ["1 early", "2 late"]
    log = (tmp_path / "logs" / "early.txt").read_text()
    assert log.startswith(f"$ {typed(['--version'])}\nssl-domains ")
    assert "$ ssl-domains methods list" in log
    assert "simclr" in log


def test_a_job_that_waits_for_another_keeps_its_place(tmp_path):
    order: list[str] = []
    line = (("--version",),)
    jobs = [
        Job("first", "", line),
        Job("long", "", line, after="first"),
        *(Job(f"last-{n}", "", line) for n in range(3)),
    ]
    run_jobs(jobs, tmp_path / "logs", 1, run, lambda number, job: order.append(job.name))
    assert order == ["first", "long", "last-0", "last-1", "last-2"]


def test_a_job_that_fails_ends_the_others(tmp_path):
    jobs = [Job("bad", "", (("no-such-domain",), ("--version",))), Job("late", "", (("--version",),), after="bad")]
    with pytest.raises(DataError, match="`ssl-domains no-such-domain` ended with code") as caught:
        run_jobs(jobs, tmp_path / "logs", 1, run, lambda number, job: None)
    assert str(tmp_path / "logs" / "bad.txt") in caught.value.hint
    assert "$ ssl-domains --version" not in (tmp_path / "logs" / "bad.txt").read_text()
    assert not (tmp_path / "logs" / "late.txt").exists()


def test_without_the_medical_plugin_it_says_how_to_get_it(cli, tmp_path):
    done = cli("--block", "medical", "demo", "--out", tmp_path / "demo")
    assert done.code == 3
    assert "hint: " in done.err
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_something_else_is_left_alone(cli, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    done = cli("demo", "--out", tmp_path)
    assert done.code == 2
    assert "not empty" in done.err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
