"""BYOL's loss over any objective equals its formula, written as loops over the states of the float64 reference."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.errors import UsageError
from ssl_domains.losses import LossOutput
from ssl_domains.losses import byol as module
from ssl_domains.losses.byol import byol_loss
from ssl_domains.losses.negative_cosine import negative_cosine
from ssl_domains.pairs import Objective, Rows, same


def vectors(n: int, seed: int) -> Tensor:
    return torch.randn(n, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def expected(z: Tensor, targets: Tensor, state: reference.States) -> tuple[float, list[float]]:
    q, t = F.normalize(z, dim=1).tolist(), F.normalize(targets, dim=1).tolist()
    each = []
    for w in state.weights.tolist():
        terms = []
        for i, row in enumerate(w):
            if sum(row) > 0:
                distances = [2 - 2 * sum(a * b for a, b in zip(q[i], t[j], strict=True)) for j in range(len(t))]
                terms.append(sum(a * b for a, b in zip(row, distances, strict=True)) / sum(row))
        each.append(sum(terms) / len(terms) if terms else 0.0)
    return sum(alpha * loss for alpha, loss in zip(state.alphas, each, strict=True)), each


@settings(max_examples=40, deadline=None)
@given(data=st.data(), strip=st.sampled_from([1, 3, 1024]))
def test_any_objective(data: st.DataObject, strip: int) -> None:
    columns = data.draw(strategies.columns())
    objective = data.draw(strategies.objectives(emitted=True))
    rows = data.draw(strategies.batch_rows(len(columns["x"]), emitted=True))
    pairs = objective.bind(columns, emitted=("angle",)).pairs(rows)
    state = reference.states(objective, columns, rows)
    z, targets = vectors(len(rows), 0), vectors(len(rows), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_STRIP", strip)
        out = byol_loss(z, pairs, candidates=targets)
    loss, each = expected(z, targets, state)
    assert float(out.loss) == pytest.approx(loss, rel=1e-9, abs=1e-12)
    torch.testing.assert_close(out.per_relation, torch.tensor(each, dtype=torch.float64))
    torch.testing.assert_close(out.no_cross_positive, 1 - state.cross.double().mean(0))
    assert out.anchors.tolist() == [int((w.sum(1) > 0).sum()) for w in state.weights]


def two_views(objective: Objective, labels: list[int]) -> tuple[Rows, object]:
    rows = Rows.of(torch.arange(len(labels)), views=2)
    return rows, objective.bind({"g": labels}).pairs(rows)


def test_without_a_relation_it_is_the_loss_of_the_paper() -> None:
    _, pairs = two_views(Objective(), [0, 0, 1, 2])
    z, targets = vectors(8, 0), vectors(8, 1)
    plain = 2 + 2 * negative_cosine(z, targets.roll(4, 0))
    torch.testing.assert_close(byol_loss(z, pairs, candidates=targets).loss, plain)


def test_gradient_and_one_group() -> None:
    _, pairs = two_views(1 * same("g"), [3, 3, 3])
    z, targets = vectors(6, 0).requires_grad_(), vectors(6, 1)
    assert torch.autograd.gradcheck(lambda x: byol_loss(x, pairs, candidates=targets).loss, (z,))


def test_no_positive_gives_a_zero_with_a_gradient() -> None:
    rows = Rows.of(torch.arange(3), views=1)
    pairs = (1 * same("g")).bind({"g": [0, 1, 2]}).pairs(rows)
    z = vectors(3, 0).requires_grad_()
    out = byol_loss(z, pairs, candidates=vectors(3, 1))
    out.loss.backward()
    assert float(out.loss.detach()) == 0
    assert z.grad is not None
    assert not z.grad.any()
    none = byol_loss(z[:0], pairs=(1 * same("g")).bind({"g": [0]}).pairs(rows.take(slice(0, 0))), candidates=z[:0])
    assert float(none.loss.detach()) == 0


def test_unfilled_candidates_may_hold_nan() -> None:
    bound = (1 * same("g")).bind({"g": [0, 0, 1]})
    anchors = Rows.of(torch.arange(3), views=1)
    pairs = bound.pairs(anchors, Rows.stored([1, -1, 0]))
    targets = vectors(3, 1)
    targets[1] = torch.nan
    z = vectors(3, 0)
    cosine = F.cosine_similarity(z[:2], targets[[0, 2]])
    torch.testing.assert_close(byol_loss(z, pairs, candidates=targets).loss, (2 - 2 * cosine).mean())


def test_parts_add_up_to_the_whole() -> None:
    rows, pairs = two_views(0.7 * same("g") + 0.3 * same("sample"), [0, 0, 1, 2])
    bound = (0.7 * same("g") + 0.3 * same("sample")).bind({"g": [0, 0, 1, 2]})
    z, targets = vectors(8, 0), vectors(8, 1)
    whole = byol_loss(z, pairs, candidates=targets)
    parts: list[LossOutput] = []
    for i in (slice(0, 3), slice(3, 8)):
        some = bound.pairs(rows.take(i), rows)
        parts.append(byol_loss(z[i], some, candidates=targets, total=lambda count: whole.anchors))
    torch.testing.assert_close(parts[0].loss + parts[1].loss, whole.loss)


def test_wrong_shapes_are_refused() -> None:
    _, pairs = two_views(Objective(), [0, 1])
    with pytest.raises(UsageError, match="candidates is"):
        byol_loss(vectors(4, 0), pairs, candidates=vectors(3, 0))
