"""Metric-learning losses against their formulas in plain loops, over any objective, with and without candidates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import metric_reference as reference
import pair_reference
import pair_strategies as strategies
from metric_reference import Collapsed
from ssl_domains.errors import UsageError
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
from ssl_domains.miners import batch_all, batch_hard, semi_hard
from ssl_domains.pairs import Objective, PairBatch, Rows, parse, same

many = settings(max_examples=40, deadline=None)
sizes = st.sampled_from([1, 7, 2**19])
margins = st.sampled_from([0.0, 0.3, 1.0, 2.5])


@contextmanager
def in_pieces(size: int) -> Iterator[None]:
    """Strips and chunks of about ``size`` numbers."""
    limits = {
        "losses.parts.part_sums": "_STRIP",
        "losses.triplets.mined": "_COMPARED",
        "losses.triplets.every_triplet": "_CHUNK",
        "miners.nearest_negative": "_CHUNK",
    }
    with ExitStack() as stack:
        for module, name in limits.items():
            stack.enter_context(patch.object(sys.modules[f"ssl_domains.{module}"], name, size))
        yield


class Batch:
    """Any rows under any objective: embeddings, pairs, and the same pairs by brute force."""

    def __init__(self, data: st.DataObject, *, square: bool | None = None) -> None:
        columns = data.draw(strategies.columns())
        objective = data.draw(strategies.objectives())
        size = len(columns["x"])
        rows = data.draw(strategies.batch_rows(size))
        square = data.draw(st.booleans(), label="square") if square is None else square
        candidates = None if square else Rows.cat([rows, data.draw(strategies.stored_rows(size))])
        self.pairs = objective.bind(columns).pairs(rows, candidates)
        self.reference = Collapsed.of(pair_reference.states(objective, columns, rows, candidates))
        generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31), label="seed"))
        self.z = torch.randn(len(rows), 3, generator=generator, dtype=torch.float64)
        self.keys = None
        if candidates is not None:
            self.keys = torch.randn(len(candidates), 3, generator=generator, dtype=torch.float64)
            self.filled = candidates.sample >= 0
        self.size = data.draw(sizes, label="size of pieces")

    def agrees(
        self,
        loss: Callable[..., LossOutput],
        expected: Callable[..., Tensor],
        *learned: float,
        unit: bool = False,
    ) -> LossOutput:
        """Check value and gradients; ``loss(z, keys, *learned)`` and ``expected(z, keys or z, *learned)``."""
        results: list[list[Tensor]] = []
        out: LossOutput | None = None
        for ours in (True, False):
            leaves = [self.z.clone().requires_grad_()]
            leaves += [] if self.keys is None else [self.keys.clone().requires_grad_()]
            numbers = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in learned]
            inputs = [torch.nn.functional.normalize(x, dim=1) for x in leaves] if unit else leaves
            z, keys = inputs[0], inputs[1] if len(inputs) > 1 else None
            if ours:
                if keys is not None:
                    keys = torch.where(self.filled[:, None], keys, torch.nan)
                with in_pieces(self.size):
                    out = loss(z, keys, *numbers)
                value = out.loss
            else:
                value = expected(z, z if keys is None else keys, *numbers)
            found = torch.autograd.grad(value, [*leaves, *numbers], allow_unused=not ours)
            results.append([value.detach(), *(torch.zeros(()) if g is None else g for g in found)])
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other.expand_as(one), atol=1e-9, rtol=1e-8, check_dtype=False)
        assert out is not None
        return out


@many
@given(data=st.data(), margin=margins)
def test_pair_margin(data: st.DataObject, margin: float) -> None:
    batch = Batch(data)
    out = batch.agrees(
        lambda z, c: pair_margin(z, batch.pairs, margin=margin, candidates=c),
        lambda z, c: reference.pair_margin(z, c, batch.reference, margin),
    )
    assert int(out.counts["positive_pairs"]) == sum(map(sum, batch.reference.positive))
    assert int(out.counts["negative_pairs"]) == sum(map(sum, batch.reference.negative))


@many
@given(data=st.data(), margin=st.sampled_from([-1.0, 0.0, 0.5]))
def test_cosine_pair(data: st.DataObject, margin: float) -> None:
    batch = Batch(data)
    batch.agrees(
        lambda z, c: cosine_pair(z, batch.pairs, margin=margin, candidates=c),
        lambda z, c: reference.cosine_pair(z, c, batch.reference, margin),
    )


@many
@given(data=st.data(), l2=st.sampled_from([0.0, 0.1]))
def test_n_pair(data: st.DataObject, l2: float) -> None:
    batch = Batch(data)
    out = batch.agrees(
        lambda z, c: n_pair(z, batch.pairs, l2=l2, candidates=c),
        lambda z, c: reference.n_pair(z, c, batch.reference, l2),
    )
    rows = range(len(batch.z))
    assert int(out.counts["anchors_without_positive"]) == sum(not batch.reference.positives(i) for i in rows)
    assert int(out.counts["anchors_without_negative"]) == sum(not batch.reference.negatives(i) for i in rows)


@many
@given(data=st.data(), margin=margins)
def test_lifted_structure(data: st.DataObject, margin: float) -> None:
    batch = Batch(data, square=True)
    batch.agrees(
        lambda z, c: lifted_structure(z, batch.pairs, margin=margin),
        lambda z, c: reference.lifted_structure(z, batch.reference, margin),
    )


@many
@given(data=st.data(), scale=st.sampled_from([0.5, 10.0]), bias=st.sampled_from([-10.0, 0.0, 2.0]))
def test_pairwise_sigmoid(data: st.DataObject, scale: float, bias: float) -> None:
    batch = Batch(data)
    batch.agrees(
        lambda z, c, t, b: pairwise_sigmoid(z, batch.pairs, scale=t, bias=b, candidates=c),
        lambda z, c, t, b: reference.pairwise_sigmoid(z, c, batch.reference, t, b),
        scale, bias, unit=True,
    )  # fmt: skip


@many
@given(
    data=st.data(),
    margin=st.sampled_from([None, 0.0, 0.3, 1.0]),
    squared=st.booleans(),
    graded=st.booleans(),
    over=st.sampled_from(["active", "all"]),
)
def test_triplet_over_all_triplets(
    data: st.DataObject, margin: float | None, squared: bool, graded: bool, over: Any
) -> None:
    batch = Batch(data)
    triplets = list(batch.reference.triplets(graded))
    options = {"margin": margin, "squared": squared, "graded": graded, "over": over}
    out = batch.agrees(
        lambda z, c: triplet(z, batch.pairs, batch_all, candidates=c, **options),
        lambda z, c: reference.triplet(z, c, triplets, margin, squared, over),
    )
    assert int(out.counts["triplets"]) == len(triplets)


@many
@given(data=st.data(), margin=st.sampled_from([None, 0.3]), graded=st.booleans())
def test_triplet_with_batch_hard(data: st.DataObject, margin: float | None, graded: bool) -> None:
    batch = Batch(data)

    def expected(z: Tensor, c: Tensor) -> Tensor:
        chosen = reference.batch_hard(z.detach(), c.detach(), batch.reference, graded)
        return reference.triplet(z, c, chosen, margin, False, "active")

    batch.agrees(lambda z, c: triplet(z, batch.pairs, batch_hard, margin=margin, graded=graded, candidates=c), expected)


@many
@given(data=st.data(), margin=st.sampled_from([None, 0.3, 1.0]), graded=st.booleans())
def test_triplet_with_semi_hard(data: st.DataObject, margin: float | None, graded: bool) -> None:
    batch = Batch(data)

    def expected(z: Tensor, c: Tensor) -> Tensor:
        chosen = reference.semi_hard(z.detach(), c.detach(), batch.reference, graded, margin)
        return reference.triplet(z, c, chosen, margin, False, "all")

    miner = partial(semi_hard, margin=margin)
    batch.agrees(
        lambda z, c: triplet(z, batch.pairs, miner, margin=margin, graded=graded, over="all", candidates=c), expected
    )


@many
@given(data=st.data(), beta=st.sampled_from([0.6, 1.2]), miner=st.sampled_from([batch_all, batch_hard, semi_hard]))
def test_margin_loss(data: st.DataObject, beta: float, miner: Any) -> None:
    batch = Batch(data)

    def expected(z: Tensor, c: Tensor, b: Tensor) -> Tensor:
        one, other = z.detach(), c.detach()
        if miner is batch_all:
            chosen = list(batch.reference.triplets(graded=False))
        elif miner is batch_hard:
            chosen = reference.batch_hard(one, other, batch.reference, False)
        else:
            chosen = reference.semi_hard(one, other, batch.reference, False, 0.2)
        return reference.margin_loss(z, c, batch.reference, chosen, b, 0.2)

    batch.agrees(lambda z, c, b: margin_loss(z, batch.pairs, miner, beta=b, candidates=c), expected, beta, unit=True)


# gradcheck, edges ----------------------------------------------------------------------------------------------------

LOSSES: dict[str, Callable[[Tensor, PairBatch], LossOutput]] = {
    "pair_margin": pair_margin,
    "cosine_pair": cosine_pair,
    "n_pair": n_pair,
    "lifted_structure": lifted_structure,
    "pairwise_sigmoid": pairwise_sigmoid,
    "triplet": lambda z, pairs, **more: triplet(z, pairs, batch_all, **more),
    "soft triplet": lambda z, pairs, **more: triplet(z, pairs, batch_all, margin=None, **more),
    "hard triplet": lambda z, pairs, **more: triplet(z, pairs, batch_hard, **more),
    "margin": lambda z, pairs, **more: margin_loss(z, pairs, batch_all, **more),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
TABLE = {"a": [0, 0, 1, None, 1, 2], "b": [0, 1, 0, 1, 0, 1], "x": [0.0, 0.5, 9.0, None, 9.5, 30.0]}
GRADED = (0.7 * same("a") + 0.3 * parse("within('x', 2, decay='linear')")).ignore(same("b"))


@every_loss
def test_gradcheck(loss: Callable[..., LossOutput], unit: Any) -> None:
    pairs = GRADED.bind(TABLE).pairs(Rows.of(torch.arange(6), views=2))
    z = (1.3 * unit(12, 3)).requires_grad_()
    torch.autograd.gradcheck(lambda x: loss(x, pairs).loss, z)


@every_loss
@pytest.mark.parametrize("groups", [list(range(6)), [0] * 6], ids=["no positives", "one group"])
def test_an_exact_zero_where_nothing_counts(loss: Callable[..., LossOutput], groups: list[int], unit: Any) -> None:
    """One view each: all negatives without positives, or all positives without negatives."""
    pairs = same("g").bind({"g": groups}).pairs(Rows.of(torch.arange(6), views=1))
    z = unit(6, 3).requires_grad_()
    out = loss(z, pairs)
    out.loss.backward()
    assert bool(torch.isfinite(out.loss))
    assert z.grad is not None
    assert bool(torch.isfinite(z.grad).all())
    if loss in [LOSSES[name] for name in ("lifted_structure", "triplet", "soft triplet", "hard triplet", "margin")]:
        assert out.loss.item() == 0
        assert not z.grad.any()


@every_loss
def test_equal_rows_and_no_rows(loss: Callable[..., LossOutput]) -> None:
    bound = same("a").bind(TABLE)
    z = torch.ones(12, 3, dtype=torch.float64, requires_grad=True)
    out = loss(z, bound.pairs(Rows.of(torch.arange(6), views=2)))
    out.loss.backward()
    assert z.grad is not None
    assert bool(torch.isfinite(z.grad).all())
    nothing = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    out = loss(nothing, bound.pairs(Rows.of([], views=2)))
    out.loss.backward()
    assert out.loss.item() == 0


@every_loss
def test_half_precision_and_autocast_compute_in_float32(loss: Callable[..., LossOutput], unit: Any) -> None:
    pairs = GRADED.bind(TABLE).pairs(Rows.of(torch.arange(6), views=2))
    z = unit(12, 3, dtype=torch.bfloat16).requires_grad_()
    expected = loss(z.detach().float(), pairs).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(z, pairs).loss
    found.backward()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.detach(), expected, atol=0, rtol=0)
    assert z.grad is not None
    assert z.grad.dtype == torch.bfloat16


PARTS = {name: loss for name, loss in LOSSES.items() if name != "lifted_structure"}


@pytest.mark.parametrize("loss", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("cut", [0, 2, 6, 12])
def test_parts_add_up_to_the_whole(loss: Callable[..., LossOutput], cut: int, unit: Any) -> None:
    bound, rows = GRADED.bind(TABLE), Rows.of(torch.arange(6), views=2)
    z = (1.3 * unit(12, 3)).requires_grad_()
    whole = loss(z, bound.pairs(rows))
    (expected,) = torch.autograd.grad(whole.loss, z)
    parts = [slice(0, cut), slice(cut, 12)]

    def local(part: slice, total: Any) -> LossOutput:
        return loss(z[part], bound.pairs(rows.take(part), rows), candidates=z, total=total)

    seen: list[list[Tensor]] = [[], []]
    for place, part in enumerate(parts):
        local(part, lambda values, place=place: seen[place].append(values) or values)
    sums = [one + other for one, other in zip(*seen, strict=True)]
    outs = []
    for part in parts:
        known = iter(sums)
        outs.append(local(part, lambda values, known=known: next(known)))
    both = outs[0].loss + outs[1].loss
    torch.testing.assert_close(both, whole.loss)
    torch.testing.assert_close(torch.autograd.grad(both, z)[0], expected)
    for name, value in whole.counts.items():
        assert int(outs[0].counts[name] + outs[1].counts[name]) == int(value), name


@every_loss
def test_shapes_that_do_not_fit_are_refused(loss: Callable[..., LossOutput]) -> None:
    pairs = same("a").bind(TABLE).pairs(Rows.of(torch.arange(6), views=2))
    with pytest.raises(UsageError, match="12 rows"):
        loss(torch.zeros(5, 3), pairs)


def test_lifted_structure_needs_the_whole_batch() -> None:
    rows = Rows.of(torch.arange(6), views=2)
    pairs = Objective().bind(TABLE).pairs(rows.take(slice(0, 4)), rows)
    with pytest.raises(UsageError, match="both rows of a pair"):
        lifted_structure(torch.zeros(4, 3), pairs)


def test_the_log_gets_the_share_of_anchors_without_a_cross_sample_positive(unit: Any) -> None:
    pairs = GRADED.bind(TABLE).pairs(Rows.of(torch.arange(6), views=2))
    out = pair_margin(unit(12, 3), pairs)
    torch.testing.assert_close(out.no_cross_positive, 1 - pairs.cross_sample().double().mean(0))
    assert out.per_relation.shape == (0,)
