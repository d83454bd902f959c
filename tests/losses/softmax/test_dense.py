"""The dense form of small batches gives what the tiles and the float64 reference give, whatever the rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.errors import UsageError
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.losses import contrastive as contrastive_module
from ssl_domains.losses.softmax import dense
from ssl_domains.pairs import Objective, PairBatch, Rows, linked, same, within

many = settings(max_examples=25, deadline=None)

forms = pytest.mark.parametrize("safe_exponent", [dense._SAFE_EXPONENT, -1.0], ids=["any logits", "large logits"])
"""Logits from which the maximum of each anchor is taken off before the exponentials; −1 for all logits."""

Found = tuple[LossOutput, list[Tensor]]


def both_ways(pairs: PairBatch, z: Tensor, keys: Tensor | None, tau: float, weight: float = 1.0) -> list[Found]:
    """Outputs and gradients of the dense form and of tiles of three rows."""
    found = []
    for tile in (None, 3):
        leaves = [x.clone().requires_grad_() for x in ([z] if keys is None else [z, keys])]
        leaves.append(torch.tensor(tau, dtype=z.dtype, requires_grad=True))
        out = contrastive_loss(leaves[0], pairs, leaves[-1], None if keys is None else leaves[1], tile=tile)
        found.append((out, list(torch.autograd.grad(weight * out.loss, leaves))))
    return found


def assert_same(one: Found, other: Found, terms: float, tolerance: float = 1e-12) -> None:
    """All numbers of two outputs and their gradients, relative to the size of the terms that are added up.

    Args:
        one: The first.
        other: The second.
        terms: Size of the terms in the gradient by the temperature, Σ α/τ²; those of the others are smaller.
        tolerance: Largest difference by that size.
    """
    for a, b in zip(one[1], other[1], strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance * terms)
    for name in ("loss", "per_relation"):
        torch.testing.assert_close(getattr(one[0], name), getattr(other[0], name), rtol=0, atol=tolerance * terms)
    torch.testing.assert_close(one[0].no_cross_positive, other[0].no_cross_positive)
    assert torch.equal(one[0].anchors, other[0].anchors)


def vectors(data: st.DataObject, n: int) -> Tensor:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31), label="seed"))
    z = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    if n > 1 and data.draw(st.booleans(), label="duplicate"):
        z[-1] = z[0]
    return torch.nn.functional.normalize(z, dim=1)


temperatures = st.sampled_from([0.01, 0.05, 0.1, 0.5, 1.0])


@forms
@many
@given(data=st.data(), tau=temperatures)
def test_a_batch_against_itself(safe_exponent: float, data: st.DataObject, tau: float) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(len(columns["x"])))
    pairs, z = objective.bind(columns, edges=links).pairs(rows), vectors(data, len(rows))
    weight = data.draw(st.sampled_from([1.0, -2.5]), label="weight of the loss")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "_SAFE_EXPONENT", safe_exponent)
        by_dense, by_tiles = both_ways(pairs, z, None, tau, weight)
    assert_same(by_dense, by_tiles, 2.5 * sum(pairs.weights) / tau**2)
    state = reference.states(objective, columns, rows, links=links)
    leaves = [z.clone().requires_grad_(), torch.tensor(tau, dtype=z.dtype, requires_grad=True)]
    expected = reference.loss(leaves[0], state, leaves[1])
    torch.testing.assert_close(by_dense[0].loss, expected, rtol=1e-10, atol=1e-10)
    gradients = torch.autograd.grad(weight * expected, leaves)
    for a, b in zip(by_dense[1], gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11 * sum(pairs.weights) / tau**2)
    torch.testing.assert_close(by_dense[0].no_cross_positive, 1 - state.cross.double().mean(0))


@many
@given(data=st.data(), tau=temperatures)
def test_anchors_against_a_queue_and_rows_of_the_batch(data: st.DataObject, tau: float) -> None:
    """Emitted keys, parts, unfilled slots whose embeddings are NaN, anchors that are a part of the batch."""
    columns = data.draw(strategies.columns())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(emitted=True))
    rows = data.draw(strategies.batch_rows(size, emitted=True))
    places = st.lists(st.integers(0, len(rows) - 1), unique=True)
    queue = data.draw(strategies.stored_rows(size, emitted=True))
    candidates = Rows.cat([queue, rows.take(torch.tensor(data.draw(places), dtype=torch.int64))])
    anchors = rows.take(torch.tensor(data.draw(places), dtype=torch.int64))
    pairs = objective.bind(columns, emitted=("angle",)).pairs(anchors, candidates)
    z, keys = vectors(data, len(anchors)), vectors(data, len(candidates))
    filled = candidates.sample >= 0
    given_keys = torch.where(filled[:, None], keys, torch.nan)
    by_dense, by_tiles = both_ways(pairs, z, given_keys, tau)
    assert_same(by_dense, by_tiles, 2.5 * sum(pairs.weights) / tau**2)
    assert (by_dense[1][1][~filled] == 0).all()
    state = reference.states(objective, columns, anchors, candidates)
    expected = reference.loss(z, state, tau, torch.where(filled[:, None], keys, 0))
    torch.testing.assert_close(by_dense[0].loss.detach(), expected, rtol=1e-10, atol=1e-10)


RULES = {
    "none": Objective(),
    "one": same("a"),
    "two": 0.7 * same("a") + 0.3 * same("b"),
    "missing keys": same("c") + same("a"),
    "predicate": same("a") & within("x", 3),
    "grades": 0.5 * within("x", 4, decay="linear") + 0.5 * same("b"),
    "links": linked("edges"),
    "ignore": (same("a") & same("b")).ignore(same("a")),
}
N = 240
COLUMNS = {
    "a": [k // 4 for k in range(N)],
    "b": [k % 3 for k in range(N)],
    "c": [None if k % 5 == 0 else k // 8 for k in range(N)],
    "x": [float(k % 60) for k in range(N)],
    "sample": [f"s{k}" for k in range(N)],
}
EDGES = {"edges": {"a": [f"s{k}" for k in range(N - 3)], "b": [f"s{k + 3}" for k in range(N - 3)]}}


def batch(rule: Any, samples: int) -> PairBatch:
    order = torch.randperm(N, generator=torch.Generator().manual_seed(samples))
    return rule.bind(COLUMNS, edges=EDGES).pairs(Rows.of(order[:samples]))


@pytest.mark.parametrize("tau", [0.1, 0.005], ids=["small logits", "large logits"])
@pytest.mark.parametrize("samples", [20, 120])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_batches_of_a_usual_size(rule: Any, samples: int, tau: float, unit: Any) -> None:
    by_dense, by_tiles = both_ways(batch(rule, samples), unit(2 * samples, 16), None, tau)
    assert_same(by_dense, by_tiles, 2 / tau**2)
    for a, b in zip(by_dense[1], by_tiles[1], strict=True):
        assert (a - b).norm() <= 1e-12 * b.norm()


@pytest.mark.parametrize("samples", [20, 120])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_float32_is_near_float64(rule: Any, samples: int, unit: Any) -> None:
    pairs, z = batch(rule, samples), unit(2 * samples, 16)
    narrow, wide = (both_ways(pairs, z.to(dtype), None, 0.1)[0] for dtype in (torch.float32, torch.float64))
    for a, b in zip(narrow[1], wide[1], strict=True):
        assert (a.double() - b).norm() <= 2e-6 * b.norm()
    torch.testing.assert_close(narrow[0].loss.double(), wide[0].loss, rtol=1e-6, atol=0)


def test_the_form_is_chosen_by_the_number_of_pairs(unit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Tiled(contrastive_module.TiledLoss):  # type: ignore[misc]
        @classmethod
        def apply(cls, *values: Any) -> Any:
            made.append("tiled")
            return super().apply(*values)

    def noted(*values: Any) -> LossOutput:
        made.append("dense")
        return dense.dense_loss(*values)

    monkeypatch.setattr(contrastive_module, "TiledLoss", Tiled)
    monkeypatch.setattr(contrastive_module, "dense_loss", noted)
    bound = same("a").bind({"a": [0] * 513})
    for rows in (512, 513):
        contrastive_loss(unit(rows, 4), bound.pairs(Rows.of(torch.arange(rows), views=1)), 0.1)
    contrastive_loss(unit(4, 4), bound.pairs(Rows.of(torch.arange(4), views=1)), 0.1, tile=2)
    none = Rows.of(torch.arange(0), views=1)
    contrastive_loss(unit(0, 4), bound.pairs(none), 0.1)
    assert made == ["dense", "tiled", "tiled", "tiled"]

    made.clear()  # other candidates than the anchors
    anchors = Rows.of(torch.arange(256), views=1)
    for stored in (4096, 4097):
        queue = Rows.stored(torch.arange(stored) % 513)
        contrastive_loss(unit(256, 4), bound.pairs(anchors, queue), 0.1, unit(stored, 4))
    assert made == ["dense", "tiled"]


def test_the_same_bits_every_time(unit: Any) -> None:
    pairs, z = batch(RULES["ignore"], 120), unit(240, 16, dtype=torch.float32)
    first, second = (both_ways(pairs, z, None, 0.1)[0] for _ in range(2))
    assert torch.equal(first[0].loss, second[0].loss)
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1], strict=True))


def test_only_the_gradients_that_are_needed(unit: Any) -> None:
    pairs = same("a").bind(COLUMNS).pairs(Rows.of([0, 1, 4]), Rows.of([0, 1, 2, 5], first_row=6))
    z, keys = unit(6, 4), unit(8, 4, seed=1).requires_grad_()
    contrastive_loss(z, pairs, 0.1, keys).loss.backward()
    assert keys.grad is not None
    assert keys.grad.abs().sum() > 0
    assert not contrastive_loss(z, pairs, 0.1, keys.detach()).loss.requires_grad


@pytest.mark.parametrize("tile", [None, 2])
def test_backward_twice_doubles_and_differentiating_twice_is_refused(tile: int | None, unit: Any) -> None:
    pairs, z = same("a").bind(COLUMNS).pairs(Rows.of([0, 1, 4])), unit(6, 4).requires_grad_()
    loss = contrastive_loss(z, pairs, 0.1, tile=tile).loss
    loss.backward(retain_graph=True)
    once = z.grad.clone()
    loss.backward()
    assert torch.equal(z.grad, 2 * once)
    scale = torch.tensor(2.0, dtype=z.dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(scale * contrastive_loss(z, pairs, 0.1, tile=tile).loss, z, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_embeddings_changed_after_the_loss_do_not_change_its_gradient(unit: Any) -> None:
    pairs, raw = same("a").bind(COLUMNS).pairs(Rows.of([0, 1, 4])), unit(6, 4)
    (expected,) = torch.autograd.grad(contrastive_loss(z := raw.clone().requires_grad_(), pairs, 0.1).loss, z)
    loss = contrastive_loss(z := raw.clone().requires_grad_(), pairs, 0.1).loss
    with torch.no_grad():
        z.mul_(2)
    assert torch.equal(torch.autograd.grad(loss, z)[0], expected)


def test_a_tiny_weight_that_is_an_anchors_only_one_counts(unit: Any) -> None:
    rule = within("x", 1, decay="linear")
    pairs = rule.bind({"x": [0.0, 1 - 1e-15, 50.0]}).pairs(Rows.of([0, 1, 2], views=1))
    for dtype in (torch.float32, torch.float64):
        by_dense, by_tiles = both_ways(pairs, unit(3, 4, dtype=dtype), None, 0.2)
        assert by_dense[0].anchors.tolist() == [2]
        assert_same(by_dense, by_tiles, 25, 1e-12 if dtype == torch.float64 else 1e-6)


def test_wrong_shapes_are_refused_before_anything_is_computed(unit: Any) -> None:
    pairs = same("a").bind(COLUMNS).pairs(Rows.of([0, 1]), Rows.of([2]))
    with pytest.raises(UsageError, match="candidates is"):
        contrastive_loss(unit(4, 3), pairs, 0.1, unit(3, 3))
