"""Before the first step, the model answers as the frozen probe does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.evaluation import dense_features, embed_rows
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune, frozen_probe_head
from ssl_domains.probes import DenseFit, LinearProbe, fit_dense_head, read_labels, run_probe

UNTRAINED = {"train.epochs": 0, "train.max_steps": None}


def _columns(world: Any) -> dict[str, Any]:
    place = world.table.column("place")
    rows = len(world.table)
    return {
        "two classes": world.table.column("kind"),
        "three classes": pl.Series(["low" if p < 4.5 else "mid" if p < 6.5 else "high" for p in place]),
        "numbers": place * 40 - 7,
        "label sets": pl.Series([["a"] * (i % 2) + ["b"] * (i % 3 > 0) for i in range(rows)]),
        "some missing": pl.Series([None if i % 5 == 0 else i % 2 for i in range(rows)]),
    }


@pytest.mark.parametrize("name", ["two classes", "three classes", "numbers", "label sets", "some missing"])
def test_answers_at_step_0_are_those_of_the_linear_probe(name: str, world: Any, tmp_path: Path) -> None:
    labels = read_labels(_columns(world)[name])
    groups, train, test = world.table.codes("patient"), np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    train[world.train], test[world.test] = True, True
    x = embed_rows(world.run.encoder(), world.run.preprocess, world.table, world.store, device="cpu")
    probe = run_probe(LinearProbe(), x, labels, groups, train, test, seed=5)
    parts = world.parts(name, labels=labels.take(world.train))
    run = finetune(world.config(**UNTRAINED, **{"train.seed": 5}), parts, tmp_path / "run")
    rows = np.flatnonzero(test & labels.known)
    answers = FineTuned.open(run).answers(world.table.take(rows), world.store)
    np.testing.assert_allclose(answers, probe.answers, rtol=1e-5, atol=1e-5)
    other = run_probe(LinearProbe(c=(1e-4,), alpha=(1e5,)), x, labels, groups, train, test)
    assert np.abs(answers - other.answers).max() > 1e-3, "the chosen setting matters, so the test can fail"


def test_a_class_without_a_training_row_is_all_but_impossible(world: Any) -> None:
    labels = read_labels(pl.Series(["c" if i == 47 else "ab"[i % 2] for i in range(len(world.table))]))
    rows = world.train[world.train != 47]
    head = frozen_probe_head(world.config(), world.parts(rows=rows, labels=labels.take(rows), every_class=False))
    x = embed_rows(world.run.encoder(), world.run.preprocess, world.table, world.store, device="cpu")
    z = torch.from_numpy(x).double() @ head["layer.weight"].double().T + head["layer.bias"].double()
    assert z.softmax(dim=1)[:, 2].max() < 1e-6


@pytest.mark.parametrize("head", ["conv", "deeplab"])
def test_logits_at_step_0_are_those_of_the_dense_probe(head: str, world: Any, tmp_path: Path) -> None:
    fit = DenseFit(steps=6, batch=8, lr=(0.01,))
    parts = world.parts("masks", head=head, fit=fit)
    run = finetune(world.config("masks", **UNTRAINED, **{"train.seed": 2}), parts, tmp_path / "run")
    model = FineTuned.open(run).module()
    features = dense_features(world.run.encoder(), world.run.preprocess, parts.table, world.store, device="cpu")
    fitted = fit_dense_head(
        features, parts.masks, parts.groups, np.arange(len(parts.table)), head=model.head.settings, fit=fit, seed=2
    )
    test = world.table.take(world.test)
    images = torch.cat([run.preprocess(world.store[int(at)]).values for at in world.store.positions(test)])
    with torch.no_grad():
        maps = world.run.encoder().model.forward_intermediates(images)
        torch.testing.assert_close(model(images), fitted(maps), rtol=1e-5, atol=1e-5)
        # The probe stores its maps in 16 bits.
        stored = dense_features(world.run.encoder(), world.run.preprocess, test, world.store, device="cpu")
        torch.testing.assert_close(model(images), fitted(stored.batch(np.arange(len(test)))), rtol=0.02, atol=0.02)


def test_a_fresh_head_and_given_weights(world: Any, tmp_path: Path) -> None:
    parts = world.parts()
    fresh = finetune(world.config(**UNTRAINED, **{"method.head_start": "fresh"}), parts, tmp_path / "fresh")
    given = {"layer.weight": torch.full((2, 128), 0.5), "layer.bias": torch.tensor([1.0, -1.0])}
    changed = FineTuneParts(**{**vars(parts), "head_start": given})
    run = finetune(world.config(**UNTRAINED), changed, tmp_path / "given")
    for name, value in given.items():
        assert torch.equal(run.checkpoints.load()["method"][f"head.{name}"], value)
        assert not torch.equal(fresh.checkpoints.load()["method"][f"head.{name}"], value)


def test_random_weights_are_those_of_the_seed(world: Any, tmp_path: Path) -> None:
    run = finetune(world.config(**UNTRAINED, **{"train.seed": 4}), world.parts(start=None), tmp_path / "run")
    assert run.config.encoder.init == "random"
    expected = world.run.untrained_encoder(seed=4).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in run.encoder_state().items())
