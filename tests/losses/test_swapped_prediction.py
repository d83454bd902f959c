"""The cross-entropies of SwAV and DINO equal their formulas written as loops, and lightly's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.dino import dino_loss, dino_targets
from ssl_domains.losses.sinkhorn import sinkhorn
from ssl_domains.losses.swapped_prediction import swapped_prediction


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def log_softmax(values: list[float]) -> list[float]:
    top = max(values)
    total = top + math.log(sum(math.exp(value - top) for value in values))
    return [value - total for value in values]


def reference(scores: Tensor, targets: Tensor, tau: float) -> float:
    views, n, _ = scores.shape
    loss = 0.0
    for g in range(len(targets)):
        for v in range(views):
            if v == g:
                continue
            for i in range(n):
                log_p = log_softmax([value / tau for value in scores[v, i].tolist()])
                loss -= sum(q * p for q, p in zip(targets[g, i].tolist(), log_p, strict=True))
    return loss / (n * len(targets) * (views - 1))


@pytest.mark.parametrize(("views", "targets"), [(2, 1), (2, 2), (5, 2)])
def test_it_is_the_formula(views: int, targets: int) -> None:
    scores, q = draw(views, 4, 3), draw(targets, 4, 3, seed=1).softmax(-1)
    assert float(swapped_prediction(scores, q, 0.2)) == pytest.approx(reference(scores, q, 0.2), rel=1e-10)


def test_with_sinkhorn_it_is_lightlys_swav_loss() -> None:
    peer = pytest.importorskip("lightly.loss").SwaVLoss()
    scores = draw(5, 16, 6).float().clamp(-1, 1)
    q = torch.stack([sinkhorn(scores[0]), sinkhorn(scores[1])])
    theirs = peer(list(scores[:2]), list(scores[2:])).reshape(())
    torch.testing.assert_close(swapped_prediction(scores, q), theirs, rtol=1e-5, atol=1e-5)


def test_dino_is_the_formula_and_lightlys() -> None:
    student, teacher, centre = draw(5, 6, 4), draw(2, 6, 4, seed=1), draw(4, seed=2)
    targets = torch.tensor(
        [[[math.exp(x) for x in log_softmax(((t - centre) / 0.05).tolist())] for t in view] for view in teacher],
        dtype=torch.float64,
    )
    torch.testing.assert_close(dino_targets(teacher, centre, 0.05), targets)
    ours = dino_loss(student, teacher, centre, temperature=0.1, teacher_temperature=0.05)
    assert float(ours) == pytest.approx(reference(student, targets, 0.1), rel=1e-10)
    peer = pytest.importorskip("lightly.loss").DINOLoss(output_dim=4, teacher_temp=0.05, student_temp=0.1)
    peer.center = centre.float()[None, None]
    theirs = peer(list(teacher.float()), list(student.float()))
    torch.testing.assert_close(ours.float(), theirs, rtol=1e-5, atol=1e-5)


def test_gradient() -> None:
    scores, q = draw(3, 4, 3).requires_grad_(), draw(2, 4, 3, seed=1).softmax(-1)
    assert torch.autograd.gradcheck(lambda x: swapped_prediction(x, q, 0.3), (scores,))
    teacher, centre = draw(2, 4, 3, seed=1), draw(3, seed=2)
    assert torch.autograd.gradcheck(lambda x: dino_loss(x, teacher, centre, temperature=0.3), (scores,))


def test_parts_add_up_to_the_whole() -> None:
    scores, q = draw(3, 7, 3), draw(2, 7, 3, seed=1).softmax(-1)
    parts = [
        swapped_prediction(scores[:, i], q[:, i], 0.1, lambda count: count * 0 + 7)
        for i in (slice(0, 2), slice(2, 7), slice(7, 7))
    ]
    torch.testing.assert_close(parts[0] + parts[1] + parts[2], swapped_prediction(scores, q))
    assert float(parts[2]) == 0


def test_what_cannot_be_is_refused() -> None:
    scores, q = draw(2, 4, 3), draw(2, 4, 3).softmax(-1)
    for bad in ((scores[:1], q[:1]), (scores, q[:, :2]), (scores[:, 0], q)):
        with pytest.raises(UsageError, match="scores"):
            swapped_prediction(*bad)
    with pytest.raises(UsageError, match="temperature"):
        swapped_prediction(scores, q, 0.0)
    with pytest.raises(UsageError, match="teacher's temperature"):
        dino_loss(scores, scores, torch.zeros(3), teacher_temperature=0.0)
