from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import evaluation_split
from ssl_domains.samples import SampleTable, TableMeta

FRAME = pl.DataFrame(
    {
        "sample": list("abcdef"),
        "patient": ["p", "p", "q", "q", "r", None],
        "split": ["train", "train", "train", "train", "test", None],
    }
)


def test_the_split_of_the_table_is_taken() -> None:
    split = evaluation_split(SampleTable.of(FRAME), "patient", frozenset("abcd"))
    assert split.train.tolist() == [True] * 4 + [False] * 2
    assert split.test.tolist() == [False] * 4 + [True, False]
    assert (split.group, split.test_groups, split.transductive) == ("patient", 1, "")
    assert "1 row without 'patient'" in " ".join(split.notes)


def test_the_group_it_was_split_by_is_remembered() -> None:
    table = SampleTable.of(FRAME, TableMeta(options={"split_by": "patient"}))
    assert evaluation_split(table, None, frozenset()).group == "patient"
    bare = evaluation_split(SampleTable.of(FRAME), None, frozenset())
    assert bare.group == "sample"
    assert "own group" in " ".join(bare.notes)


def test_pre_training_on_test_groups_is_transductive_even_by_another_sample_of_the_group() -> None:
    frame = FRAME.with_columns(split=pl.Series(["train", "train", "train", "test", "test", None]), visit=pl.lit(1))
    split = evaluation_split(SampleTable.of(frame), "patient", frozenset("abc"))
    assert split.transductive.startswith("1 of 2 test groups were pre-trained on")


def test_without_a_split_one_is_made_by_group_and_said() -> None:
    frame = pl.DataFrame({"patient": np.repeat(np.arange(10), 3)})
    table = SampleTable.of(frame)
    split = evaluation_split(table, "patient", frozenset(table.frame["sample"]))
    assert not set(split.groups[split.train]) & set(split.groups[split.test])
    assert split.test_groups == 2
    assert split.transductive.startswith("2 of 2")
    assert "no split" in split.notes[0]
    with pytest.raises(UsageError, match="no --group to split by was given"):
        evaluation_split(table, None, frozenset())


def test_an_empty_side_is_an_error() -> None:
    with pytest.raises(DataError, match="'test'"):
        evaluation_split(SampleTable.of(FRAME.with_columns(split=pl.lit("train"))), "patient", frozenset())


def test_a_run_that_was_split_by_a_group_never_makes_every_sample_its_own() -> None:
    bare = SampleTable.of(FRAME)
    assert evaluation_split(bare, None, frozenset(), run_group="patient").group == "patient"
    lost = SampleTable.of(FRAME.drop("patient"))
    for table, group in (
        (lost, "patient"),
        (SampleTable(lost.frame, TableMeta(options={"split_by": "patient"})), None),
    ):
        with pytest.raises(UsageError, match="split by 'patient'") as caught:
            evaluation_split(table, None, frozenset(), run_group=group)
        assert "--group" in caught.value.hint
    assert evaluation_split(lost, "sample", frozenset(), run_group="patient").group == "sample"
