"""Metric-learning losses beside pytorch-metric-learning: equal where definitions are, else related as documented."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.losses import (
    LossOutput,
    cosine_pair,
    lifted_structure,
    margin_loss,
    n_pair,
    pair_margin,
    pairwise_sigmoid,
    triplet,
)
from ssl_domains.miners import batch_all, batch_hard, distance_weighted, semi_hard
from ssl_domains.pairs import CollapsedTile, PairBatch, Rows, Triplets, same

pytest.importorskip("pytorch_metric_learning", reason="the peer comes with the extra 'bench'")

from pytorch_metric_learning import distances, losses, miners, reducers, regularizers

CLASSES = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3, 3, 3, 4, 2])
LABELS = CLASSES.repeat(2)
PLAIN = distances.LpDistance(normalize_embeddings=False)


@pytest.fixture
def pairs() -> PairBatch:
    return same("class").bind({"class": CLASSES.tolist()}).pairs(Rows.of(torch.arange(12), views=2))


@pytest.fixture
def z(unit: Any) -> Tensor:
    embeddings: Tensor = unit(24, 6)
    return embeddings


def gradient(loss: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(loss, x)[0]


def equal(z: Tensor, ours: Any, theirs: Any, unit: bool = True) -> None:
    """Value and gradient; with ``unit`` of normalised embeddings, as the peer's usual distances normalise them."""
    one, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    found, expected = (
        loss(torch.nn.functional.normalize(x, dim=1) if unit else x) for loss, x in ((ours, one), (theirs, other))
    )
    found = found.loss if isinstance(found, LossOutput) else found
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5, check_dtype=False)
    assert float(expected.detach()) > 0
    torch.testing.assert_close(gradient(found, one), gradient(expected, other), atol=1e-5, rtol=1e-5)


# triplets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.05, 0.4])
def test_all_triplets_averaged_over_those_above_0(z: Tensor, pairs: PairBatch, margin: float) -> None:
    theirs = losses.TripletMarginLoss(margin=margin)
    equal(z, lambda x: triplet(x, pairs, batch_all, margin=margin), lambda x: theirs(x, LABELS))


def test_their_mean_reducer_averages_over_all_triplets(z: Tensor, pairs: PairBatch) -> None:
    theirs = losses.TripletMarginLoss(margin=0.2, reducer=reducers.MeanReducer())
    equal(z, lambda x: triplet(x, pairs, batch_all, over="all"), lambda x: theirs(x, LABELS))


def test_squared_distances_are_their_power_2(z: Tensor, pairs: PairBatch) -> None:
    theirs = losses.TripletMarginLoss(margin=0.2, distance=distances.LpDistance(power=2))
    equal(z, lambda x: triplet(x, pairs, batch_all, squared=True), lambda x: theirs(x, LABELS))


def test_the_soft_margin_is_their_smooth_loss_with_a_margin_of_0(z: Tensor, pairs: PairBatch) -> None:
    theirs = losses.TripletMarginLoss(margin=0, smooth_loss=True)
    equal(z, lambda x: triplet(x, pairs, batch_all, margin=None), lambda x: theirs(x, LABELS))


@pytest.mark.parametrize("margin", [0.2, None])
def test_batch_hard_is_theirs(z: Tensor, pairs: PairBatch, margin: float | None) -> None:
    theirs = losses.TripletMarginLoss(margin=margin or 0, smooth_loss=margin is None)
    mine = miners.BatchHardMiner()
    equal(
        z, lambda x: triplet(x, pairs, batch_hard, margin=margin), lambda x: theirs(x, LABELS, mine(x.detach(), LABELS))
    )


def mined(z: Tensor, pairs: PairBatch, miner: Any) -> Triplets:
    whole = slice(0, len(z))
    found: Triplets = miner(torch.cdist(z, z), pairs.collapsed(whole, whole), pairs.anchors.row)
    return found


