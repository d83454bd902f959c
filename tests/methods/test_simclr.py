import math

import pytest
import torch
import torch.nn.functional as F

from ssl_domains.encoders import create_encoder
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import RowPairs, SimCLR
from ssl_domains.pairs import BoundObjective, Objective, Rows, same

OPTIONS = {"hidden": 32, "out": 16, "layers": 2, "temperature": 0.2, "learnable_temperature": False}


def method(**changes: object) -> SimCLR:
    torch.manual_seed(0)
    return SimCLR.build(create_encoder("small_conv", 1), {**OPTIONS, **changes})


def two_views(samples: int) -> Views:
    return Views(tuple(View(Input(torch.rand(samples, 1, 16, 16))) for _ in range(2)))


def pairs_of(bound: BoundObjective) -> RowPairs:
    rows = Rows.of(torch.arange(4), views=2)
    return RowPairs(bound, rows, rows, torch.device("cpu"))


def test_without_a_relation_it_is_nt_xent() -> None:
    model = method()
    out = model.embed(two_views(4))
    pairs = pairs_of(Objective().bind({"x": list(range(4))}))
    logits = (out.z @ out.z.T / 0.2).fill_diagonal_(-math.inf)
    partner = torch.arange(8).roll(4)
    torch.testing.assert_close(model.loss(out, pairs).loss, F.cross_entropy(logits, partner))


def test_embeddings_lie_on_the_sphere_and_keep_the_features() -> None:
    model, views = method().eval(), two_views(4)
    out = model.embed(views)
    torch.testing.assert_close(out.z.norm(dim=1), torch.ones(8))
    assert out.pooled.shape == (4, 128)
    assert not out.pooled.requires_grad
    torch.testing.assert_close(out.pooled, model.encoder(views[0].values).pooled)


def test_learnable_temperature_gets_a_gradient_and_is_clamped() -> None:
    model = method(learnable_temperature=True)
    assert model.temperature == pytest.approx(0.2)
    pairs = pairs_of(same("g").bind({"g": [0, 0, 1, 1]}))
    out = model.embed(two_views(4))
    assert float(out.shared["temperature"].detach()) == pytest.approx(0.2)
    model.loss(out, pairs).loss.backward()
    assert isinstance(model.log_scale, torch.nn.Parameter)
    assert model.log_scale.grad is not None
    assert model.log_scale.grad.abs() > 0
    with torch.no_grad():
        model.log_scale.fill_(99.0)
    assert model.temperature == pytest.approx(0.01)
    assert float(model.embed(two_views(4)).shared["temperature"].detach()) == pytest.approx(0.01)


def test_anchors_are_rows_of_this_process_and_candidates_those_of_all() -> None:
    model = method()
    out = model.embed(two_views(4))
    rows = Rows.of(torch.arange(4), views=2)
    some = torch.tensor([0, 2, 5])
    pairs = RowPairs(same("g").bind({"g": [0, 0, 1, 1]}), rows, rows, torch.device("cpu"), some)
    z = out.z.detach().double()
    logits = (z @ z.T / 0.2).fill_diagonal_(-math.inf)
    log_p = logits.log_softmax(dim=1)
    g, expected = [0, 0, 1, 1] * 2, []
    for i in some.tolist():
        positives = [j for j in range(8) if j != i and g[j] == g[i]]
        expected.append(-sum(float(log_p[i, j]) for j in positives) / len(positives))
    assert float(model.loss(out, pairs).loss) == pytest.approx(sum(expected) / 3, rel=1e-5)
