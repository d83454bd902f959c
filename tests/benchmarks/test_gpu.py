"""The script for a GPU runs whole in tiny sizes on the CPU; no time is asserted."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]

BLOCKED = """
import sys

class Blocked:
    names = {"albumentations", "lightly", "pytorch_metric_learning", "pydicom", "nibabel"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from benchmarks.gpu.command import main

sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.mark.slow
def test_it_runs_in_tiny_sizes_without_optional_packages(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    words = ["--device", "cpu", "--small", "--parts", "equality,loss,engine", "--out", str(out)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["small"] is True
    assert found["machine"]["card"] == "no card: the CPU"
    assert found["machine"]["torch"] == torch.__version__
    assert found["left_out"] == ["part tests: not requested"]
    assert [part["name"] for part in found["parts"]] == ["gpu_equality", "gpu_loss", "gpu_engine"]
    rows = [row for part in found["parts"] for row in part["rows"]]
    assert all(math.isfinite(row["value"]) for row in rows)
    assert all(part["agreed"] for part in found["parts"])
    names = " ".join(row["what"] for row in rows)
    for word in ("one relation", "two relations + ignore", "bfloat16", "plain, compiled / ssl-domains", "waiting"):
        assert word in names
    assert str(tmp_path) not in out.read_text(encoding="utf-8")
    assert "## The engine's training" in done.stdout


def test_without_a_card_it_ends_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.gpu.command import main

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["--out", str(tmp_path / "gpu.json")]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "no CUDA device" in shown.err
    assert not (tmp_path / "gpu.json").exists()


@pytest.mark.parametrize("words", [["--device", "cpu"], ["--parts", "los"]])
def test_a_wrong_command_line_is_refused(words: list[str], tmp_path: Path) -> None:
    from benchmarks.gpu.command import main

    with pytest.raises(SystemExit) as ended:
        main([*words, "--out", str(tmp_path / "gpu.json")])
    assert ended.value.code == 2


def test_what_no_time_is_left_for_is_named(tmp_path: Path) -> None:
    from benchmarks.gpu.command import main

    out = tmp_path / "gpu.json"
    words = ["--device", "cpu", "--small", "--parts", "loss,engine,tests", "--seconds", "0", "--out", str(out)]
    assert main(words) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    left_out = " ".join(found["left_out"])
    for what in ("loss, 64 rows, d = 8, float32", "loss, 64 rows, d = 8, bfloat16", "engine, small_conv", "equality"):
        assert what in left_out
    assert found["tests"] == {"not run": "no time was left"}


def test_a_budget_is_used_up_by_its_clock() -> None:
    from benchmarks.gpu.budget import Budget

    now = [10.0]
    budget = Budget(5, clock=lambda: now[0])
    assert budget.allows("first", 5)
    now[0] = 13
    assert budget.left == 2
    assert not budget.allows("second", 3)
    assert budget.left_out == ["second: needs about 3.0 s, 2.0 s were left"]


def test_numbers_that_differ_end_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.gpu import equality, loss
    from benchmarks.gpu.command import main

    out = tmp_path / "gpu.json"
    words = ["--device", "cpu", "--small", "--parts", "equality,loss", "--out", str(out)]
    monkeypatch.setattr(equality, "_views", lambda device, side: (0.5, 0.0))
    exact = loss.plain_loss
    monkeypatch.setattr(loss, "plain", lambda *batch: lambda z: 1.01 * _plain(exact, *batch)(z))
    assert main(words) == 1
    shown = capsys.readouterr().err
    assert "largest difference: 5.0e-01, not ≤ 0.0001" in shown
    assert "AssertionError: the loss of float32 embeddings differs from float64" in shown
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [part["name"] for part in found["parts"]] == ["gpu_equality"]
    assert any("differs from float64" in what for what in found["left_out"])


def test_a_part_that_fails_leaves_the_others_and_ends_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.gpu import engine, loss
    from benchmarks.gpu.command import main

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("no\nkernel")

    def full(*arguments: object) -> None:
        raise torch.OutOfMemoryError("no memory left")

    out = tmp_path / "gpu.json"
    monkeypatch.setattr(engine, "pretrain", fail)
    monkeypatch.setattr(loss, "_case", full)
    assert main(["--device", "cpu", "--small", "--parts", "loss,engine", "--out", str(out)]) == 1
    assert "wrong: engine, small_conv: RuntimeError: no kernel" in capsys.readouterr().err
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [part["rows"] for part in found["parts"]] == [[], []]
    assert "loss, 64 rows, d = 8, float32: OutOfMemoryError: no memory left" in found["left_out"]


def _plain(form, batch, objective):
    sample, kind, region, scanner = batch.codes
    one = objective == "one relation"
    labels, weights = ((kind,), (1.0,)) if one else ((kind, region), (0.7, 0.3))
    return lambda z: form(z, sample, labels, weights, None if one else scanner)


def test_the_plain_form_is_the_formula() -> None:
    import torch.nn.functional as F

    import pair_reference as reference
    from benchmarks.gpu.loss import OBJECTIVES, TEMPERATURE, Batch, plain, step
    from ssl_domains.pairs import Rows

    batch = Batch.make(64, 8, torch.float64, torch.device("cpu"))
    names = ("sample", "class", "region", "scanner")
    columns = {name: codes[:32].tolist() for name, codes in zip(names, batch.codes, strict=True)}
    for name, objective in OBJECTIVES.items():
        value, gradient = step(batch.raw, plain(batch, name))
        state = reference.states(objective, columns, Rows.of(torch.arange(32), views=2))
        assert any("ignored" in row for row in state.kind) == ("ignore" in name)
        leaf = batch.raw.clone().requires_grad_()
        expected = reference.loss(F.normalize(leaf, dim=1), state, TEMPERATURE)
        expected.backward()
        torch.testing.assert_close(value, expected.detach(), rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient, leaf.grad, rtol=1e-9, atol=1e-12)


MARKED = """
import pytest

@pytest.mark.gpu
def test_good(): ...

@pytest.mark.gpu
def test_bad(): assert False

@pytest.mark.gpu
def test_no_card(): pytest.skip("no card")

def test_of_the_cpu(): assert False
"""


def test_the_marked_tests_are_counted(tmp_path: Path) -> None:
    from benchmarks.gpu.marked_tests import run_marked

    assert run_marked(tmp_path, 60) == {"not run": "no test is marked gpu"}
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: needs a card\n")
    (tmp_path / "tests" / "test_one.py").write_text(MARKED)
    (tmp_path / "tests" / "test_two.py").write_text("raise ImportError('not collected')")
    found = run_marked(tmp_path, 60)
    assert found == {"passed": 1, "failed": 1, "errors": 0, "skipped": 1, "names": ["test_bad"]}


def test_a_missing_pytest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.gpu import marked_tests

    monkeypatch.setattr(marked_tests.importlib.util, "find_spec", lambda name: None)
    assert marked_tests.run_marked(ROOT, 60) == {"not run": "pytest is not installed"}