def test_semi_hard_takes_the_nearest_of_their_semi_hard_negatives_of_each_positive(z: Tensor, pairs: PairBatch) -> None:
    """Theirs are all triplets with d_ip < d_in ≤ d_ip + margin."""
    found = mined(z, pairs, partial(semi_hard, margin=0.2))
    assert found.negative is not None
    theirs = miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard")(z, LABELS)
    between, nearest = torch.cdist(z, z), {}
    for a, p, n in zip(*(x.tolist() for x in theirs), strict=True):
        nearest[a, p] = min(nearest.get((a, p), (9.0, -1)), (float(between[a, n]), n))
    expected = {(a, p, n) for (a, p), (_, n) in nearest.items()}
    assert len(expected) > 10
    assert set(zip(found.anchor.tolist(), found.positive.tolist(), found.negative.tolist(), strict=True)) == expected


# pairs ---------------------------------------------------------------------------------------------------------------


def test_their_contrastive_loss_has_d_where_ours_has_its_square(z: Tensor, pairs: PairBatch) -> None:
    each = losses.ContrastiveLoss(reducer=reducers.DoNothingReducer())
    costs = each(z, LABELS)
    expected = costs["pos_loss"]["losses"].square().mean() + costs["neg_loss"]["losses"].square().mean()
    torch.testing.assert_close(pair_margin(z, pairs).loss, expected, atol=1e-5, rtol=1e-5, check_dtype=False)
    assert not torch.allclose(losses.ContrastiveLoss(reducer=reducers.MeanReducer())(z, LABELS).double(), expected)


def test_their_default_reducer_averages_over_pairs_above_0(z: Tensor, pairs: PairBatch) -> None:
    """Ours over all pairs of a kind: the negative part of theirs times the share of negatives within the margin."""
    each = losses.ContrastiveLoss(pos_margin=1, neg_margin=0, distance=distances.CosineSimilarity())
    out = cosine_pair(z, pairs)
    share = float(out.counts["active_negatives"] / out.counts["negative_pairs"])
    assert 0.2 < share < 0.8
    kinds = losses.ContrastiveLoss(
        pos_margin=1, neg_margin=0, distance=distances.CosineSimilarity(), reducer=reducers.DoNothingReducer()
    )(z, LABELS)
    positive = kinds["pos_loss"]["losses"].mean()
    negative = each(z, LABELS) - positive
    torch.testing.assert_close(out.loss, positive + share * negative, atol=1e-5, rtol=1e-5, check_dtype=False)


def test_cosine_pair_is_theirs_with_cosines_and_plain_means(z: Tensor, pairs: PairBatch) -> None:
    theirs = losses.ContrastiveLoss(
        pos_margin=1, neg_margin=0.1, distance=distances.CosineSimilarity(), reducer=reducers.MeanReducer()
    )
    equal(z, lambda x: cosine_pair(x, pairs, margin=0.1), lambda x: theirs(x, LABELS))


def test_cosine_pair_has_torchs_cost_of_a_pair(unit: Any) -> None:
    z = 2 * unit(2, 3)
    for group, target in (([0, 0], 1), ([0, 1], -1)):
        pairs = same("g").bind({"g": group}).pairs(Rows.of([0, 1], views=1))
        expected = torch.nn.functional.cosine_embedding_loss(z[:1], z[1:], torch.tensor([target]), margin=-0.5)
        torch.testing.assert_close(cosine_pair(z, pairs, margin=-0.5).loss, expected)


# whole lists of negatives --------------------------------------------------------------------------------------------


