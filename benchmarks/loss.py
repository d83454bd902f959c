"""The loss of two relations against pytorch-metric-learning's SupConLoss and against N×N masks written plainly."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.memory import peak_of
from benchmarks.result import Result, Row, machine
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Objective, Rows, Rule, same, within
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]

TEMPERATURE = 0.1
WIDTH = 128
ALPHA = 0.7, 0.3


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: Rounds by number of rows, arms taking turns.
        agree: Rows at which values and gradients are compared.
        ratios: Rows at which relations are compared with one another.
        ratio_rounds: Rounds of that.
        peak: Rows at which memory is compared.
        large: Rows of the one large run.
        threads: Of torch.
    """

    rounds: tuple[tuple[int, int], ...] = ((2048, 9), (4096, 5), (8192, 3), (16384, 1))
    agree: int = 2048
    ratios: int = 8192
    ratio_rounds: int = 9
    peak: int = 16384
    large: int = 65536
    threads: int = 2


@dataclass(frozen=True)
class Batch:
    """Two views of each sample, view-major, and the metadata the rules read."""

    raw: Tensor
    frame: pl.DataFrame
    labels: tuple[Tensor, Tensor]

    @classmethod
    def make(cls, rows: int) -> Batch:
        """Seeded: ten classes and a group for about 25 samples."""
        samples = rows // 2
        rng = np.random.default_rng(0)
        frame = pl.DataFrame(
            {
                "sample": [f"s{k}" for k in range(samples)],
                "class": rng.integers(0, 10, samples),
                "region": rng.integers(0, max(2, samples // 25), samples),
                "scanner": rng.integers(0, 30, samples),
                "site": rng.integers(0, 100, samples),
                "position": rng.uniform(0, 100, samples),
            }
        )
        raw = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(0))
        first, second = (torch.tensor(frame[name].to_list()).repeat(2) for name in ("class", "region"))
        return cls(raw, frame, (first, second))

    def pairs_of(self, objective: Objective | Rule) -> Callable[[], Any]:
        """Makes the `PairBatch`, as a training step does."""
        bound = objective.bind(self.frame)
        rows = Rows.of(torch.arange(len(self.frame)), views=2)
        return lambda: bound.pairs(rows)


TWO = ALPHA[0] * same("class") + ALPHA[1] * same("region")
FOUR = 0.4 * same("class") + 0.3 * same("region") + 0.2 * same("scanner") + 0.1 * same("site")
PREDICATE = same("class") & within("position", 5)


def ours(batch: Batch, objective: Objective | Rule = TWO, tile: int | None = None) -> Callable[[Tensor], Tensor]:
    """Pairs are made anew each time, as masks are."""
    make = batch.pairs_of(objective)
    return lambda z: contrastive_loss(z, make(), TEMPERATURE, tile=tile).loss


def metric_learning(batch: Batch) -> Callable[[Tensor], Tensor]:
    """pytorch-metric-learning's SupConLoss, one call a relation."""
    from pytorch_metric_learning.losses import SupConLoss

    loss = SupConLoss(temperature=TEMPERATURE)

    def total(z: Tensor) -> Tensor:
        parts = [alpha * loss(z, labels) for alpha, labels in zip(ALPHA, batch.labels, strict=True)]
        return torch.stack(parts).sum()

    return total


def masked(batch: Batch) -> Callable[[Tensor], Tensor]:
    """SupCon's L_out (Khosla et al. 2020) as it is usually written, one call a relation."""
    return lambda z: torch.stack(
        [alpha * _masked_supcon(z, labels) for alpha, labels in zip(ALPHA, batch.labels, strict=True)]
    ).sum()


def _masked_supcon(z: Tensor, labels: Tensor) -> Tensor:
    others = 1 - torch.eye(len(z))
    positive = torch.eq(labels[:, None], labels[None, :]).float() * others
    logits = z @ z.T / TEMPERATURE
    logits = logits - logits.max(dim=1, keepdim=True).values.detach()
    log_probability = logits - torch.log((torch.exp(logits) * others).sum(1, keepdim=True))
    return -((positive * log_probability).sum(1) / positive.sum(1)).mean()


ARMS: dict[str, Callable[[Batch], Callable[[Tensor], Tensor]]] = {
    "ssl-domains": ours,
    "pytorch-metric-learning": metric_learning,
    "plain masks": masked,
}


def step(raw: Tensor, loss: Callable[[Tensor], Tensor]) -> tuple[float, Tensor]:
    """Normalise, loss, backward; the value and the gradient."""
    leaf = raw.detach().requires_grad_()
    value = loss(F.normalize(leaf, dim=1))
    value.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return value.item(), leaf.grad


def assert_agreement(rows: int) -> str:
    """Values and gradients of the arms, norm-relative.

    Raises:
        AssertionError: When they differ by more than 1e-4, float32's own error over sums of that length.
    """
    batch = Batch.make(rows)
    found = {name: step(batch.raw, arm(batch)) for name, arm in ARMS.items()}
    value, gradient = found.pop("ssl-domains")
    worst = 0.0
    for name, (other, other_gradient) in found.items():
        worst = max(worst, abs(value - other) / abs(other))
        worst = max(worst, float((gradient - other_gradient).norm() / other_gradient.norm()))
        assert worst < 1e-4, f"{name} differs by {worst:.1e}"
    return f"value and gradient of all arms at {rows} rows, to {worst:.0e} relative"


def call_in_process(arm: str, rows: int, threads: int) -> Callable[[], float]:
    """For `peak_of`."""
    torch.set_num_threads(threads)
    small = Batch.make(256)
    step(small.raw, ARMS[arm](small))
    batch = Batch.make(rows)
    loss = ARMS[arm](batch)
    return lambda: step(batch.raw, loss)[0]


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with torch_threads(sizes.threads):
        agreed = assert_agreement(sizes.agree)
        rows = [*_speed(sizes), *_relations(sizes), *_memory(sizes)]
    return Result(
        "loss",
        "The loss of two relations, forward and backward",
        (agreed,),
        tuple(rows),
        (
            f"Two views, {WIDTH} numbers a row, float32, τ = {TEMPERATURE}; the peers call their loss once a relation.",
            "Ours makes its pairs anew in every call, as the peers make their masks.",
            "Peak memory is resident memory over that of the prepared process, each arm in a process of its own.",
            "Ratios are of runs of one round; the range is a 90 % interval of their median, or with one round none.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["pytorch-metric-learning"]),
    )


def _speed(sizes: Sizes) -> list[Row]:
    rows = []
    for count, rounds in sizes.rounds:
        batch = Batch.make(count)
        arms = {name: functools.partial(step, batch.raw, arm(batch)) for name, arm in ARMS.items()}
        seconds = interleave(arms, rounds, warm_up=1 if rounds > 1 else 0)
        mine = seconds["ssl-domains"]
        rows += [Row.of(f"{name}, {count} rows", spread(times), "s") for name, times in seconds.items()]
        for name in list(ARMS)[1:]:
            what, ratio = f"{name} / ssl-domains, {count} rows", paired_ratio(seconds[name], mine)
            judged = count == sizes.ratios
            rows.append(Row.at_least(what, ratio, "×", 5) if judged else Row.of(what, ratio, "×"))
    return rows


def _relations(sizes: Sizes) -> list[Row]:
    batch = Batch.make(sizes.ratios)
    objectives: dict[str, Objective | Rule] = {"one": same("class"), "four": FOUR, "predicate": PREDICATE}
    arms = {name: functools.partial(step, batch.raw, ours(batch, each)) for name, each in objectives.items()}
    seconds = interleave(arms, sizes.ratio_rounds)
    four, predicate = (paired_ratio(seconds[name], seconds["one"]) for name in ("four", "predicate"))
    return [
        Row.of(f"one code relation, {sizes.ratios} rows", spread(seconds["one"]), "s"),
        Row.at_most(f"four code relations / one, {sizes.ratios} rows", four, "×", 1.15),
        Row.at_most(f"one predicate relation (same & within) / one, {sizes.ratios} rows", predicate, "×", 3),
    ]


def _memory(sizes: Sizes) -> list[Row]:
    peaks = {name: peak_of(call_in_process, name, sizes.peak, sizes.threads) for name in ARMS}
    mine = peaks["ssl-domains"].bytes
    rows = [Row(f"{name}, {sizes.peak} rows: peak memory", peak.bytes / 1e9, "GB") for name, peak in peaks.items()]
    for name in list(ARMS)[1:]:
        ratio = peaks[name].bytes / max(mine, 1)
        rows.append(Row.at_least(f"{name} / ssl-domains, {sizes.peak} rows: peak memory", ratio, "×", 20))
    large = peak_of(call_in_process, "ssl-domains", sizes.large, sizes.threads)
    rows.append(Row(f"ssl-domains, {sizes.large} rows", large.seconds, "s"))
    rows.append(Row.at_most(f"ssl-domains, {sizes.large} rows: peak memory", large.bytes / 1e9, "GB", 2))
    return rows
