from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.probes import label_draws, read_labels


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_draws_are_nested_whole_groups_and_keep_every_class(data: st.DataObject) -> None:
    groups = data.draw(st.integers(2, 30))
    rows = data.draw(st.integers(1, 4))
    group = np.repeat(np.arange(groups), rows)
    code = data.draw(st.lists(st.sampled_from([None, 0, 1, 2]), min_size=len(group), max_size=len(group)))
    train = group % 5 != 0
    labels = read_labels(pl.Series("y", code, dtype=pl.Int64))
    usable = train & labels.known
    if not usable.any():
        return
    draws = label_draws(labels, group, train, [0.01, 0.2, 0.5, 1.0], seed=data.draw(st.integers(0, 3)))
    for small, large in itertools.pairwise(draws):
        assert not (small.rows & ~large.rows).any()
    assert np.array_equal(draws[-1].rows, usable)
    for draw in draws:
        taken = np.unique(group[draw.rows])
        assert np.array_equal(draw.rows, usable & np.isin(group, taken))
        assert draw.groups == len(taken)
        assert set(labels.y[draw.rows]) == set(labels.y[usable])
        assert bool(draw.note) == (draw.groups > max(1, round(draw.asked * len(np.unique(group[usable])))))


def test_single_class_groups_are_stratified() -> None:
    group = np.arange(100)
    code = np.where(group < 80, 0, 1)
    draw = label_draws(read_labels(pl.Series(code)), group, group >= 0, [0.2], seed=4)[0]
    counts = np.bincount(code[draw.rows])
    assert counts.sum() == 20
    assert abs(counts[1] - 4) <= 1


def test_a_fraction_that_would_empty_a_class_is_raised_and_said() -> None:
    group = np.arange(100)
    labels = read_labels(pl.Series([str(g % 5) for g in group]))
    tiny, tenth = label_draws(labels, group, group >= 0, [0.01, 0.1])
    assert (tiny.groups, tiny.used) == (5, 0.05)
    assert tiny.note == ("a fraction of 0.01 would leave a class without a label: 5 of 100 groups are used instead")
    assert (tenth.groups, tenth.note) == (10, "")


def test_a_draw_depends_on_its_seed_alone() -> None:
    group = np.arange(60)
    labels = read_labels(pl.Series(group % 2))
    again = [label_draws(labels, group, group >= 0, [0.2], seed=7)[0].rows for _ in range(2)]
    assert np.array_equal(*again)
    assert not np.array_equal(again[0], label_draws(labels, group, group >= 0, [0.2], seed=8)[0].rows)


def test_numbers_have_no_classes_to_stratify() -> None:
    draw = label_draws(read_labels(pl.Series(np.linspace(0, 1, 50))), np.arange(50), np.ones(50, bool), [0.1])[0]
    assert draw.groups == 5


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5])
def test_fractions_lie_above_0_and_up_to_1(fraction: float) -> None:
    with pytest.raises(UsageError, match="fraction"):
        label_draws(read_labels(pl.Series([0, 1])), np.arange(2), np.ones(2, bool), [fraction])