def test_n_pair_is_theirs_with_first_views_as_anchors_and_second_views_as_candidates(unit: Any) -> None:
    z, samples = 2 * unit(16, 5), torch.arange(8)
    rows = Rows.of(samples, views=2)
    pairs = same("g").bind({"g": samples.tolist()}).pairs(rows.take(slice(0, 8)), rows.take(slice(8, 16)))
    dot = distances.DotProductSimilarity(normalize_embeddings=False)
    theirs = losses.NPairsLoss(distance=dot)
    equal(
        z,
        lambda x: n_pair(x[:8], pairs, l2=0, candidates=x[8:]),
        lambda x: theirs(x, samples.repeat(2)),
        unit=False,
    )
    length = losses.NPairsLoss(
        distance=dot, embedding_regularizer=regularizers.LpRegularizer(power=2), embedding_reg_weight=0.3
    )
    # Their second term is over all rows, ours over the anchors: the mean of both halves.
    halves = [n_pair(x, pairs, l2=0.3, candidates=c).loss for x, c in ((z[:8], z[8:]),)]
    first, second = z[:8].square().sum(1).mean(), z[8:].square().sum(1).mean()
    expected = halves[0] + 0.3 * ((first + second) / 2 - first)
    torch.testing.assert_close(length(z, samples.repeat(2)), expected, atol=1e-5, rtol=1e-5, check_dtype=False)


def test_n_pair_over_a_whole_batch_has_more_negatives_than_the_paper(unit: Any) -> None:
    z, samples = unit(16, 5), torch.arange(8)
    rows = Rows.of(samples, views=2)
    bound = same("g").bind({"g": samples.tolist()})
    crossed = bound.pairs(rows.take(slice(0, 8)), rows.take(slice(8, 16)))
    assert n_pair(z, bound.pairs(rows), l2=0).loss > n_pair(z[:8], crossed, l2=0, candidates=z[8:]).loss


def test_lifted_structure_is_theirs(unit: Any, pairs: PairBatch) -> None:
    theirs = losses.LiftedStructureLoss(neg_margin=1, pos_margin=0, distance=PLAIN)
    equal(1.5 * unit(24, 6), lambda x: lifted_structure(x, pairs), lambda x: theirs(x, LABELS), unit=False)


def test_pairwise_sigmoid_is_the_pseudo_code_of_the_paper(unit: Any) -> None:
    z, n = unit(16, 5), 8
    rows = Rows.of(torch.arange(n), views=2)
    pairs = same("g").bind({"g": list(range(n))}).pairs(rows.take(slice(0, n)), rows.take(slice(n, 2 * n)))

    def paper(x: Tensor) -> Tensor:
        logits = x[:n] @ x[n:].T * 8 - 3
        labels = 2 * torch.eye(n) - 1
        return -torch.nn.functional.logsigmoid(labels * logits).sum() / n

    equal(z, lambda x: pairwise_sigmoid(x[:n], pairs, scale=8, bias=-3, candidates=x[n:]), paper)


# margin --------------------------------------------------------------------------------------------------------------


def test_the_margin_loss_of_all_triplets_is_theirs_with_the_gradient_of_beta(z: Tensor, pairs: PairBatch) -> None:
    theirs = losses.MarginLoss(margin=0.2, beta=1.1, learn_beta=True)
    equal(z, lambda x: margin_loss(x, pairs, batch_all, beta=1.1), lambda x: theirs(x, LABELS))
    beta = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    margin_loss(z, pairs, batch_all, beta=beta).loss.backward()
    theirs(z, LABELS).backward()
    assert beta.grad is not None
    torch.testing.assert_close(beta.grad, theirs.beta.grad[0], atol=1e-5, rtol=1e-5, check_dtype=False)


def test_the_margin_loss_of_drawn_negatives_is_theirs_with_these_triplets(z: Tensor, pairs: PairBatch) -> None:
    kept: list[Triplets] = []

    def miner(distance: Tensor, tile: CollapsedTile, rows: Tensor) -> Triplets:
        kept.append(distance_weighted(distance, tile, rows, dimensions=6, seed=3, step=0))
        return kept[-1]

    out = margin_loss(z, pairs, miner)
    (found,) = kept
    theirs = losses.MarginLoss(margin=0.2, beta=1.2)
    expected = theirs(z, LABELS, (found.anchor, found.positive, found.negative))
    torch.testing.assert_close(out.loss, expected, atol=1e-5, rtol=1e-5, check_dtype=False)
