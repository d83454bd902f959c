"""The fisheye demonstration: every printed number stands in a run folder, and every row can be had by hand."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ssl_domains.cli.work.demo.fisheye import ARMS, LABEL, METRIC, FisheyeDemonstration
from ssl_domains.cli.work.demo.folder import COMMANDS

SEEDS = 1


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory):
    """One short demonstration, run in this process: its folder and what it printed."""
    import contextlib
    import io

    from ssl_domains.cli.app import run

    folder = tmp_path_factory.mktemp("demo") / "demo"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(
            [
                "demo",
                "--domain",
                "fisheye",
                "--out",
                str(folder),
                "--seeds",
                str(SEEDS),
                "--epochs",
                "1",
                "--size",
                "16",
            ]
        )
    assert code == 0
    return folder, out.getvalue()


def rows(printed: str) -> dict[str, list[str]]:
    """The lines of the last table by their first column; columns are two or more blanks apart."""
    lines = printed[printed.index("A demonstration, not evidence") :].splitlines()
    cells = [[cell for cell in line.split("  ") if cell.strip()] for line in lines[1:]]
    return {line[0].strip(): [cell.strip() for cell in line[1:]] for line in cells if len(line) > 2}


def recomputed(run: Path, probe: str) -> float:
    """The leading score from the run's own file, with nothing of ours in between."""
    document = json.loads((run / f"probe-{LABEL}.json").read_text())
    [row] = [r for r in document["rows"] if r["arm"].startswith("frozen encoder") and r["probe"] == probe]
    return row["values"][METRIC]


@pytest.mark.slow
def test_every_printed_number_is_recomputed_from_the_run_folders(played):
    folder, printed = played
    table = rows(printed)
    for arm in ARMS:
        expected = []
        for probe in ("linear", "k-NN"):
            values = [recomputed(folder / "runs" / f"{arm.name}-{seed}", probe) for seed in range(SEEDS)]
            expected += [sum(values) / SEEDS, *values]
        assert table[arm.about] == [f"{value:.3f}" for value in expected]
    floor = json.loads((folder / "runs" / "random-0" / f"probe-{LABEL}.json").read_text())
    others = [row for row in floor["rows"] if row["probe"] not in ("linear", "k-NN")]
    assert others
    for row in others:
        assert table[row["arm"]][0] == f"{row['values'][METRIC]:.3f}"


@pytest.mark.slow
def test_means_are_over_the_seeds_and_each_seed_is_shown(played, tmp_path):
    from ssl_domains.extending import Registry

    folder, _ = played
    for arm in ARMS:  # a second seed whose every score is 0.1 higher
        for seed in (0, 1):
            run = tmp_path / "runs" / f"{arm.name}-{seed}"
            run.mkdir(parents=True)
            document = json.loads((folder / "runs" / f"{arm.name}-0" / f"probe-{LABEL}.json").read_text())
            for row in document["rows"]:
                row["values"][METRIC] += 0.1 * seed
            (run / f"probe-{LABEL}.json").write_text(json.dumps(document))
    table = rows(FisheyeDemonstration(tmp_path, Registry().domain("fisheye"), seeds=2).results())
    for arm in ARMS:
        expected = []
        for probe in ("linear", "k-NN"):
            first = recomputed(folder / "runs" / f"{arm.name}-0", probe)
            expected += [first + 0.05, first, first + 0.1]
        assert [float(cell) for cell in table[arm.about]] == pytest.approx(expected, abs=6e-4)


@pytest.mark.slow
def test_it_says_what_it_is_and_where_the_report_is(played):
    folder, printed = played
    assert "not evidence" in printed
    report = folder / "runs" / "region-0" / "report.html"
    assert f"report: {report}" in printed
    assert report.is_file()


@pytest.mark.slow
def test_the_random_arm_is_untrained_and_the_others_are_not(played):
    from ssl_domains.engine import Run

    folder, _ = played
    for arm in ARMS:
        assert (Run.open(folder / "runs" / f"{arm.name}-0").step == 0) == (arm.name == "random")


@pytest.mark.slow
def test_an_arm_typed_by_hand_gives_the_same_row(played, cli):
    from ssl_domains.engine import Run

    folder, _ = played
    lines = [shlex.split(line) for line in (folder / COMMANDS).read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 2 + 2 * len(ARMS) * SEEDS
    assert all(words[0] == "ssl-domains" for words in lines)
    mine = [words[1:] for words in lines if any(word.endswith("by-hand/region-0") for word in words)]
    assert [words[1] for words in mine] == ["pretrain", "probe"]
    for words in mine:
        done = cli(*words)
        assert done.code == 0, done.err
    for probe in ("linear", "k-NN"):
        assert recomputed(folder / "by-hand" / "region-0", probe) == recomputed(folder / "runs" / "region-0", probe)
    first, second = (Run.open(folder / kind / "region-0").encoder_state() for kind in ("by-hand", "runs"))
    assert all(bool((first[name] == second[name]).all()) for name in first)


def test_without_the_fisheye_plugin_it_says_how_to_get_it(cli, tmp_path):
    done = cli("--block", "fisheye", "demo", "--domain", "fisheye", "--out", tmp_path / "demo")
    assert done.code == 3
    assert "hint: " in done.err
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_something_else_is_left_alone(cli, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    done = cli("demo", "--domain", "fisheye", "--out", tmp_path)
    assert done.code == 2
    assert "not empty" in done.err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
