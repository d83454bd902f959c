import math

import pytest
import torch
import torch.nn.functional as F

from ssl_domains.encoders import create_encoder
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Objective, Rows, same

OPTIONS = {"hidden": 32, "out": 16, "layers": 2, "temperature": 0.2, "learnable_temperature": False}


def method(**changes: object) -> SimCLR:
    torch.manual_seed(0)
    return SimCLR.build(create_encoder("small_conv", 1), {**OPTIONS, **changes})


def test_without_a_relation_it_is_nt_xent() -> None:
    model = method()
    out = model.embed(torch.rand(8, 1, 16, 16))
    pairs = Objective().bind({"x": list(range(4))}).pairs(Rows.of(torch.arange(4), views=2))
    logits = (out.z @ out.z.T / 0.2).fill_diagonal_(-math.inf)
    partner = torch.arange(8).roll(4)
    torch.testing.assert_close(model.loss(out, pairs).loss, F.cross_entropy(logits, partner))


def test_embeddings_lie_on_the_sphere_and_keep_the_features() -> None:
    out = method().embed(torch.rand(4, 1, 16, 16))
    torch.testing.assert_close(out.z.norm(dim=1), torch.ones(4))
    assert out.features.pooled.shape == (4, 128)


def test_learnable_temperature_gets_a_gradient_and_is_clamped() -> None:
    model = method(learnable_temperature=True)
    assert model.temperature == pytest.approx(0.2)
    pairs = same("g").bind({"g": [0, 0, 1, 1]}).pairs(Rows.of(torch.arange(4), views=2))
    model.loss(model.embed(torch.rand(8, 1, 16, 16)), pairs).loss.backward()
    assert isinstance(model.log_scale, torch.nn.Parameter)
    assert model.log_scale.grad is not None
    assert model.log_scale.grad.abs() > 0
    with torch.no_grad():
        model.log_scale.fill_(99.0)
    assert model.temperature == pytest.approx(0.01)
