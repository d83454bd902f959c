"""Losses of a score matrix against loops over pairs, written from their formulas; pairs come from rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.donsker_varadhan import donsker_varadhan
from ssl_domains.losses.info_nce import info_nce
from ssl_domains.losses.jensen_shannon import jensen_shannon
from ssl_domains.losses.nce import log_partition, nce
from ssl_domains.losses.neg import neg, unigram_noise
from ssl_domains.pairs import Rows, parse

TABLE = {
    "sample": [f"s{i}" for i in range(9)],
    "group": [0, 0, 1, 2, 2, None, 3, 0, 1],
    "x": [0.0, 0.5, 1.0, 4.0, 4.5, 9.0, None, 0.2, 1.5],
    "one": [1] * 9,
}
RULES = [
    "none",
    "same('group')",
    "0.7*same('group') + 0.3*within('x', 1.2, decay='linear')",
    "same('group').ignore(within('x', 1.0))",
    "same('one')",  # no negatives
]
SAMPLES = 12
NOISE = torch.tensor([0.05 + 0.01 * j for j in range(9)], dtype=torch.float64)


def masks(rule: str) -> tuple[Tensor, Tensor]:
    """Weights of the positives and negatives of five samples with all nine; two anchors have no positive."""
    bound = parse(rule).bind(TABLE)
    rows = Rows.of(torch.arange(9), views=1)
    anchors = rows.take(torch.tensor([0, 2, 4, 5, 6]))
    tile = bound.pairs(anchors, rows).collapsed(slice(0, 5), slice(0, 9))
    return tile.weight, tile.negative


def scores(seed: int = 0) -> Tensor:
    return 2 * torch.randn(5, 9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def nce_loop(s: Any, w: Any, n: Any, log_noise: Any, k: int, log_z: float) -> list[float]:
    out = []
    for i in range(len(s)):
        if sum(w[i]) == 0:
            out.append(0.0)
            continue
        data = noise = 0.0
        for j in range(len(s[i])):
            model = math.exp(s[i][j]) / math.exp(log_z)
            h = model / (model + k * math.exp(log_noise[j]))
            if w[i][j] > 0:
                data -= w[i][j] * math.log(h)
            if n[i][j]:
                noise -= math.log(1 - h)
        out.append(data / sum(w[i]) + noise)
    return out


def neg_loop(s: Any, w: Any, n: Any) -> list[float]:
    out = []
    for i in range(len(s)):
        positives = [(w[i][j], s[i][j]) for j in range(len(s[i])) if w[i][j] > 0]
        negatives = [s[i][j] for j in range(len(s[i])) if n[i][j]]
        pull = -sum(one * math.log(sigmoid(score)) for one, score in positives)
        push = -sum(math.log(sigmoid(-score)) for score in negatives)
        out.append(pull / sum(one for one, _ in positives) + push if positives else 0.0)
    return out


def info_nce_loop(s: Any, w: Any, n: Any) -> float:
    total = weight = 0.0
    for i in range(len(s)):
        below = sum(math.exp(s[i][j]) for j in range(len(s[i])) if n[i][j])
        for j in range(len(s[i])):
            if w[i][j] > 0:
                total -= w[i][j] * math.log(math.exp(s[i][j]) / (math.exp(s[i][j]) + below))
                weight += w[i][j]
    return total / weight if weight else 0.0


def jensen_shannon_loop(s: Any, w: Any, n: Any) -> float:
    every = [(i, j) for i in range(len(s)) for j in range(len(s[i]))]
    joint = sum(w[i][j] * math.log(1 + math.exp(-s[i][j])) for i, j in every)
    apart = [math.log(1 + math.exp(s[i][j])) for i, j in every if n[i][j]]
    weight = sum(w[i][j] for i, j in every)
    return (joint / weight if weight else 0.0) + (sum(apart) / len(apart) if apart else 0.0)


def donsker_varadhan_loop(s: Any, w: Any, n: Any) -> float:
    every = [(i, j) for i in range(len(s)) for j in range(len(s[i]))]
    weight = sum(w[i][j] for i, j in every)
    apart = [math.exp(s[i][j]) for i, j in every if n[i][j]]
    if not weight or not apart:
        return 0.0
    return math.log(sum(apart) / len(apart)) - sum(w[i][j] * s[i][j] for i, j in every) / weight


def corrected(s: Tensor, w: Tensor, n: Tensor) -> Tensor:
    return nce(s, w, n, NOISE.log(), SAMPLES, 0.4)


LOSSES: dict[str, tuple[Callable[..., Tensor], Callable[..., Any]]] = {
    "nce": (corrected, lambda s, w, n: nce_loop(s, w, n, NOISE.log().tolist(), SAMPLES, 0.4)),
    "neg": (neg, neg_loop),
    "info_nce": (info_nce, info_nce_loop),
    "jensen_shannon": (jensen_shannon, jensen_shannon_loop),
    "donsker_varadhan": (donsker_varadhan, donsker_varadhan_loop),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", LOSSES)
def test_it_is_the_loop_over_pairs(name: str, rule: str) -> None:
    loss, loop = LOSSES[name]
    s, (w, n) = scores(), masks(rule)
    expected = torch.tensor(loop(s.tolist(), w.tolist(), n.tolist()), dtype=torch.float64)
    torch.testing.assert_close(loss(s, w, n), expected, atol=1e-12, rtol=0)
    narrow = loss(s.float(), w, n)
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow.double(), expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str, rule: str) -> None:
    w, n = masks(rule)
    loss, _ = LOSSES[name]
    assert torch.autograd.gradcheck(lambda s: loss(s, w, n), scores().requires_grad_())


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("empty", ["no positives", "no pairs", "no anchors", "no candidates"])
def test_where_nothing_counts_it_is_zero_and_attached(name: str, empty: str) -> None:
    shape = {"no anchors": (0, 9), "no candidates": (5, 0)}.get(empty, (5, 9))
    s = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    n = torch.zeros(shape, dtype=torch.bool)
    if empty == "no positives":
        n[:] = True
    value = (LOSSES[name][0] if name != "nce" else _flat_nce)(s, torch.zeros_like(n), n).sum()
    if not (name == "jensen_shannon" and empty == "no positives"):
        assert value.item() == 0
    value.backward()
    assert s.grad is not None
    assert bool(s.grad.isfinite().all())
    assert name == "jensen_shannon" or not s.grad.any()


def _flat_nce(s: Tensor, w: Tensor, n: Tensor) -> Tensor:
    return nce(s, w, n, torch.zeros(s.shape[1]), 3)


@pytest.mark.parametrize("name", LOSSES)
def test_a_pair_that_is_left_out_may_have_any_score(name: str) -> None:
    w, n = masks(RULES[3])
    out = (w == 0) & ~n
    assert out.any()
    wild = scores().masked_fill(out, math.nan).requires_grad_()
    value = LOSSES[name][0](wild, w, n).sum()
    torch.testing.assert_close(value, LOSSES[name][0](scores(), w, n).sum())
    value.backward()
    assert wild.grad is not None
    assert bool(wild.grad.isfinite().all())


@pytest.mark.parametrize("name", LOSSES)
def test_large_scores_stay_finite_and_autocast_changes_nothing(name: str) -> None:
    w, n = masks(RULES[1])
    large = (300 * scores()).float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        value = LOSSES[name][0](large, w, n)
    assert value.dtype == torch.float32
    assert torch.equal(value, LOSSES[name][0](large, w, n))
    value.sum().backward()
    assert large.grad is not None
    assert bool(large.grad.isfinite().all())


@pytest.mark.parametrize("name", LOSSES)
def test_shapes_that_do_not_fit_are_refused(name: str) -> None:
    loss, (w, n) = LOSSES[name][0], masks("none")
    for wrong in ((scores()[0], w, n), (scores(), w[1:], n), (scores(), w, n[:, 1:]), (scores(), w, n.double())):
        with pytest.raises(UsageError):
            loss(*wrong)


# InfoNCE


def test_info_nce_is_cross_entropy_where_an_anchor_has_one_positive() -> None:
    s = torch.randn(6, 6, dtype=torch.float64)
    same = torch.eye(6, dtype=torch.bool)
    expected = torch.nn.functional.cross_entropy(s, torch.arange(6))
    torch.testing.assert_close(info_nce(s, same, ~same), expected)


def test_info_nce_is_the_denominator_per_positive_pair_of_pytorch_metric_learning() -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
    z = torch.nn.functional.normalize(x, dim=1)
    alike = labels[:, None] == labels[None]
    ours = info_nce(z @ z.T / 0.2, alike & ~torch.eye(6, dtype=torch.bool), ~alike)
    torch.testing.assert_close(ours, losses.NTXentLoss(temperature=0.2)(x, labels), atol=1e-5, rtol=0)


# The Donsker–Varadhan and Jensen–Shannon estimates at their best scores


def _discrete() -> tuple[Tensor, Tensor, Tensor]:
    """Scores of pairs drawn as often as a joint distribution, and of its marginals, says; with both masks."""
    joint = torch.tensor([[6, 1, 1], [2, 8, 0], [1, 3, 2]])
    rows, columns = joint.sum(1), joint.sum(0)
    ratio = (joint * 24 / (rows[:, None] * columns[None])).double()
    together = torch.repeat_interleave(torch.arange(9), joint.flatten())
    apart = torch.repeat_interleave(torch.arange(9), (rows[:, None] * columns[None]).flatten())
    values = torch.cat([ratio.flatten()[together], ratio.flatten()[apart]])[None]
    positive = torch.arange(values.shape[1])[None] < len(together)
    return values, positive, ratio.flatten()[together].log().mean()


def test_donsker_varadhan_reaches_the_mutual_information() -> None:
    ratio, positive, information = _discrete()
    torch.testing.assert_close(-donsker_varadhan(ratio.log(), positive, ~positive), information)
    tilted = ratio.clamp(min=0.1).log() * 0.8 + 0.3
    assert -donsker_varadhan(tilted, positive, ~positive) < information


def test_jensen_shannon_reaches_twice_the_divergence() -> None:
    ratio, positive, _ = _discrete()
    # p = joint, q = product; 2 JSD = E_p log 2p/(p+q) + E_q log 2q/(p+q)
    twice = (2 * ratio / (1 + ratio))[positive].log().mean() + (2 / (1 + ratio))[~positive].log().mean()
    loss = jensen_shannon(ratio.log().clamp(min=-40), positive, ~positive)
    torch.testing.assert_close(2 * math.log(2) - loss, twice)


# NCE and NEG


def test_nce_finds_the_partition_constant() -> None:
    """In expectation over data and noise, the best constant is the sum over all words."""
    s = torch.tensor([0.3, -1.2, 2.0, 0.0], dtype=torch.float64)
    data, noise, k = s.softmax(0), torch.tensor([0.4, 0.3, 0.1, 0.2], dtype=torch.float64), 5
    best = torch.logsumexp(s, 0)
    yes = torch.ones(1, 4, dtype=torch.bool)

    def slope(log_z: Tensor) -> float:
        log_z = log_z.clone().requires_grad_()
        each = []
        for j in range(4):  # noise j is drawn k·noise[j] times for each positive
            alone = torch.arange(4)[None] == j
            positive_only = nce(s[None], alone, ~yes, noise.log(), k, log_z)
            both = nce(s[None], alone, alone, noise.log(), k, log_z)
            each.append(data[j] * positive_only + k * noise[j] * (both - positive_only))
        (gradient,) = torch.autograd.grad(torch.stack(each).sum(), log_z)
        return float(gradient)

    assert slope(best) == pytest.approx(0, abs=1e-14)
    assert slope(best - 0.01) < 0 < slope(best + 0.01)


def test_neg_is_nce_with_a_correction_of_one() -> None:
    s, (w, n) = scores(), masks(RULES[2])
    flat = torch.full((9,), -math.log(SAMPLES), dtype=torch.float64)
    torch.testing.assert_close(nce(s, w, n, flat, SAMPLES), neg(s, w, n))
    assert not torch.allclose(nce(s, w, n, NOISE.log(), SAMPLES), neg(s, w, n))


def test_a_noise_of_one_anchor_each_and_a_learned_constant() -> None:
    s, (w, n) = scores(), masks(RULES[1])
    each = NOISE.log().expand(5, 9)
    torch.testing.assert_close(nce(s, w, n, each, SAMPLES, 0.4), corrected(s, w, n))
    learned = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: nce(s, w, n, NOISE.log(), SAMPLES, z), learned)


def test_the_partition_constant_is_estimated_from_noise() -> None:
    s = scores()
    drawn = NOISE.expand(5, 9)
    expected = (s.exp() / drawn).mean().log()
    torch.testing.assert_close(log_partition(s, NOISE.log()), expected)


@pytest.mark.parametrize("samples", [0, -3])
def test_nce_needs_noise(samples: int) -> None:
    w, n = masks("none")
    with pytest.raises(UsageError, match="noise samples"):
        nce(scores(), w, n, NOISE.log(), samples)
    with pytest.raises(UsageError, match="log_noise"):
        nce(scores(), w, n, NOISE.log()[1:], 3)


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1]])
def test_a_noise_distribution_needs_words(counts: list[int]) -> None:
    with pytest.raises(UsageError, match="noise distribution"):
        unigram_noise(counts)
