"""Every benchmark runs at a tiny size and its arms agree; no time is asserted."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

for peer in ("lightly", "pytorch_metric_learning"):
    pytest.importorskip(peer, reason="the peers come with the extra 'bench'")

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package lies beside the distribution, outside the wheel."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setenv("PYTHONPATH", ROOT)  # for the processes that measure memory
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before, "a benchmark leaves the threads as they were"


def check(result: Any, folder: Path) -> None:
    assert result.agreed
    assert all(math.isfinite(row.value) for row in result.rows)
    assert any(row.met is not None for row in result.rows)
    path = result.write(folder)
    again = type(result).read(path)
    assert again.rows == result.rows
    text = path.read_text(encoding="utf-8")
    assert str(folder) not in text
    assert ROOT not in text
    assert result.table().count("\n| ") >= len(result.rows)
    assert sys.modules["benchmarks"].__file__ == str(Path(ROOT) / "benchmarks" / "__init__.py")


def test_loss(tmp_path: Path) -> None:
    from benchmarks.loss import Sizes, run

    sizes = Sizes(rounds=((64, 2),), agree=128, ratios=64, ratio_rounds=2, peak=256, large=512, threads=1)
    check(run(sizes), tmp_path)


def test_a_loss_that_disagrees_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import loss

    monkeypatch.setitem(loss.ARMS, "plain masks", lambda batch: lambda z: loss.masked(batch)(z) * 1.01)
    with pytest.raises(AssertionError, match="plain masks differs"):
        loss.run(loss.Sizes(agree=64))


def test_methods(tmp_path: Path) -> None:
    from benchmarks.methods import Sizes, run

    result = run(Sizes(pictures=128, batch=8, steps=2, methods=("supcon", "masked", "deep_cluster")))
    assert [row.what for row in result.rows][3:5] == ["masked, small_vit: a step", "masked, small_vit: pictures"]
    assert all(row.value > 0 for row in result.rows if "memory" not in row.what)


def test_lightly_methods(tmp_path: Path) -> None:
    from benchmarks.lightly_methods import ARMS, Sizes, run

    result = run(Sizes(pictures=32, batch=8, pairs=2, threads=1))
    check(result, tmp_path)
    assert len(result.agreed) == sum(arm.scale is not None for arm in ARMS.values())


def test_lightly_accuracy(tmp_path: Path) -> None:
    from benchmarks.lightly_accuracy import Sizes, run

    sizes = Sizes(made_up=48, batch=8, steps=3, seeds=2, threads=1)
    result = run(sizes)
    check(result, tmp_path)
    assert len(result.rows) == 6 * len(sizes.methods)


def test_a_method_that_disagrees_with_lightly_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from benchmarks import lightly_methods as module

    monkeypatch.setitem(module.ARMS, "byol", replace(module.ARMS["byol"], scale=lambda loss: 2 + 2.1 * loss))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="byol: "):
        module.run(module.Sizes(pictures=32, batch=8, pairs=1, threads=1, methods=("byol",)))


def test_small_loss(tmp_path: Path) -> None:
    from benchmarks.small_loss import Sizes, run

    check(run(Sizes(rows=(32, 64), rounds=2, calls=1)), tmp_path)


def test_a_small_loss_that_disagrees_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import small_loss

    plain = small_loss.plain
    monkeypatch.setitem(small_loss.ARMS, "plain masks", lambda *case: lambda z: plain(*case)(z) * 1.001)
    with pytest.raises(AssertionError, match="one code relation at 32 rows differs"):
        small_loss.run(small_loss.Sizes(rows=(32,)))


def test_mining(tmp_path: Path) -> None:
    from benchmarks.mining import Sizes, run

    check(run(Sizes(rounds=((128, 2), (256, 1)), calls=1, peak=512)), tmp_path)


def test_a_miner_that_disagrees_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import mining

    peer = mining.metric_learning
    monkeypatch.setitem(mining.ARMS, "pytorch-metric-learning", lambda rows: lambda z: peer(rows)(z) * 1.001)
    with pytest.raises(AssertionError, match="the arms differ"):
        mining.run(mining.Sizes(rounds=((128, 1),)))


def test_sampler(tmp_path: Path) -> None:
    from benchmarks.sampler import Sizes, run

    check(
        run(Sizes(rows=(2000, 4000), batch=64, anchors=64, repeats=1, judged=4000, seats=(500, 1000), drawn=4000)),
        tmp_path,
    )


def test_engine_step(tmp_path: Path) -> None:
    from benchmarks.engine_step import Sizes, run

    check(run(Sizes(pictures=24, batch=8, pairs=2, threads=1)), tmp_path)


@pytest.mark.slow
def test_end_to_end(tmp_path: Path) -> None:
    from benchmarks.end_to_end import Sizes, run

    sizes = Sizes(
        small=(16, 8, 1, 1), large=(4, 2, 1, 1), encoders=("small_conv", "small_conv"), sides=(16, 24), rounds=(1, 1),
        threads=1,
    )  # fmt: skip
    check(run(sizes), tmp_path)


@pytest.mark.slow
def test_neighbours(tmp_path: Path) -> None:
    from benchmarks.neighbours import Sizes, run

    check(run(Sizes(made_up=16, batch=8, side=16, epochs=1, seeds=2, threads=1)), tmp_path)


def test_times_of_one_round_are_compared_with_one_another() -> None:
    from benchmarks.timing import interleave, paired_ratio

    order: list[str] = []
    seconds = interleave({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3, warm_up=1)
    assert order == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert [len(times) for times in seconds.values()] == [3, 3]
    several = interleave({"a": lambda: order.append("a")}, 2, warm_up=0, calls=5, clock=lambda: 1.0 * len(order))
    assert several == {"a": [1.0, 1.0]}
    ratio = paired_ratio([2.0, 4.0, 60.0], [1.0, 2.0, 20.0])
    assert (ratio.median, ratio.low, ratio.high) == (2.0, 2.0, 3.0)


def test_peak_memory_counts_what_is_used_and_not_what_was_there() -> None:
    from benchmarks.loss import call_in_process
    from benchmarks.memory import peak_of

    small, large = (peak_of(call_in_process, "plain masks", rows, 1).bytes for rows in (512, 2048))
    assert large > 2048 * 2048 * 4 * 4
    assert small < large / 4


def test_store() -> None:
    from benchmarks.store import Sizes, run

    result = run(Sizes(rows=2000, files=10, regions=50, side=500, repeats=1))
    assert result.agreed
    assert [row.target for row in result.rows if row.target] == ["≤ 1.5", "≤ 300", "≤ 3", "≤ 300", "≤ 3.5", "≤ 300"]
    assert all(row.value > 0 for row in result.rows if row.target != "≤ 300")
