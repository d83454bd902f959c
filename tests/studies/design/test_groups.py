from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, TableMeta
from ssl_domains.studies import plan_groups


def table_of(groups: list[str | None], **columns: list) -> SampleTable:
    frame = pl.DataFrame({"sample": [str(i) for i in range(len(groups))], "scene": groups, **columns})
    return SampleTable(frame)


def scenes(count: int, each: int = 2) -> list[str | None]:
    return [f"s{i:03d}" for i in range(count) for _ in range(each)]


@given(st.integers(12, 60), st.integers(2, 5), st.integers(0, 5))
def test_every_group_is_tested_once_or_set_aside(count: int, folds: int, seed: int) -> None:
    plan = plan_groups(table_of(scenes(count)), "scene", folds=folds, tuning=0.2, seed=seed)
    tested = np.stack([fold.test for fold in plan.folds]).sum(0)
    (tuning,) = plan.tuning
    aside = tuning.train | tuning.test
    assert set(tested[~aside]) == {1}
    assert set(tested[aside]) == {0}
    for fold in plan.folds:
        assert not (fold.train & fold.test).any()
        assert (fold.train | fold.test).all()
        assert fold.train[aside].all()  # what is set aside trains in every fold
    for rows in (*(fold.test for fold in plan.folds), aside, tuning.test):
        inside, outside = set(plan.codes[rows]), set(plan.codes[~rows])
        assert not inside & outside  # groups stay whole
    sizes = [len(np.unique(plan.codes[fold.test])) for fold in plan.folds]
    assert max(sizes) - min(sizes) <= 1


def test_choices_never_see_a_group_that_is_tested_later() -> None:
    plan = plan_groups(table_of(scenes(30)), "scene", folds=5, tuning=0.3)
    (tuning,) = plan.tuning
    chosen_on = set(plan.codes[tuning.train | tuning.test])
    assert not chosen_on & set(plan.tested)
    assert tuning.train.any()
    assert tuning.test.any()


def test_the_tables_own_split_is_one_fold_tuned_on_its_training_groups() -> None:
    sides = ["train"] * 16 + ["test"] * 8
    plan = plan_groups(table_of(scenes(12), split=sides), "scene", folds=None, tuning=0.2)
    (fold,) = plan.folds
    assert fold.train.sum() == 16
    assert fold.test.sum() == 8
    (tuning,) = plan.tuning
    assert ((tuning.train | tuning.test) == fold.train).all()


def test_a_split_that_leaks_is_refused() -> None:
    sides = ["train", "test"] * 12
    with pytest.raises(DataError, match="both sides of the split share 12 groups of 'scene'"):
        plan_groups(table_of(scenes(12), split=sides), "scene", folds=None, tuning=0.2)


def test_rows_without_a_group_are_nowhere() -> None:
    plan = plan_groups(table_of([*scenes(12), None, None]), "scene", folds=3, tuning=0.3)
    for fold in (*plan.folds, *plan.tuning):
        assert not (fold.train | fold.test)[-2:].any()


def test_strata_are_spread_evenly() -> None:
    site = ["a"] * 40 + ["b"] * 40
    plan = plan_groups(table_of(scenes(40), site=site), "scene", folds=4, tuning=0.2, stratify="site")
    for fold in plan.folds:
        a, b = (fold.test[:40].sum(), fold.test[40:].sum())
        assert abs(int(a) - int(b)) <= 2
    (tuning,) = plan.tuning
    aside = tuning.train | tuning.test
    assert aside[:40].sum() == aside[40:].sum()


def test_too_few_groups_and_missing_columns_are_said() -> None:
    with pytest.raises(DataError, match="6 groups of 'scene' are too few for 3 folds"):
        plan_groups(table_of(scenes(6)), "scene", folds=3, tuning=0.2)
    with pytest.raises(UsageError, match="no column 'sceen'"):
        plan_groups(table_of(scenes(6)), "sceen", folds=3, tuning=0.2)
    with pytest.raises(DataError, match="no row of the table is in split 'train'"):
        plan_groups(table_of(scenes(6)), "scene", folds=None, tuning=0.2)


def test_an_identifier_is_never_named() -> None:
    table = table_of(scenes(12))
    hidden = SampleTable(table.frame, TableMeta(identifiers=("scene",)))
    assert plan_groups(table, "scene", folds=3, tuning=0.2).names[0] == "s000"
    assert plan_groups(hidden, "scene", folds=3, tuning=0.2).names[0] == "no. 1"


def test_leaving_one_out_tests_each_group_once_and_chooses_inside_the_others() -> None:
    plan = plan_groups(table_of([*scenes(4), None]), "scene", folds="leave-one-out", tuning=0.3)
    assert len(plan.folds) == len(plan.tuning) == 4
    for number, (fold, inner) in enumerate(zip(plan.folds, plan.tuning, strict=True)):
        assert np.flatnonzero(fold.test).tolist() == [2 * number, 2 * number + 1]
        assert (fold.train == ~fold.test).all()
        assert inner.test.sum() == 2
        assert not (inner.train | inner.test)[fold.test].any()
        assert not (inner.train & inner.test).any()
    assert sorted(plan.tested) == [0, 1, 2, 3]
    with pytest.raises(DataError, match="1 group of 'scene': none can be left out"):
        plan_groups(table_of(scenes(1)), "scene", folds="leave-one-out", tuning=0.3)
