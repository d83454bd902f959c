"""Folds that are columns of the table: gaps stay, each group is tested once, and a choice never sees a tested row."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.studies import plan_groups
from ssl_domains.studies.design.cells import TUNING, Cell, tuned_fold, tuning_of

EACH = 5
BLOCKS = "abcd"


def line(**changes: list[str | None]) -> SampleTable:
    """Four blocks on a line, five rows each, and two rows across borders; a fold drops the row next to its block."""
    block = [name for name in BLOCKS for _ in range(EACH)] + [None, None]
    columns: dict[str, list[str | None]] = {}
    for number, name in enumerate(BLOCKS):
        sides: list[str | None] = ["train"] * len(block)
        first, last = number * EACH, (number + 1) * EACH
        sides[first:last] = ["test"] * EACH
        for near in (first - 1, last):
            if 0 <= near < EACH * len(BLOCKS):
                sides[near] = None
        columns[f"fold_{name}"] = sides
    columns |= changes
    return SampleTable(pl.DataFrame({"sample": [f"s{i}" for i in range(len(block))], "block": block, **columns}))


def planned(table: SampleTable, folds: str | list[str] = "fold_*", tuning: float = 0.2):  # type: ignore[no-untyped-def]
    return plan_groups(table, "block", folds=folds, tuning=tuning)


def test_each_column_is_a_fold_and_its_gap_is_on_neither_side() -> None:
    plan = planned(line())
    assert plan.names == tuple(BLOCKS)
    assert plan.tested.tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(plan.folds[1].test).tolist() == [5, 6, 7, 8, 9]
    assert np.flatnonzero(plan.folds[1].train).tolist() == [0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]


def test_rows_across_borders_train_and_are_never_tested() -> None:
    sides = ["test"] * EACH + [None] + ["train"] * (3 * EACH - 1) + ["test", "train"]
    plan = planned(line(fold_a=sides))
    assert np.flatnonzero(plan.folds[0].test).tolist() == [0, 1, 2, 3, 4]
    assert plan.folds[0].train[21]
    assert not plan.folds[0].train[20]


def test_columns_may_be_named_and_stand_in_that_order() -> None:
    plan = planned(line(), ["fold_c", "fold_a"])
    assert [set(plan.codes[fold.test]) for fold in plan.folds] == [{2}, {0}]
    assert plan.tested.tolist() == [0, 2]


def test_a_fold_chooses_on_rows_that_train_in_it_with_the_gap_of_the_group_it_holds_out() -> None:
    plan = planned(line())
    assert plan.tuned_by_fold
    assert len(plan.tuning) == 4
    for fold, inner in zip(plan.folds, plan.tuning, strict=True):
        assert fold.train[inner.train | inner.test].all()
        assert not (inner.train & inner.test).any()
        (held,) = np.unique(plan.codes[inner.test])
        assert not (plan.codes[inner.train] == held).any()
        outer = plan.folds[held]  # block `held` is tested in the fold of the same number
        assert outer.train[inner.train].all()
    # With a held out, b has 4 rows left to score, c and d have 5; without one of these and its gap more rows train.
    assert np.flatnonzero(plan.tuning[0].test).tolist() in ([10, 11, 12, 13, 14], [15, 16, 17, 18, 19])


def test_a_choice_for_one_fold_has_cells_of_its_own() -> None:
    from ssl_domains.studies import Arm

    arm = Arm("simclr", "", "simclr")
    plan = planned(line())
    shared, third = Cell(arm, TUNING, 1, None, {}, 1), Cell(arm, tuning_of(2), 1, None, {}, 1)
    assert tuned_fold(third.fold) == 2
    assert plan.fold(third.fold) is plan.tuning[2]
    assert plan.fold(2) is plan.folds[2]
    assert [one.chooses for one in (shared, third, Cell(arm, 0, 1, None, {}, 1))] == [True, True, False]
    assert shared.folder != third.folder
    assert "tuning of fold 2" in third.title


def test_what_is_no_set_of_folds_is_said() -> None:
    with pytest.raises(UsageError, match=r"no column of the table is called 'flod_\*'"):
        planned(line(), "flod_*")
    with pytest.raises(UsageError, match="no column 'fold_x'"):
        planned(line(), ["fold_a", "fold_x"])
    with pytest.raises(UsageError, match="names a column twice"):
        planned(line(), ["fold_a", "fold_a"])
    with pytest.raises(DataError, match="there is one fold, 'fold_a'"):
        planned(line(), ["fold_a"])
    with pytest.raises(UsageError, match="column 'fold_a' holds 'val': a fold holds train, test, or nothing"):
        planned(line(fold_a=["val"] * 22))
    with pytest.raises(DataError, match="column 'fold_a' has no row for 'test'"):
        planned(line(fold_a=["train"] * 22))


def test_a_group_is_tested_once_and_stands_on_one_side() -> None:
    again = line().frame["fold_a"].to_list()
    with pytest.raises(DataError, match="'fold_a' and 'fold_e' both test the group 'a' of 'block'"):
        planned(line(fold_e=again))
    leaking = line().frame["fold_a"].to_list()
    leaking[2] = "train"
    with pytest.raises(DataError, match="both sides of 'fold_a' share 1 group of 'block'"):
        planned(line(fold_a=leaking))


def test_too_few_training_groups_for_a_choice_are_said() -> None:
    table = line()
    wide = {f"fold_{name}": [side if side == "test" else None for side in table.column(f"fold_{name}").to_list()]
            for name in BLOCKS}  # fmt: skip
    for number, name in enumerate(BLOCKS):  # one other group trains
        other = (number + 2) % 4
        wide[f"fold_{name}"][other * EACH : (other + 1) * EACH] = ["train"] * EACH
    with pytest.raises(DataError, match="fold 1 has too few training groups to choose a grid point on"):
        planned(line(**wide))
