"""The loss of small batches, pairs included, against the plain masked form that a user would write."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.result import Result, Row, machine
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Rows, linked, overlap, same, within
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]

TEMPERATURE = 0.1
WIDTH = 128
SAMPLES, EACH, TOGETHER = 4096, 8, 4  # samples of the table, of a patient, and of a patient in a batch
NEAR = 1.0
TAGS, AT_LEAST = 40, 2

BY_CODES = {32: 1.8, 64: 1.5, 128: 1.2, 256: 1.0, 512: 0.7}
"""Largest ratio to the plain form by number of rows, for one relation by equality of codes."""

OTHERS = {32: 2.2, 64: 1.9, 128: 1.5, 256: 1.1, 512: 1.0}
"""The same with predicates or an ignore rule."""

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Rows of the batches, two views of each sample.
        rounds: Rounds, arms taking turns.
        calls: Calls of an arm in a round, at 32 rows; fewer in larger batches.
    """

    rows: tuple[int, ...] = (32, 64, 128, 256, 512)
    rounds: int = 41
    calls: int = 100


@dataclass(frozen=True)
class Table:
    """Samples of patients, as a frame for the rules and as tensors for the plain form.

    Attributes:
        frame: Columns ``patient``, ``study``, ``position`` and ``tags``.
        edges: Pairs of samples.
        patient: int64 ``[SAMPLES]``.
        study: int64 ``[SAMPLES]``.
        position: float64 ``[SAMPLES]``.
        tags: float32 ``[SAMPLES, TAGS]``, 1 for each tag of a sample.
        joined: bool ``[SAMPLES, SAMPLES]``, the edges as a matrix.
    """

    frame: pl.DataFrame
    edges: pl.DataFrame
    patient: Tensor
    study: Tensor
    position: Tensor
    tags: Tensor
    joined: Tensor

    @classmethod
    def make(cls) -> Table:
        """Seeded."""
        rng = np.random.default_rng(0)
        patient, study = np.arange(SAMPLES) // EACH, rng.integers(0, 3, SAMPLES)
        position = rng.uniform(0, SAMPLES / EACH, SAMPLES)
        lists = [sorted(rng.choice(TAGS, rng.integers(1, 6), replace=False).tolist()) for _ in range(SAMPLES)]
        tags = torch.zeros(SAMPLES, TAGS)
        for sample, members in enumerate(lists):
            tags[sample, members] = 1
        a, b = np.repeat(np.arange(SAMPLES), 4), rng.integers(0, SAMPLES, 4 * SAMPLES)
        b[: 2 * SAMPLES] = a[: 2 * SAMPLES] // EACH * EACH + rng.integers(0, EACH, 2 * SAMPLES)
        a, b = a[a != b], b[a != b]
        joined = torch.zeros(SAMPLES, SAMPLES, dtype=torch.bool)
        joined[a, b] = joined[b, a] = True
        names = np.array([f"s{k}" for k in range(SAMPLES)])
        return cls(
            pl.DataFrame(
                {"sample": names, "patient": patient, "study": study, "position": position, "tags": pl.Series(lists)}
            ),
            pl.DataFrame({"a": names[a], "b": names[b]}),
            torch.from_numpy(patient),
            torch.from_numpy(study),
            torch.from_numpy(position),
            tags,
            joined,
        )

    def batch(self, rows: int) -> Tensor:
        """Positions int64 ``[rows / 2]``: four samples of each patient, shuffled."""
        rng = np.random.default_rng(rows)
        patients = rng.choice(SAMPLES // EACH, rows // 2 // TOGETHER, replace=False)
        chosen = np.stack([rng.choice(EACH, TOGETHER, replace=False) + EACH * patient for patient in patients])
        return torch.from_numpy(rng.permutation(chosen.reshape(-1)))


@dataclass(frozen=True)
class Case:
    """A rule, and the masks that a user would write for it.

    Attributes:
        name: In words.
        rule: The rule.
        positive: From the table and the samples of the rows ``[N]``, bool ``[N, N]``: positives, each row with itself
            and its other view included.
        ignored: The same for candidates that are left out unless they are positive; None without any.
        most: Largest ratio by number of rows.
    """

    name: str
    rule: object
    positive: Callable[[Table, Tensor], Tensor]
    ignored: Callable[[Table, Tensor], Tensor] | None
    most: dict[int, float]


def _alike(values: Tensor) -> Tensor:
    return values[:, None] == values[None, :]


CASES = (
    Case("one code relation", same("patient"), lambda t, rows: _alike(t.patient[rows]), None, BY_CODES),
    Case(
        "within",
        within("position", NEAR),
        lambda t, rows: ((t.position[rows][:, None] - t.position[rows][None, :]).abs() <= NEAR) | _alike(rows),
        None,
        OTHERS,
    ),
    Case(
        "overlap",
        overlap("tags", AT_LEAST),
        lambda t, rows: (t.tags[rows] @ t.tags[rows].T >= AT_LEAST) | _alike(rows),
        None,
        OTHERS,
    ),
    Case(
        "linked", linked("edges"), lambda t, rows: t.joined[rows[:, None], rows[None, :]] | _alike(rows), None, OTHERS
    ),
    Case(
        "ignore",
        (same("patient") & same("study")).ignore(same("patient")),
        lambda t, rows: _alike(t.patient[rows]) & _alike(t.study[rows]),
        lambda t, rows: _alike(t.patient[rows]),
        OTHERS,
    ),
)


def ours(case: Case, table: Table, samples: Tensor) -> Loss:
    """Rows and pairs are made anew in each call, as in a training step."""
    bound = case.rule.bind(table.frame, edges={"edges": table.edges})  # type: ignore[attr-defined]
    return lambda z: contrastive_loss(z, bound.pairs(Rows.of(samples, views=2)), TEMPERATURE).loss


def plain(case: Case, table: Table, samples: Tensor) -> Loss:
    """Masks of the batch, log-softmax, mean log-probability of the positives, anchors without one dropped."""

    def loss(z: Tensor) -> Tensor:
        rows = samples.repeat(2)
        itself = torch.eye(len(z), dtype=torch.bool)
        positive = case.positive(table, rows) & ~itself
        left_out = itself if case.ignored is None else itself | (case.ignored(table, rows) & ~positive)
        log_p = (z @ z.T / TEMPERATURE).masked_fill(left_out, -torch.inf).log_softmax(1)
        positives = positive.sum(1)
        mean = log_p.masked_fill(~positive, 0).sum(1) / positives
        return -mean[positives > 0].mean()

    return loss


ARMS: dict[str, Callable[[Case, Table, Tensor], Loss]] = {"ssl-domains": ours, "plain masks": plain}


def step(raw: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """The loss of embeddings and its gradient by them."""
    leaf = raw.detach().requires_grad_()
    value = loss(leaf)
    value.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return value.detach(), leaf.grad


def embeddings(rows: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Unit vectors ``[rows, WIDTH]``, seeded."""
    raw = torch.randn(rows, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(rows))
    return F.normalize(raw, dim=1).to(dtype)


def assert_agreement(table: Table, sizes: Sizes) -> str:
    """Values and gradients of both arms in every case and size, norm-relative.

    Raises:
        AssertionError: When they differ by more than 1e-10 in float64 or 1e-5 in float32.
    """
    worst = {torch.float64: 0.0, torch.float32: 0.0}
    for case in CASES:
        for rows in sizes.rows:
            samples = table.batch(rows)
            for dtype, most in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
                z = embeddings(rows, dtype)
                (a, da), (b, db) = (step(z, arm(case, table, samples)) for arm in ARMS.values())
                error = max(float((a - b).abs() / b.abs()), float((da - db).norm() / db.norm()))
                worst[dtype] = max(worst[dtype], error)
                assert error < most, f"{case.name} at {rows} rows differs by {error:.1e} in {dtype}"
    wide, narrow = worst.values()
    return f"value and gradient of every case at every size, to {wide:.0e} in float64 and {narrow:.0e} in float32"


def run(sizes: Sizes | None = None) -> Result:
    """All of it, with one thread."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    table = Table.make()
    with torch_threads(1):
        agreed = assert_agreement(table, sizes)
        rows = [row for case in CASES for count in sizes.rows for row in _compared(case, table, count, sizes)]
    return Result(
        "small_loss",
        "The loss of small batches, pairs included",
        (agreed,),
        tuple(rows),
        (
            f"Two views, {WIDTH} numbers a row, float32, τ = {TEMPERATURE}, forward and backward, one thread.",
            "Times are the process's CPU time. A round is a number of calls of each arm; ratios are of one round, and "
            "the range is a 90 % interval of their median.",
            "Ours makes its rows and pairs anew in every call, as the plain form makes its masks.",
            f"A table of {SAMPLES} samples without missing values, {TOGETHER} samples of a patient in a batch.",
            "The plain form reads columns as tensors, tags as a 0/1 matrix, and edges as a matrix of all samples.",
        ),
        time.perf_counter() - started,
        machine(1),
    )


def _compared(case: Case, table: Table, rows: int, sizes: Sizes) -> list[Row]:
    samples, z = table.batch(rows), embeddings(rows)
    arms = {name: functools.partial(step, z, arm(case, table, samples)) for name, arm in ARMS.items()}
    calls = max(1, min(sizes.calls, sizes.calls * 64 // rows))
    seconds = interleave(arms, sizes.rounds, warm_up=3, calls=calls, clock=time.process_time)
    ratio = paired_ratio(seconds["ssl-domains"], seconds["plain masks"])
    what = f"{case.name}, {rows} rows"
    microseconds = [1e6 * second for second in seconds["plain masks"]]
    found = [Row.of(f"{what}: plain masks", spread(microseconds), "µs")]
    judged = case.most.get(rows)
    what = f"{what}: ssl-domains / plain masks"
    return [*found, Row.of(what, ratio, "×") if judged is None else Row.at_most(what, ratio, "×", judged)]
