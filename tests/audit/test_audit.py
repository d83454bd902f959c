"""The audit of a split: which sides are compared with which, and what is said of what could not be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.audit import audit_split, sides_of
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, TableMeta, group_split


def table(**columns: list[object]) -> SampleTable:
    return SampleTable.of(pl.DataFrame(columns, strict=False))


def test_every_pair_of_folds_is_compared() -> None:
    found = audit_split(table(fold=[0, 1, 2, 10, 10, None], patient=list("abcabz")), "fold", ["patient"])
    assert list(found.rows) == ["0", "1", "2", "10"]
    assert found.neither == 1
    leaking = {finding.between for finding in found.leaks}
    assert leaking == {"0 | 10", "1 | 10"}
    assert len(found.findings) == 6
    with pytest.raises(DataError, match=r"1 of 2 groups of 'patient' in 10 are in 0 as well.*and 1 more"):
        found.check()


def test_missing_groups_are_in_no_group_and_are_said() -> None:
    found = audit_split(table(split=["train", "test"] * 2, eye=[None, None, "left", "right"]), "split", ["eye"])
    assert not found.leaks
    assert "2 rows have no 'eye'" in " ".join(found.notes)
    numbers = audit_split(table(split=["train", "test"], eye=[float("nan"), float("nan")]), "split", ["eye"])
    assert not numbers.leaks


def test_numbers_and_their_text_are_one_group() -> None:
    one = table(sample=["a", "b"], split=["train", "test"], patient=[7.0, 8.0])
    other = table(sample=["c"], patient=["8"])
    found = audit_split(one, "split", ["patient"], pretraining=other)
    assert [finding.between for finding in found.leaks] == ["pre-training | test"]


def test_identifiers_are_never_named() -> None:
    frame = pl.DataFrame({"split": ["train", "test"], "patient": ["Mary", "Mary"], "site": ["north", "north"]})
    hidden = SampleTable.of(frame, TableMeta("medical", ("patient",)))
    found = audit_split(hidden, "split", ["patient", "site"], names=True)
    assert len(found.leaks) == 2
    assert "Mary" not in str(found.to_dict())
    assert "north" in str(found.to_dict())
    assert "north" not in str(audit_split(hidden, "split", ["site"]).to_dict())


def test_pre_training_is_compared_with_what_is_held_out() -> None:
    rows = table(sample=list("abcd"), split=["train", "train", "val", "test"], patient=list("pqrs"))
    before = table(sample=["a", "d", "z"], patient=["p", "s", "r"])
    found = audit_split(rows, "split", ["patient"], pretraining=before)
    leaks = {(finding.check, finding.between): finding.found for finding in found.leaks}
    assert leaks == {
        ("sample", "pre-training | test"): 1,
        ("group", "pre-training | test"): 1,
        ("group", "pre-training | val"): 1,
    }
    only = audit_split(rows, "split", ["patient"], pretraining=before, held=["val"])
    assert {finding.between for finding in only.leaks} == {"pre-training | val"}
    with pytest.raises(UsageError, match="no side 'tset'"):
        audit_split(rows, "split", pretraining=before, held=["tset"])


def test_of_folds_every_one_is_held_out_unless_said() -> None:
    rows = table(sample=list("abc"), fold=[0, 1, 2])
    before = table(sample=["a", "b"])
    assert len(audit_split(rows, "fold", pretraining=before).leaks) == 2
    assert not audit_split(rows, "fold", pretraining=before, held=["2"]).leaks


def test_what_is_no_split_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="1 value"):
        audit_split(table(split=["train", "train"]), "split")
    with pytest.raises(UsageError, match="100 values"):
        audit_split(table(split=list(range(100))), "split")
    with pytest.raises(UsageError, match="no column 'spilt'"):
        audit_split(table(split=["train", "test"]), "spilt")
    with pytest.raises(UsageError, match="no column 'patent'"):
        audit_split(table(split=["train", "test"], patient=["a", "b"]), "split", ["patent"])
    with pytest.raises(UsageError, match="--gap"):
        audit_split(table(split=["train", "test"]), "split", gap=3)


def test_a_split_made_by_scan_passes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = []
    for number in range(20):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(rng.bytes(40))
        paths.append(str(path))
    rows = group_split(table(path=paths, patient=[number // 4 for number in range(20)]), "patient")
    found = audit_split(rows, "split", ["patient"])
    assert not found.leaks
    found.check()
    assert {finding.check for finding in found.findings} == {"group", "content"}


def test_train_comes_first_whatever_the_alphabet_says() -> None:
    names = [side.name for side in sides_of(table(split=["test", "train", "dev"]), "split")]
    assert names == ["train", "dev", "test"]


def test_tables_hashed_with_different_keys_are_said_not_to_be_comparable() -> None:
    rows = table(sample=list("ab"), split=["train", "test"], patient=["1f", "2f"])
    before = table(sample=["c"], patient=["3f"])
    one, other = (TableMeta("medical", ("patient",), key=key) for key in "kl")
    rows = replace(rows, meta=one)
    found = audit_split(rows, "split", ["patient"], pretraining=replace(before, meta=other))
    assert any("hashed by different keys" in note for note in found.notes)
    found = audit_split(rows, "split", ["patient"], pretraining=replace(before, meta=one))
    assert not any("hashed" in note for note in found.notes)
