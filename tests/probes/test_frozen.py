from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError
from ssl_domains.probes import Answer, KnnProbe, Labels, LinearProbe, TreeProbe, read_labels, run_probe

PROBES = [LinearProbe(), KnnProbe(), TreeProbe()]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_classes_that_can_be_told_apart_are(probe: Any, world: Any) -> None:
    labels = read_labels(pl.Series([f"c{c}" for c in world.code]))
    result = run_probe(probe, world.x, labels, world.groups, world.train, world.test)
    assert result.scores.values["balanced accuracy"] > 0.8
    assert result.scores.values["AUROC"] > 0.9
    assert (result.labels, result.groups, result.tested, result.dropped) == (180, 15, 60, 0)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_shuffled_labels_are_at_chance(probe: Any, worlds: Any) -> None:
    world = worlds(groups=60, seed=1)
    labels = read_labels(pl.Series(np.random.default_rng(0).permutation(world.code)))
    result = run_probe(probe, world.x, labels, world.groups, world.train, world.test)
    assert result.scores.values["balanced accuracy"] == pytest.approx(1 / 3, abs=0.12)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_numbers_and_label_sets(probe: Any, world: Any) -> None:
    rng = np.random.default_rng(3)
    number = read_labels(pl.Series(world.x[:, 0] * 3 + world.x[:, 1] + 0.01 * rng.normal(size=len(world.x))))
    assert run_probe(probe, world.x, number, world.groups, world.train, world.test).scores.values["R²"] > 0.5
    sets = [[name for name, on in zip("abc", row > 0, strict=True) if on] for row in world.x[:, :3]]
    answer = run_probe(probe, world.x, read_labels(pl.Series(sets)), world.groups, world.train, world.test)
    assert answer.scores.values["average precision"] > 0.75
    assert set(answer.scores.per_class) == {"a", "b", "c"}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_the_same_twice(probe: Any, world: Any) -> None:
    labels = read_labels(pl.Series(world.code))
    first, second = (run_probe(probe, world.x, labels, world.groups, world.train, world.test) for _ in range(2))
    assert first == second
    assert np.array_equal(first.answers, second.answers)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_nothing_of_the_test_groups_reaches_the_fit(probe: Any, world: Any) -> None:
    """Test rows changed beyond recognition, and test labels swapped: the answer for one untouched test row stays."""
    labels = read_labels(pl.Series(world.code))
    before = run_probe(probe, world.x, labels, world.groups, world.train, world.test)
    x, code = world.x.copy(), world.code.copy()
    others = np.flatnonzero(world.test)[1:]
    x[others] *= 1000.0
    code[others] = (code[others] + 1) % 3
    after = run_probe(probe, x, read_labels(pl.Series(code)), world.groups, world.train, world.test)
    assert after.chosen == before.chosen
    assert after.answers[0] == pytest.approx(before.answers[0], abs=1e-6)


class Watching:
    """A probe that remembers what it was fitted on and asked."""

    name = "watching"

    def __init__(self) -> None:
        self.calls: list[tuple[set[float], set[float]]] = []

    def settings(self, labels: Labels) -> tuple[dict[str, float], ...]:
        return ({"a": 1.0}, {"a": 2.0})

    def answers(self, x: Any, labels: Labels, new: Any, settings: Sequence[Any]) -> list[Answer]:
        self.calls.append((set(x[:, 0]), set(new[:, 0])))
        good = np.eye(3)[np.round(new[:, 1]).astype(int)]
        return [Answer(good if setting["a"] == 2.0 else 1 - good) for setting in settings]


def test_inner_folds_are_disjoint_by_group_and_the_better_setting_is_taken(world: Any) -> None:
    x = np.stack([world.groups, world.code], axis=1).astype(float)
    probe = Watching()
    result = run_probe(probe, x, read_labels(pl.Series(world.code)), world.groups, world.train, world.test)
    *inner, last = probe.calls
    assert len(inner) == 3
    training = set(range(15))
    for fit, validate in inner:
        assert not fit & validate
        assert fit | validate == training
    assert last == (training, set(range(15, 20)))
    assert result.chosen == {"a": 2.0}


def test_rows_without_a_label_are_dropped_and_counted(world: Any) -> None:
    values: list[int | None] = world.code.tolist()
    values[0] = values[5] = values[-1] = None
    labels = read_labels(pl.Series(values))
    result = run_probe(LinearProbe(), world.x, labels, world.groups, world.train, world.test)
    assert (result.labels, result.tested, result.dropped) == (178, 59, 3)


def test_one_training_group_leaves_nothing_to_choose_by(world: Any) -> None:
    result = run_probe(
        LinearProbe(), world.x, read_labels(pl.Series(world.code)), world.groups, world.groups == 0, world.test
    )
    assert result.notes == (
        "the probe used its middle setting, C=1: so few groups are labelled that none can be held out to compare "
        "settings",
    )


def test_refusals(world: Any) -> None:
    labels = read_labels(pl.Series(world.code))
    with pytest.raises(DataError, match="both sides"):
        run_probe(LinearProbe(), world.x, labels, world.groups, world.train | world.test, world.test)
    with pytest.raises(DataError, match="no training row"):
        run_probe(LinearProbe(), world.x, labels, world.groups, world.train & False, world.test)
    with pytest.raises(DataError, match="no test row"):
        run_probe(LinearProbe(), world.x, labels, world.groups, world.train, world.test & False)
    one = read_labels(pl.Series(["only"] * len(world.code)))
    with pytest.raises(DataError, match="one class") as caught:
        run_probe(LinearProbe(), world.x, one, world.groups, world.train, world.test)
    assert caught.value.hint
    with pytest.raises(DataError, match="same number"):
        run_probe(
            LinearProbe(),
            world.x,
            read_labels(pl.Series([0.5] * len(world.code))),
            world.groups,
            world.train,
            world.test,
        )
    with pytest.raises(DataError, match="same labels"):
        run_probe(
            LinearProbe(),
            world.x,
            read_labels(pl.Series([["a"]] * len(world.code))),
            world.groups,
            world.train,
            world.test,
        )


def test_a_class_of_the_test_groups_that_training_never_saw_counts_as_wrong(world: Any) -> None:
    code = world.code.copy()
    code[world.train & (code == 2)] = 1
    result = run_probe(LinearProbe(), world.x, read_labels(pl.Series(code)), world.groups, world.train, world.test)
    assert result.scores.values["AUROC"] is None
    assert result.scores.per_class["2"] == 0.0
