"""From a rule and a table to the loss and its gradients, against the brute-force meaning of the rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Rows, pairs_from_labels, same, within

many = settings(max_examples=60, deadline=None)


def vectors(data: st.DataObject, n: int) -> Tensor:
    """Unit vectors in four dimensions, duplicates among them."""
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31), label="seed"))
    z = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    if n > 1 and data.draw(st.booleans(), label="duplicate"):
        z[-1] = z[0]
    return torch.nn.functional.normalize(z, dim=1)


def agrees(state: Any, pairs: Any, tau: float, z: Tensor, keys: Tensor | None, tile: int | None) -> None:
    results = []
    for ours in (True, False):
        leaves = [x.clone().requires_grad_() for x in ([z] if keys is None else [z, keys])]
        leaves.append(torch.tensor(tau, dtype=torch.float64, requires_grad=True))
        others = None if keys is None else leaves[1]
        if ours:
            out = contrastive_loss(leaves[0], pairs, leaves[-1], others, tile=tile)
            torch.testing.assert_close(out.no_cross_positive, 1 - state.cross.double().mean(0))
            loss = out.loss
        else:
            loss = reference.loss(leaves[0], state, leaves[-1], others)
        results.append([loss.detach(), *torch.autograd.grad(loss, leaves)])
    for mine, its in zip(*results, strict=True):
        torch.testing.assert_close(mine, its, atol=1e-10, rtol=1e-10)  # relative, for weights up to 1,000


temperatures = st.sampled_from([0.05, 0.1, 0.5, 1.0])
tiles = st.sampled_from([None, 1, 2, 3, 1024])


@many
@given(data=st.data(), tau=temperatures, tile=tiles)
def test_any_objective_over_a_batch(data: st.DataObject, tau: float, tile: int | None) -> None:
    columns = data.draw(strategies.columns())
    objective = data.draw(strategies.objectives(emitted=True))
    rows = data.draw(strategies.batch_rows(len(columns["x"]), emitted=True))
    pairs = objective.bind(columns, emitted=("angle",)).pairs(rows)
    state = reference.states(objective, columns, rows)
    agrees(state, pairs, tau, vectors(data, len(rows)), None, tile)


@many
@given(data=st.data(), tau=temperatures, tile=tiles)
def test_any_objective_over_a_batch_and_a_queue(data: st.DataObject, tau: float, tile: int | None) -> None:
    columns = data.draw(strategies.columns())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives())
    rows = data.draw(strategies.batch_rows(size))
    queue = data.draw(strategies.stored_rows(size))
    kept = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
    candidates = Rows.cat([queue, rows.take(torch.tensor(kept, dtype=torch.int64))])
    pairs = objective.bind(columns).pairs(rows, candidates)
    state = reference.states(objective, columns, rows, candidates)
    agrees(state, pairs, tau, vectors(data, len(rows)), vectors(data, len(candidates)), tile)


@pytest.mark.parametrize(
    "objective",
    [
        0.7 * same("class") + 0.3 * same("region"),
        1 * (same("patient") & within("mm", 2)),
        (same("patient") & same("class")).ignore(same("patient")),
        0.5 * same("patient") + 0.5 * within("mm", 1),
    ],
    ids=str,
)
def test_more_rows_than_a_tile(objective: Any, unit: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    n = 36

    def column(values: int) -> list[int]:
        return torch.randint(0, values, (n,), generator=generator).tolist()

    columns = {"class": column(4), "region": column(3), "patient": column(20), "mm": column(8)}
    rows = Rows.of(list(range(n)))
    pairs, state = objective.bind(columns).pairs(rows), reference.states(objective, columns, rows)
    agrees(state, pairs, 0.1, unit(2 * n, 16), None, tile=25)


def test_labels_alone_are_supcon(unit: Any) -> None:
    y = torch.tensor([0, 1, 0, 2, 1, 0, 1, 0, 2, 1])
    z = unit(10, 6)
    own = torch.eye(10, dtype=torch.bool)
    log_p = (z @ z.T / 0.1).masked_fill(own, -torch.inf).log_softmax(1)
    alike = (y[:, None] == y[None, :]) & ~own
    expected = -(log_p.masked_fill(~alike, 0).sum(1) / alike.sum(1)).mean()
    torch.testing.assert_close(contrastive_loss(z, pairs_from_labels(y), 0.1).loss, expected, atol=1e-10, rtol=0)


def test_ranks_that_hold_a_slice_of_the_anchors_sum_to_the_whole(unit: Any) -> None:
    """Anchors of one process against the rows of all: identity is by row id, not by place."""
    bound = (0.7 * same("class") + 0.3 * within("mm", 1)).bind({"class": [0, 0, 1, 1, 2], "mm": [0, 1, 2, 9, 9]})
    rows, z = Rows.of([0, 1, 2, 3, 4]), unit(10, 5)
    whole = contrastive_loss(z, bound.pairs(rows), 0.1)
    mine = torch.tensor([0, 3, 5, 8]), torch.tensor([1, 2, 4, 6, 7, 9])
    parts = [contrastive_loss(z[idx], bound.pairs(rows.take(idx), rows), 0.1, z) for idx in mine]
    together = sum(part.per_relation * part.anchors for part in parts) / sum(part.anchors for part in parts)
    torch.testing.assert_close(together, whole.per_relation, atol=1e-12, rtol=0)
    assert torch.equal(parts[0].anchors + parts[1].anchors, whole.anchors)
