"""DeepCluster: its loss against a plain loop, its clustering, and the contract of a method."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from method_doubles import WaveRecipe, waves
from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import RowPairs, TrainingSet
from ssl_domains.methods.deep_cluster import DeepCluster
from ssl_domains.pairs import Objective, Rows
from ssl_domains.samples import SampleTable
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder


def wave_encoder() -> Any:
    return CaseEncoder(1)


def five_clusters() -> MethodCase:
    return MethodCase(DeepCluster, {"clusters": 5})


def of_waves() -> MethodCase:
    options = {"clusters": 3, "uniform": False, "dimensions": 2}
    return MethodCase(DeepCluster, options, encoder=wave_encoder, inputs=waves, recipe=WaveRecipe(2))


@pytest.mark.parametrize("target", [five_clusters, of_waves], ids=lambda target: target.__name__)
def test_it_keeps_the_contract(target: Any) -> None:
    check_method(target)


def method(samples: int = 12, **options: Any) -> DeepCluster:
    torch.manual_seed(0)
    chosen = {**DeepCluster.options().model_dump(), "clusters": 3, **options}
    made = DeepCluster.build(create_encoder("small_conv", 1, image_size=8), chosen).eval()
    made.prepare(TrainingSet(samples, 4))
    return made


def refresh(model: DeepCluster, features: torch.Tensor) -> None:
    assert model.refresh is not None
    made = model.refresh.compute(features, SampleTable.of({"sample": [str(i) for i in range(len(features))]}))
    present = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert set(made.state) == set(model.refresh.state)
    with torch.no_grad():
        for name, value in made.state.items():
            assert present[name].shape == value.shape
            present[name].copy_(value)


@pytest.mark.parametrize("uniform", [True, False])
def test_the_loss_is_the_cross_entropy_of_each_samples_cluster(uniform: bool) -> None:
    model = method(uniform=uniform)
    features = torch.randn(12, 128, generator=torch.Generator().manual_seed(1))
    refresh(model, features)
    out = model.embed(Views((View(Input(torch.rand(4, 1, 8, 8))),)))
    samples = [7, 0, 11, 3]
    rows = Rows.of(torch.tensor(samples), views=1)
    pairs = RowPairs(Objective().bind({"x": list(range(12))}), rows, rows, torch.device("cpu"))
    labels = model.labels.tolist()
    expected = 0.0
    for logits, sample in zip(out.z.tolist(), samples, strict=True):
        weight = 12 / (3 * labels.count(labels[sample])) if uniform else 1.0
        expected += weight * (math.log(sum(math.exp(one) for one in logits)) - logits[labels[sample]])
    assert float(model.loss(out, pairs).loss.detach()) == pytest.approx(expected / 4, rel=1e-5)


def test_clusters_follow_the_features_and_the_classifier_starts_anew() -> None:
    model = method(40, clusters=2, dimensions=3)
    noise = torch.Generator().manual_seed(0)
    features = 9 * torch.eye(128)[:2].repeat_interleave(20, 0) + 0.1 * torch.randn(40, 128, generator=noise)
    features[:, 2:] *= 0.01
    refresh(model, features)
    assert all(len(set(model.labels[20 * k : 20 * k + 20].tolist())) == 1 for k in range(2))
    assert model.sizes.tolist() == [20, 20]
    assert model.centroids.shape == (2, 3)
    first = model.classifier.weight.detach().clone()
    refresh(model, features)
    assert not torch.equal(model.classifier.weight, first)
    assert int(model.refreshes) == 2


def test_few_samples_have_few_directions() -> None:
    assert method(samples=9).centroids.shape == (3, 2)


def test_more_clusters_than_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="3 clusters for 2 training samples"):
        method(samples=2)
