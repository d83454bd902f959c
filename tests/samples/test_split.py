import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, balanced_parts, fold_split, group_split, shuffle_columns


@given(st.lists(st.sampled_from("abcdefg") | st.none(), min_size=2), st.floats(0.05, 0.95), st.integers(0, 99))
def test_groups_are_whole_and_nulls_in_neither(groups: list[str | None], test: float, seed: int) -> None:
    table = SampleTable.of({"sample": [str(i) for i in range(len(groups))], "g": groups})
    if len(set(groups) - {None}) < 2:
        with pytest.raises(DataError):
            group_split(table, "g", test, seed)
        return
    split = group_split(table, "g", test, seed).frame["split"].to_list()
    sides = {side: {g for g, s in zip(groups, split, strict=True) if s == side} for side in ("train", "test", None)}
    assert not sides["train"] & sides["test"]
    assert sides["train"]
    assert sides["test"]
    assert sides[None] <= {None}
    assert None not in sides["train"] | sides["test"]


def test_split_depends_on_seed_and_groups_not_on_row_order() -> None:
    table = SampleTable.of({"g": [f"p{i % 20}" for i in range(100)]})
    split = group_split(table, "g", 0.3, seed=1)
    order = np.random.default_rng(0).permutation(100)
    assert group_split(table.take(order), "g", 0.3, seed=1).frame["split"].equals(split.take(order).frame["split"])
    assert not group_split(table, "g", 0.3, seed=2).frame["split"].equals(split.frame["split"])
    assert split.frame.filter(split.frame["split"] == "test")["g"].n_unique() == 6


def test_the_last_published_fold_is_held_out() -> None:
    made, note = fold_split(SampleTable.of({"fold": ["1", "10", None, "2", "10"]}), "fold")
    assert made.frame["split"].to_list() == ["train", "test", None, "train", "test"], "10 comes behind 2"
    assert made.meta.group == "fold"
    assert note.startswith("split by the folds of the data set: fold 10 is held out, 2 are for training (")
    numbers, _ = fold_split(SampleTable.of({"fold": [3, 1, 2]}), "fold")
    assert numbers.frame["split"].to_list() == ["test", "train", "train"]
    one, note = fold_split(SampleTable.of({"fold": ["1", None]}), "fold")
    assert "split" not in one.columns
    assert note == ""
    with pytest.raises(UsageError):
        fold_split(one, "part")


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_share_out_of_range(share: float) -> None:
    with pytest.raises(UsageError):
        group_split(SampleTable.of({"g": ["a", "b"]}), "g", share)


def test_shuffle_is_one_joint_permutation() -> None:
    table = SampleTable.of({"a": list(range(50)), "b": [2 * i for i in range(50)], "c": list(range(50))})
    shuffled = shuffle_columns(table, ["b", "a"], seed=3).frame
    assert (shuffled["b"] == 2 * shuffled["a"]).all()
    assert sorted(shuffled["a"]) == list(range(50))
    assert shuffled["a"].to_list() != list(range(50))
    assert shuffled["c"].to_list() == list(range(50))


def test_too_few_groups_are_counted() -> None:
    for groups, said, hint in ((["a", "a"], "has 1 group,", "finer column"), ([None, None], "has 0 groups,", "no row")):
        with pytest.raises(DataError) as caught:
            group_split(SampleTable.of({"sample": ["s0", "s1"], "g": groups}), "g")
        assert said in caught.value.message
        assert hint in str(caught.value.hint)


@given(st.lists(st.integers(1, 40), min_size=3, max_size=60), st.integers(0, 5))
def test_parts_are_as_equal_as_whole_groups_allow(sizes: list[int], seed: int) -> None:
    part = balanced_parts(np.array(sizes), np.full(3, 1 / 3), seed)
    rows = np.bincount(part, weights=sizes, minlength=3)
    assert (np.bincount(part, minlength=3) > 0).all()
    # Largest first: the fullest part was the emptiest when it got its last group, so no other is emptier by more.
    assert rows.max() - rows.min() <= max(sizes)
    assert (part == balanced_parts(np.array(sizes), np.full(3, 1 / 3), seed)).all()


def test_parts_have_their_shares() -> None:
    part = balanced_parts(np.ones(100, dtype=np.int64), np.array([0.8, 0.2]), 1)
    assert np.bincount(part).tolist() == [80, 20]
    drawn = {tuple(balanced_parts(np.ones(10, dtype=np.int64), np.array([0.5, 0.5]), seed)) for seed in range(5)}
    assert len(drawn) == 5


def test_rows_are_exchanged_with_rows_of_the_same_value() -> None:
    side = ["q"] * 30 + ["d"] * 50 + [None] * 10
    table = SampleTable.of({"side": side, "name": list(range(90))})
    made = shuffle_columns(table, ["name"], 3, within="side").frame
    for value in ("q", "d", None):
        rows = [number for number, one in enumerate(side) if one == value]
        found = made["name"].gather(rows).to_list()
        assert sorted(found) == rows
        assert found != rows
    assert made["name"].to_list() != shuffle_columns(table, ["name"], 4, within="side").frame["name"].to_list()
    assert made["side"].to_list() == side
