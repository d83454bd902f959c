from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.encoders import create_encoder
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import RowPairs, Supervised, SupervisedTraining
from ssl_domains.pairs import Objective, Rows
from ssl_domains.probes import read_labels


def labels(values: Any, task: Any = None) -> Any:
    return read_labels(pl.Series("label", values), task)


def method(values: Any, task: Any = None) -> Supervised:
    torch.manual_seed(0)
    return SupervisedTraining(labels(values, task)).build(create_encoder("small_conv", 1), {"out": 7})


def pairs_of(samples: list[int], views: int, rows: int) -> RowPairs:
    of_batch = Rows.of(torch.tensor(samples), views=views)
    return RowPairs(Objective().bind({"x": list(range(rows))}), of_batch, of_batch, torch.device("cpu"))


def views_of(images: Tensor, views: int) -> Views:
    """Rows ``[views · b, 1, 16, 16]``, view by view, as the engine hands them over."""
    return Views(tuple(View(Input(part)) for part in images.chunk(views)))


class OfThree:
    """Another process has so many labelled rows that there are three in all."""

    size = 3

    def total(self, counts: Tensor) -> Tensor:
        return torch.tensor(3)

    def whole(self, values: Tensor, of: Tensor | None, part: Tensor | None) -> Tensor:
        raise AssertionError("the loss needs no row of another process")


def test_labels_go_by_position_in_the_table_for_every_view() -> None:
    model = method(["b", "a", "c", "a", "b"])
    out = model.embed(views_of(torch.rand(6, 1, 16, 16), 2))
    loss = model.loss(out, pairs_of([4, 1, 2], views=2, rows=5)).loss
    torch.testing.assert_close(loss, F.cross_entropy(out.z, torch.tensor([1, 0, 2, 1, 0, 2])))
    assert out.z.shape == (6, 3)


def test_rows_without_a_label_do_not_count() -> None:
    model = method(["b", None, "a", None])
    out = model.embed(views_of(torch.rand(8, 1, 16, 16), 2))
    found = model.loss(out, pairs_of([0, 1, 2, 3], views=2, rows=4))
    expected = F.cross_entropy(out.z[[0, 2, 4, 6]], torch.tensor([1, 0, 1, 0]))
    torch.testing.assert_close(found.loss, expected)
    assert found.anchors.tolist() == [4] * len(found.per_relation)


def test_a_batch_without_any_label_gives_an_exact_zero_with_a_graph() -> None:
    model = method([None, None, "a", "b"])
    loss = model.loss(model.embed(views_of(torch.rand(4, 1, 16, 16), 2)), pairs_of([0, 1], views=2, rows=4)).loss
    assert loss.item() == 0.0
    loss.backward()
    assert model.classifier.weight.grad is not None
    assert float(model.classifier.weight.grad.abs().sum()) == 0.0


def test_label_sets_by_brute_force() -> None:
    model = method([["x"], ["x", "y"], [], None])
    out = model.embed(views_of(torch.rand(4, 1, 16, 16), 1))
    loss = model.loss(out, pairs_of([0, 1, 2, 3], views=1, rows=4)).loss
    truth = [[1, 0], [1, 1], [0, 0]]
    p = out.z[:3].double().sigmoid().tolist()
    each = [-math.log(p[i][k] if truth[i][k] else 1 - p[i][k]) for i in range(3) for k in range(2)]
    assert loss.item() == pytest.approx(sum(each) / 6, rel=1e-5)


def test_numbers_are_standardised_on_the_known_rows() -> None:
    model = method([10.0, 30.0, None, 20.5], "regression")
    out = model.embed(views_of(torch.rand(4, 1, 16, 16), 1))
    loss = model.loss(out, pairs_of([0, 1, 2, 3], views=1, rows=4)).loss
    values = np.array([10.0, 30.0, 20.5])
    z = out.z.detach().double().numpy()[[0, 1, 3], 0]
    assert loss.item() == pytest.approx(float(((z - (values - values.mean()) / values.std()) ** 2).mean()), rel=1e-5)


def test_a_step_is_that_of_a_loop_written_by_hand() -> None:
    model, images = method([0, 1, 1, 0]), torch.rand(8, 1, 16, 16)
    torch.manual_seed(0)
    encoder = create_encoder("small_conv", 1)
    layer = torch.nn.Linear(encoder.num_features, 2)
    net = torch.nn.Sequential(encoder.model, layer)
    for one in (model, net):
        one.train()
        optimiser = torch.optim.SGD(one.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            if isinstance(one, Supervised):
                loss = one.loss(one.embed(views_of(images, 2)), pairs_of([3, 2, 1, 0], views=2, rows=4)).loss
            else:
                loss = F.cross_entropy(one(images), torch.tensor([0, 1, 1, 0] * 2))
            loss.backward()
            optimiser.step()
    for mine, own in zip(model.classifier.parameters(), layer.parameters(), strict=True):
        torch.testing.assert_close(mine, own)
    for mine, own in zip(model.encoder.parameters(), encoder.parameters(), strict=True):
        torch.testing.assert_close(mine, own)


def test_shares_of_several_processes_add_up_to_the_loss_of_the_whole_batch() -> None:
    model, images = method(["b", None, "a", "a"]), torch.rand(4, 1, 16, 16)
    model.eval()
    whole = model.loss(model.embed(views_of(images, 1)), pairs_of([0, 1, 2, 3], views=1, rows=4)).loss
    shares = [
        model.loss(
            replace(model.embed(views_of(images[part], 1)), exchange=OfThree()),
            pairs_of([0, 1, 2, 3][part], views=1, rows=4),
        ).loss
        for part in (slice(0, 1), slice(1, 2), slice(2, 4))
    ]
    torch.testing.assert_close(sum(shares), whole)


def test_labels_stay_out_of_checkpoints() -> None:
    state = method(["a", "b", "a"]).state_dict()
    assert not {"target", "known"} & set(state)
    assert {"shift", "scale", "classifier.weight"} <= set(state)
