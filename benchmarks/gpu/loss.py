"""The loss on the device: speed and memory beside the plain form, compiled, and beside its bare matrix products."""

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

from benchmarks.gpu.budget import Budget
from benchmarks.gpu.card import peak_bytes, seconds_of, synchronise, turns
from benchmarks.result import Result, Row
from benchmarks.timing import paired_ratio, spread
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Rows, same

__all__ = ["OBJECTIVES", "Sizes", "plain_loss", "run", "step"]

TEMPERATURE = 0.1
OBJECTIVES = {
    "one relation": 1 * same("class"),
    "two relations + ignore": (0.7 * same("class") + 0.3 * same("region")).ignore(same("scanner")),
}
_WEIGHTS = {"one relation": (1.0,), "two relations + ignore": (0.7, 0.3)}
_SIDE = 2048  # of the tiles of the bare products, as the loss takes on a GPU
_JUDGED = 8192  # rows from which the ratio to the bare products has a goal


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Numbers of rows, two views of half as many samples.
        widths: Numbers in an embedding.
        agree: Rows at which values and gradients are compared.
        rounds: Largest number of timed rounds of a case; fewer when a round takes long.
        backend: Compiler of the plain form.
    """

    rows: tuple[int, ...] = (8192, 32768, 65536)
    widths: tuple[int, ...] = (128, 768)
    agree: int = 2048
    rounds: int = 9
    backend: str = "inductor"


@dataclass(frozen=True)
class Batch:
    """Embeddings of two views of each sample, view-major, with their pairs on the device.

    Attributes:
        raw: ``[N, d]``, not normalised.
        codes: int64 ``[N]`` each: sample, class, region, scanner.
        pairs: The pairs of each objective, by its name.
    """

    raw: Tensor
    codes: tuple[Tensor, ...]
    pairs: dict[str, Any]

    @classmethod
    def make(cls, rows: int, width: int, dtype: torch.dtype, device: torch.device) -> Batch:
        """Seeded: ten classes, a region for about 25 samples, 30 scanners."""
        samples = rows // 2
        draws = np.random.default_rng(0)
        columns = {
            "class": draws.integers(0, 10, samples),
            "region": draws.integers(0, max(2, samples // 25), samples),
            "scanner": draws.integers(0, 30, samples),
        }
        frame = pl.DataFrame({"sample": [f"s{k}" for k in range(samples)], **columns})
        raw = torch.randn(rows, width, generator=torch.Generator().manual_seed(0)).to(device, dtype)
        ids = (np.arange(samples), *columns.values())
        codes = tuple(torch.from_numpy(values).repeat(2).to(device) for values in ids)
        index = Rows.of(torch.arange(samples), views=2)
        pairs = {name: each.bind(frame).pairs(index).to(device) for name, each in OBJECTIVES.items()}
        return cls(raw, codes, pairs)


def plain_loss(
    z: Tensor, sample: Tensor, labels: tuple[Tensor, ...], weights: tuple[float, ...], scanner: Tensor | None
) -> Tensor:
    """The loss with N×N matrices, in float32 or wider, as it is usually written.

    Args:
        z: ``[N, d]``, of length 1.
        sample: int64 ``[N]``; rows of one sample are positives of each other.
        labels: int64 ``[N]`` of each relation.
        weights: α of each relation.
        scanner: int64 ``[N]``: candidates of the same scanner are ignored unless they are positives; None for none.
    """
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    logits = z @ z.T / TEMPERATURE
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    own = (sample[:, None] == sample[None, :]) & ~itself
    positives = [own | ((label[:, None] == label[None, :]) & ~itself) for label in labels]
    left_out = itself
    if scanner is not None:
        left_out = itself | ((scanner[:, None] == scanner[None, :]) & ~functools.reduce(torch.logical_or, positives))
    normaliser = logits.masked_fill(left_out, -torch.inf).logsumexp(1)
    total = z.new_zeros(())
    for weight, positive in zip(weights, positives, strict=True):
        mean = (logits * positive).sum(1) / positive.sum(1)
        total = total + weight * (normaliser - mean).mean()
    return total


def run(device: torch.device, budget: Budget, sizes: Sizes, machine: dict[str, Any]) -> Result:
    """Compare, then time every case that fits in the budget, from the smallest to the largest."""
    started = time.perf_counter()
    agreed = tuple(_assert_agreement(device, sizes.agree, dtype) for dtype in (torch.float32, torch.bfloat16))
    compiled = torch.compile(plain_loss, dynamic=True, backend=sizes.backend)
    rows: list[Row] = []
    for count in sizes.rows:
        for width in sizes.widths:
            for dtype in (torch.float32, torch.bfloat16):
                try:
                    rows += _case(device, budget, sizes, compiled, count, width, dtype)
                except torch.OutOfMemoryError as error:
                    budget.fail(f"loss, {_words(count, width, dtype)}", error)
                if device.type == "cuda":
                    torch.cuda.empty_cache()
    return Result(
        "gpu_loss",
        "The loss on the device, forward and backward",
        agreed,
        tuple(rows),
        (
            "Normalisation, loss and backward; the pairs lie on the device already. Each sample has two views.",
            "The plain form makes N×N matrices, compiled by torch with dynamic shapes; it is left out where its memory"
            " does not suffice.",
            f"The bare products are the matrix products of the loss's own sweep, in tiles of {_SIDE}, in the precision"
            " of the loss (float32 for bfloat16 embeddings, too), and nothing else.",
            "Times are medians; the range is the smallest and the largest. Ratios are of one round each, with a 90 %"
            " interval of their median.",
        ),
        time.perf_counter() - started,
        machine,
    )


def step(raw: Tensor, loss: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Normalise, loss, backward: the value and the gradient."""
    leaf = raw.detach().requires_grad_()
    value = loss(F.normalize(leaf, dim=1))
    value.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return value.detach(), leaf.grad


