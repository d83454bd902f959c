"""SimSiam, Barlow Twins, VICReg, SwAV and DINO pair the views as their papers do, and keep their state."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.inputs import Input, View, Views
from ssl_domains.losses.barlow_twins import barlow_twins_loss
from ssl_domains.losses.dino import dino_loss
from ssl_domains.losses.sinkhorn import sinkhorn
from ssl_domains.losses.vicreg import vicreg_loss
from ssl_domains.methods import Embeddings, RowPairs, TrainingSet
from ssl_domains.methods.barlow_twins import BarlowTwins
from ssl_domains.methods.dino import DINO
from ssl_domains.methods.memory.key_queue import KeyQueue
from ssl_domains.methods.simsiam import SimSiam
from ssl_domains.methods.swav import SwAV
from ssl_domains.methods.vicreg import VICReg
from ssl_domains.pairs import Objective, Rows
from ssl_domains.testing.method_case import CaseEncoder

B = 5
HEAD = {"hidden": 5, "out": 4, "layers": 2}


def made(method: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    model = method.build(CaseEncoder(), {**method.options().model_dump(), **HEAD, **options})
    model.prepare(TrainingSet(samples=40, batch_size=B))
    return model.double()


def views(*sides: int) -> Views:
    draws = torch.Generator().manual_seed(1)
    return Views(tuple(View(Input(torch.rand(B, 3, side, side, generator=draws))) for side in sides))


def pairs(count: int) -> RowPairs:
    rows = Rows.of(torch.arange(B), views=count)
    return RowPairs(Objective().bind({"g": list(range(B))}), rows, rows, torch.device("cpu"))


def loss_of(model: Any, out: Embeddings, count: int) -> Tensor:
    loss: Tensor = model.loss(out, pairs(count)).loss
    return loss


def test_simsiam_predicts_the_other_view_which_gets_no_gradient() -> None:
    model, shown = made(SimSiam, norm="layer"), views(4, 4)
    loss = loss_of(model, model.embed(shown), 2)
    z1, z2 = (model.head(model.encoder(shown[v].values).pooled) for v in (0, 1))
    p1, p2 = model.predictor(z1), model.predictor(z2)
    expected = -(F.cosine_similarity(p1, z2.detach()) + F.cosine_similarity(p2, z1.detach())).mean() / 2
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    for ours, theirs in zip(
        torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("method", "function", "options"),
    [
        (BarlowTwins, lambda a, b: barlow_twins_loss(a, b, 0.1), {"redundancy": 0.1}),
        (
            VICReg,
            lambda a, b: vicreg_loss(a, b, 1.0, 2.0, 3.0),
            {"invariance": 1.0, "variance": 2.0, "covariance": 3.0},
        ),
    ],
    ids=["barlow_twins", "vicreg"],
)
def test_a_statistic_of_the_batch_is_that_of_both_views(method: Any, function: Any, options: dict[str, float]) -> None:
    model, shown = made(method, norm="layer", **options), views(4, 4)
    one, two = (model.head(model.encoder(shown[v].values).pooled) for v in (0, 1))
    torch.testing.assert_close(loss_of(model, model.embed(shown), 2), function(one, two))


@pytest.mark.parametrize("queue", [0, 7])
def test_swav_predicts_assignments_of_large_views_made_with_the_queue(queue: int) -> None:
    model, shown = made(SwAV, norm="layer", local_views=1, prototypes=3, queue=queue), views(4, 4, 2)
    older = F.normalize(torch.rand(2, 3, 4, dtype=torch.float64), dim=2)
    for place, one in enumerate(model.queues):
        assert isinstance(one, KeyQueue)
        one.keys.fill_(torch.nan)
        one.push(older[place], Rows.of(torch.arange(3), views=1))  # four places stay unfilled
    z = [F.normalize(model.head(model.encoder(shown[v].values).pooled), dim=1) for v in range(3)]
    prototypes = F.normalize(model.prototypes.weight, dim=1)
    expected = torch.zeros((), dtype=torch.float64)
    for large in (0, 1):
        rows = torch.cat([z[large], older[large]]) if queue else z[large]
        q = sinkhorn(rows.detach() @ prototypes.detach().T)[:B]
        for other in range(3):
            if other != large:
                log_p = (z[other] @ prototypes.T / 0.1).log_softmax(1)
                expected = expected - (q * log_p).sum() / (B * 2 * 2)
    torch.testing.assert_close(loss_of(model, model.embed(shown), 3), expected)


def test_dino_learns_from_the_teacher_of_large_views_and_moves_the_centre() -> None:
    model, shown = made(DINO, local_views=2, prototypes=6, momentum=0.5), views(4, 4, 2, 2)
    with torch.no_grad():
        model.centre.copy_(torch.arange(6.0) / 10)
        for parameter in model.teacher_encoder.parameters():
            parameter.add_(0.1)
    targets = model.target(shown)["scores"]
    assert targets.of.tolist() == list(range(2 * B))
    out = model.embed(shown)
    out = Embeddings(out.z, out.pooled, shared=out.shared, targets={"scores": targets.values})
    prototypes = F.normalize(model.prototypes.weight, dim=1)
    student = torch.stack(
        [F.normalize(model.head(model.encoder(shown[v].values).pooled), dim=1) @ prototypes.T for v in range(4)]
    )
    teacher = targets.values.reshape(2, B, 6)
    expected = dino_loss(student, teacher, model.centre)
    torch.testing.assert_close(loss_of(model, out, 4), expected)
    centre, slow = model.centre.clone(), next(model.teacher_encoder.parameters()).clone()
    model.after_step(out, 0.0)
    torch.testing.assert_close(model.centre, 0.9 * centre + 0.1 * targets.values.mean(0))
    fast = next(model.encoder.parameters())
    torch.testing.assert_close(next(model.teacher_encoder.parameters()), (slow + fast.detach()) / 2)


def test_the_temperature_of_dinos_teacher_warms_up_linearly_and_then_stays() -> None:
    warm = {"warm_up_temperature": 0.04, "teacher_temperature": 0.07}
    model = made(DINO, local_views=0, prototypes=6, activation="gelu", warm_up_steps=4, **warm)
    assert [type(layer).__name__ for layer in model.head] == ["Linear", "GELU", "Linear"]
    shown, temperatures = views(4, 4), []
    for _ in range(6):
        scores = model.target(shown)["scores"].values
        out = model.embed(shown)
        out = Embeddings(out.z, out.pooled, shared=out.shared, targets={"scores": scores})
        temperature = float(model.teacher_temperature())
        temperatures.append(temperature)
        student = (out.z @ out.shared["prototypes"].T).reshape(2, B, 6)
        expected = dino_loss(student, scores.reshape(2, B, 6), model.centre, teacher_temperature=temperature)
        torch.testing.assert_close(loss_of(model, out, 2), expected)
        model.after_step(out, 0.0)
    assert temperatures == pytest.approx([0.04, 0.0475, 0.055, 0.0625, 0.07, 0.07])


def test_dinos_warm_up_takes_30_epochs_and_is_off_unless_it_is_asked_for() -> None:
    assert made(DINO, warm_up_temperature=0.04).warm_up_steps == 30 * (40 // B)
    assert made(DINO).teacher_temperature() == 0.04
    assert [type(layer).__name__ for layer in made(DINO).head] == ["Linear", "ReLU", "Linear"]


def test_without_small_views_two_large_ones_are_left() -> None:
    assert dict(DINO.needs_with({"local_views": 0, "local_size": None}).variants) == {"global": 2}
    plan = SwAV.needs_with({"local_views": 3, "local_size": 20})
    assert (dict(plan.variants), dict(plan.sizes), plan.views) == ({"global": 2, "local": 3}, {"local": 20}, 5)
