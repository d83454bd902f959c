"""Unfilled slots of a queue may hold NaN: they touch neither the loss nor a gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Rows, parse
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.samples import SampleTable

RULES = {
    "codes": "same('patient')",
    "predicate": "within('slice', 1)",
    "grades": "within('slice', 2, decay='linear')",
    "two relations": "0.7*same('patient') + 0.3*within('slice', 1)",
    "ignore": "(same('patient') & same('side')).ignore(same('patient'))",
    "none": "none",
}
TABLE = SampleTable.of(
    {
        "patient": [0, 0, 1, 1, 2, 2, 3, 3, None, 4],
        "slice": [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        "side": [0, 1, 0, 0, 1, 1, 0, 1, 0, 0],
    }
)
FILLED = torch.tensor([4, 0, 9, 1, 7, 3])
ANCHORS = torch.tensor([0, 1, 2, 3, 5, 8])


def unit(rows: int, seed: int) -> Tensor:
    z = torch.randn(rows, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(z, dim=1)


def bound(rule: str) -> Any:
    objective = parse(rule)
    objective = objective if isinstance(objective, Objective) else 1 * objective
    return objective.bind(TABLE)


def queue(samples: Tensor, first_row: int) -> Rows:
    rows = torch.arange(first_row, first_row + len(samples))
    return Rows(samples, torch.full_like(samples, -1), torch.zeros_like(samples), rows)


def loss_and_gradients(rule: str, samples: Tensor, keys: Tensor, tile: int | None) -> list[Tensor]:
    anchors = Rows.of(ANCHORS, views=1)
    pairs = bound(rule).pairs(anchors, queue(samples, 100))
    z, keys = unit(len(ANCHORS), 0).requires_grad_(), keys.clone().requires_grad_()
    tau = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    loss = contrastive_loss(z, pairs, tau, candidates=keys, tile=tile).loss
    loss.backward()
    assert z.grad is not None
    assert keys.grad is not None
    assert tau.grad is not None
    return [loss.detach(), z.grad, tau.grad, keys.grad]


@pytest.mark.parametrize("garbage", [torch.nan, torch.inf, -1e300])
@pytest.mark.parametrize("tile", [None, 2])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_queue_with_unfilled_slots_equals_the_queue_without_them(rule: str, tile: int | None, garbage: float) -> None:
    places = torch.tensor([0, 2, 3, 6, 7, 9])  # of the filled slots among ten
    samples = torch.full((10,), -1).scatter(0, places, FILLED)
    keys = torch.full((10, 5), garbage, dtype=torch.float64)
    keys[places] = unit(6, 1)
    with_them = loss_and_gradients(rule, samples, keys, tile)
    without = loss_and_gradients(rule, FILLED, unit(6, 1), tile)
    for one, other in zip(with_them[:3], without[:3], strict=True):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-14)
    assert torch.allclose(with_them[3][places], without[3], rtol=1e-12, atol=1e-14)
    unfilled = samples < 0
    assert (with_them[3][unfilled] == 0).all()


@pytest.mark.parametrize("rule", ["same('patient')", "within('slice', 1)"])
def test_the_loss_is_that_of_a_dense_reference(rule: str) -> None:
    """Over filled slots only, one anchor after the other; a stored row of the anchor's own sample is ignored."""
    keys = torch.cat([unit(6, 1), torch.full((2, 5), torch.nan, dtype=torch.float64)])
    loss = loss_and_gradients(rule, torch.cat([FILLED, torch.tensor([-1, -1])]), keys, 4)[0]
    patient, place = TABLE.codes("patient"), TABLE.numbers("slice")

    def matches(i: int, j: int) -> bool:
        return bool(patient[i] == patient[j] >= 0 if "patient" in rule else abs(place[i] - place[j]) <= 1)

    s = unit(6, 0) @ unit(6, 1).T / 0.2
    terms = []
    for i, anchor in enumerate(ANCHORS.tolist()):
        seen = [j for j, other in enumerate(FILLED.tolist()) if other != anchor]
        matched = [j for j in seen if matches(anchor, int(FILLED[j]))]
        if matched:
            terms.append(torch.logsumexp(s[i, seen], 0) - s[i, matched].mean())
    assert torch.allclose(loss, torch.stack(terms).mean(), rtol=1e-12)
