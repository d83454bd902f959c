"""The triplet loss with the hardest triplet of each anchor, against pytorch-metric-learning."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.memory import peak_of
from benchmarks.result import Result, Row, machine
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.losses import triplet
from ssl_domains.miners import batch_hard
from ssl_domains.pairs import Rows, same
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]

MARGIN = 0.2
WIDTH = 128
EACH = 4  # samples of a class in a batch, two views of each

LEAST = {128: 1.0, 4096: 5.0}
"""Smallest ratio of the peer's time to ours, by number of rows."""

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: Rounds by number of rows, arms taking turns.
        calls: Calls of an arm in a round at 128 rows; fewer in larger batches.
        peak: Rows at which memory is compared.
        threads: Of torch.
    """

    rounds: tuple[tuple[int, int], ...] = ((128, 41), (256, 31), (512, 21), (1024, 11), (2048, 7), (4096, 5))
    calls: int = 20
    peak: int = 4096
    threads: int = 1


def labels_of(rows: int) -> Tensor:
    """Classes int64 ``[rows / 2]`` of the samples, shuffled."""
    return torch.from_numpy(np.random.default_rng(rows).permutation(rows // 2) // EACH)


def embeddings(rows: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """``[rows, WIDTH]``, seeded, not normalised."""
    return torch.randn(rows, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(rows)).to(dtype)


def ours(rows: int) -> Loss:
    """Rows and pairs are made anew in each call, as in a training step."""
    labels = labels_of(rows)
    bound = same("class").bind({"class": labels.tolist()})
    samples = torch.arange(len(labels))

    def loss(z: Tensor) -> Tensor:
        return triplet(z, bound.pairs(Rows.of(samples, views=2)), batch_hard, margin=MARGIN).loss

    return loss


def metric_learning(rows: int) -> Loss:
    """pytorch-metric-learning's miner and loss."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner

    labels = labels_of(rows).repeat(2)
    # The embeddings of both arms are normalised before the loss.
    distance = LpDistance(normalize_embeddings=False)
    miner, loss = BatchHardMiner(distance=distance), TripletMarginLoss(margin=MARGIN, distance=distance)
    return lambda z: loss(z, labels, miner(z, labels))


ARMS: dict[str, Callable[[int], Loss]] = {"ssl-domains": ours, "pytorch-metric-learning": metric_learning}


def step(raw: Tensor, loss: Loss) -> tuple[float, Tensor]:
    """Normalise, mine, loss, backward; the value and the gradient."""
    leaf = raw.detach().requires_grad_()
    value = loss(F.normalize(leaf, dim=1))
    value.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return value.item(), leaf.grad


def assert_agreement(sizes: Sizes) -> str:
    """Values and gradients of both arms at every size, norm-relative, in float64.

    In float32 two triplets of nearly the same hardness may be told apart differently.

    Raises:
        AssertionError: When they differ by more than 1e-8.
    """
    worst = 0.0
    for rows, _ in sizes.rounds:
        raw = embeddings(rows, torch.float64)
        (a, da), (b, db) = (step(raw, arm(rows)) for arm in ARMS.values())
        worst = max(worst, abs(a - b) / abs(b), float((da - db).norm() / db.norm()))
        assert worst < 1e-8, f"the arms differ by {worst:.1e} at {rows} rows"
    return f"value and gradient of both arms at every size in float64, to {worst:.0e} relative"


def call_in_process(arm: str, rows: int, threads: int) -> Callable[[], float]:
    """For `peak_of`."""
    torch.set_num_threads(threads)
    step(embeddings(256), ARMS[arm](256))
    raw, loss = embeddings(rows), ARMS[arm](rows)
    return lambda: step(raw, loss)[0]


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with torch_threads(sizes.threads):
        agreed = assert_agreement(sizes)
        rows = [row for count, rounds in sizes.rounds for row in _speed(count, rounds, sizes)]
    return Result(
        "mining",
        "The triplet loss of the hardest triplets, forward and backward",
        (agreed,),
        (*rows, *_memory(sizes)),
        (
            f"Two views, {EACH} samples of a class, {WIDTH} numbers a row, float32, margin {MARGIN}, mean over "
            "triplets with a loss above 0.",
            "Times are the process's CPU time. Ours makes its rows and pairs anew in every call.",
            "Peak memory is resident memory over that of the prepared process, each arm in a process of its own.",
            "Ratios are of runs of one round; the range is a 90 % interval of their median.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["pytorch-metric-learning"]),
    )


def _speed(rows: int, rounds: int, sizes: Sizes) -> list[Row]:
    raw = embeddings(rows)
    arms = {name: functools.partial(step, raw, arm(rows)) for name, arm in ARMS.items()}
    calls = max(1, min(sizes.calls, sizes.calls * 128 // rows))
    seconds = interleave(arms, rounds, calls=calls, clock=time.process_time)
    found = [Row.of(f"{name}, {rows} rows", spread([1e3 * s for s in times]), "ms") for name, times in seconds.items()]
    ratio = paired_ratio(seconds["pytorch-metric-learning"], seconds["ssl-domains"])
    what = f"pytorch-metric-learning / ssl-domains, {rows} rows"
    judged = LEAST.get(rows)
    return [*found, Row.of(what, ratio, "×") if judged is None else Row.at_least(what, ratio, "×", judged)]


def _memory(sizes: Sizes) -> list[Row]:
    peaks = {name: peak_of(call_in_process, name, sizes.peak, sizes.threads).bytes for name in ARMS}
    rows = [Row(f"{name}, {sizes.peak} rows: peak memory", peak / 1e6, "MB") for name, peak in peaks.items()]
    ratio = peaks["pytorch-metric-learning"] / max(peaks["ssl-domains"], 1)
    what = f"pytorch-metric-learning / ssl-domains, {sizes.peak} rows: peak memory"
    return [*rows, Row.at_least(what, ratio, "×", 10)]
