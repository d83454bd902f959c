from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.probes import read_labels, score
from ssl_domains.probes.metrics import classification_scores, multilabel_scores, regression_scores


def one_hot(codes: list[int], classes: int) -> np.ndarray:
    return np.eye(classes)[codes]


def test_classification_by_hand() -> None:
    y = np.array([0, 0, 0, 1, 1, 2])
    scores = classification_scores(y, one_hot([0, 0, 1, 1, 1, 0], 3), ["a", "b", "c"])
    assert scores.values["accuracy"] == pytest.approx(4 / 6)
    assert scores.values["balanced accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    f1 = (2 * (2 / 3) * (2 / 3) / (4 / 3) + 2 * (2 / 3) * 1 / (5 / 3) + 0) / 3
    assert scores.values["macro-F1"] == pytest.approx(f1)
    assert scores.per_class == {"a": pytest.approx(2 / 3), "b": 1.0, "c": 0.0}


def test_auroc_is_the_chance_that_a_positive_ranks_higher() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 60), rng.random((60, 2)).round(1)
    pairs = [(p[i, 1] > p[j, 1]) + 0.5 * (p[i, 1] == p[j, 1]) for i in range(60) for j in range(60) if y[i] > y[j]]
    other = [(p[j, 0] > p[i, 0]) + 0.5 * (p[i, 0] == p[j, 0]) for i in range(60) for j in range(60) if y[i] > y[j]]
    expected = (np.mean(pairs) + np.mean(other)) / 2
    assert classification_scores(y, p, ["a", "b"]).values["AUROC"] == pytest.approx(expected)


def test_a_class_missing_from_the_test_groups_leaves_auroc_undefined() -> None:
    scores = classification_scores(np.array([0, 1, 1]), one_hot([0, 1, 1], 3), ["a", "b", "c"])
    assert scores.values["AUROC"] is None
    assert "'c' is not in the test groups" in scores.reasons["AUROC"]
    assert scores.values["balanced accuracy"] == 1.0
    assert "2 of 3" in scores.reasons["balanced accuracy"]
    assert scores.per_class["c"] is None


def test_one_class_in_the_test_groups_defines_accuracy_only() -> None:
    scores = classification_scores(np.array([1, 1]), one_hot([1, 0], 2), ["a", "b"])
    assert scores.values == {"accuracy": 0.5, "balanced accuracy": None, "macro-F1": None, "AUROC": None}
    assert all("one class" in scores.reasons[name] for name in ("balanced accuracy", "macro-F1"))


def test_a_class_without_training_labels_leaves_auroc_undefined() -> None:
    scores = classification_scores(
        np.array([0, 1, 2]), one_hot([0, 1, 1], 3), ["a", "b", "c"], trained=np.array([True, True, False])
    )
    assert scores.values["AUROC"] is None
    assert "training" in scores.reasons["AUROC"]
    assert scores.values["balanced accuracy"] == pytest.approx(2 / 3)


def test_average_precision_by_hand_and_undefined_without_positives() -> None:
    truth = np.array([[1, 0], [0, 0], [1, 0]], dtype=bool)
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    scores = multilabel_scores(truth, p, ["a", "b"])
    assert scores.per_class["a"] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert scores.per_class["b"] is None
    assert scores.values["average precision"] is None
    assert "'b' is not in the test groups" in scores.reasons["average precision"]
    assert scores.values["AUROC"] is None
    whole = multilabel_scores(truth[:, :1], p[:, :1], ["a"])
    assert whole.values["average precision"] == pytest.approx(5 / 6)
    assert whole.values["AUROC"] == pytest.approx(0.5)


def test_regression_by_hand_and_undefined_when_constant() -> None:
    scores = regression_scores(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    assert scores.values["R²"] == pytest.approx(1 - 1 / 2)
    assert scores.values["MAE"] == pytest.approx(0.5)
    assert regression_scores(np.array([3.0, 3.0]), np.array([3.0, 2.0])).values["R²"] is None


def test_score_follows_the_task() -> None:
    assert "R²" in score(read_labels(pl.Series([0.5, 1.5])), np.array([0.5, 1.5])).values
    assert "average precision" in score(read_labels(pl.Series([["a"], []])), np.array([[0.9], [0.1]])).values
