from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.probes import detect_task, read_labels


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", None], "classification"),
        ([True, False, None], "classification"),
        ([0, 1, 2, 2], "classification"),
        ([0.0, 1.0, None], "classification"),
        ([0.5, 1.0, None], "regression"),
        (list(range(21)), "regression"),
        ([["a"], [], None], "multilabel"),
    ],
)
def test_the_column_says_what_is_asked(values: list[object], task: str) -> None:
    assert detect_task(pl.Series("label", values)) == task
    assert read_labels(pl.Series("label", values)).task == task


def test_null_and_nan_labels_are_unknown() -> None:
    assert read_labels(pl.Series([0.5, None, float("nan")])).known.tolist() == [True, False, False]
    classes = read_labels(pl.Series([1.0, None, float("nan"), 0.0]))
    assert classes.classes == ("0", "1")
    assert classes.y.tolist() == [1, -1, -1, 0]
    sets = read_labels(pl.Series([["b", "a"], None, []], dtype=pl.List(pl.String)))
    assert sets.classes == ("a", "b")
    assert sets.known.tolist() == [True, False, True]
    assert sets.y[0].tolist() == [1, 1]
    assert np.isnan(sets.y[1]).all()
    assert sets.y[2].tolist() == [0, 0]  # an empty list is known: none of them


def test_the_task_can_be_forced() -> None:
    assert read_labels(pl.Series([0, 1, 2]), "regression").task == "regression"
    assert len(read_labels(pl.Series(range(30)), "classification").classes) == 30


@pytest.mark.parametrize(
    ("values", "task"),
    [(["a", "b"], "regression"), ([1, 2], "multilabel"), ([["a"]], "classification"), ([1], "regresion")],
)
def test_a_task_that_does_not_fit_is_said(values: list[object], task: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_labels(pl.Series("label", values), task)  # type: ignore[arg-type]
    assert caught.value.hint


def test_categories_are_text() -> None:
    assert read_labels(pl.Series(["b", "a", "b"], dtype=pl.Categorical)).classes == ("a", "b")