def ours(batch: Batch, objective: str) -> Callable[[Tensor], Tensor]:
    """The library's loss."""
    return lambda z: contrastive_loss(z, batch.pairs[objective], TEMPERATURE).loss


def plain(batch: Batch, objective: str, form: Callable[..., Tensor] = plain_loss) -> Callable[[Tensor], Tensor]:
    """The plain form, or the compiled one."""
    sample, kind, region, scanner = batch.codes
    weights = _WEIGHTS[objective]
    labels = (kind, region)[: len(weights)]
    return lambda z: form(z, sample, labels, weights, scanner if len(weights) > 1 else None)


def bare_products(z: Tensor) -> None:
    """The matrix products of one forward and backward sweep over the tiles on and above the diagonal."""
    gradient = torch.zeros_like(z)
    for backward in (False, True):
        for top in range(0, len(z), _SIDE):
            for left in range(top, len(z), _SIDE):
                one, two = z[top : top + _SIDE], z[left : left + _SIDE]
                tile = one @ two.T
                if backward:
                    gradient[top : top + _SIDE].addmm_(tile, two)
                    if left > top:
                        gradient[left : left + _SIDE].addmm_(tile.T, one)


def _assert_agreement(device: torch.device, rows: int, dtype: torch.dtype) -> str:
    """Ours against the plain form in float64 on the CPU.

    Raises:
        AssertionError: When value or gradient differ by more than the rounding of the input's type.
    """
    limit = 1e-4 if dtype == torch.float32 else 2e-2
    worst = 0.0
    batch = Batch.make(rows, 64, dtype, device)
    exact = Batch(batch.raw.cpu().double(), tuple(codes.cpu() for codes in batch.codes), {})
    for objective in OBJECTIVES:
        value, gradient = step(batch.raw, ours(batch, objective))
        expected, slope = step(exact.raw, plain(exact, objective))
        worst = max(worst, abs(float(value) - float(expected)) / abs(float(expected)))
        worst = max(worst, float((gradient.cpu().double() - slope).norm() / slope.norm()))
    name = str(dtype).removeprefix("torch.")
    assert worst <= limit, f"the loss of {name} embeddings differs from float64 by {worst:.1e}"
    return f"value and gradient of {name} embeddings at {rows} rows with the plain form in float64, to {worst:.0e}"


def _case(
    device: torch.device,
    budget: Budget,
    sizes: Sizes,
    compiled: Callable[..., Tensor],
    count: int,
    width: int,
    dtype: torch.dtype,
) -> list[Row]:
    where = _words(count, width, dtype)
    if not budget.allows(f"loss, {where}", 0.5):
        return []
    batch = Batch.make(count, width, dtype, device)
    wide = F.normalize(batch.raw.float(), dim=1)
    rows = []
    for objective in OBJECTIVES:
        what = f"{objective}, {where}"
        arms: dict[str, Callable[[], object]] = {
            "ssl-domains": functools.partial(step, batch.raw, ours(batch, objective)),
            "bare products": functools.partial(bare_products, wide),
        }
        first = sum(seconds_of(arm, device) for arm in arms.values())
        again = sum(seconds_of(arm, device) for arm in arms.values())
        if not budget.allows(f"loss, {what}", 3 * again):
            continue
        attempt = functools.partial(step, batch.raw, plain(batch, objective, compiled))
        if _fits(attempt, device, budget, f"plain form, compiled: {what}", most=max(60.0, first)):
            arms["plain, compiled"] = attempt
        once = sum(seconds_of(arm, device) for arm in arms.values())
        if not budget.allows(f"loss, {what}", 3 * once):
            continue
        rounds = int(min(sizes.rounds, max(3, budget.left / 6 / max(once, 1e-6))))
        seconds = turns(arms, rounds, device)
        rows += [Row.of(f"{name}, {what}", spread(times), "s") for name, times in seconds.items()]
        ratio = paired_ratio(seconds["ssl-domains"], seconds["bare products"])
        name = f"ssl-domains / bare products, {what}"
        rows.append(Row.at_most(name, ratio, "×", 2) if count >= _JUDGED else Row.of(name, ratio, "×"))
        if "plain, compiled" in seconds:
            ratio = paired_ratio(seconds["plain, compiled"], seconds["ssl-domains"])
            rows.append(Row.of(f"plain, compiled / ssl-domains, {what}", ratio, "×"))
        for name, arm in arms.items():
            peak = peak_bytes(arm, device)
            if peak is not None:
                rows.append(Row(f"{name}, {what}: peak memory", peak / 1e9, "GB"))
    return rows


def _words(count: int, width: int, dtype: torch.dtype) -> str:
    return f"{count} rows, d = {width}, {str(dtype).removeprefix('torch.')}"


def _fits(call: Callable[[], object], device: torch.device, budget: Budget, what: str, most: float) -> bool:
    """Compile and run once. What fails, for lack of memory or of a compiler, is left out by name."""
    if not budget.allows(what, min(most, 20.0)):
        return False
    try:
        call()
        synchronise(device)
        return True
    except torch.OutOfMemoryError:
        budget.leave_out(what, "the memory of the card does not suffice")
    except Exception as error:  # a missing compiler has many faces, and must not end the other measurements
        budget.leave_out(what, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return False
