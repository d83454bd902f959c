"""Which samples show what a model was trained on: ids, parts of arrays, recordings, files and contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.engine.record.training_rows import training_rows
from ssl_domains.prediction.trained import trained_on
from ssl_domains.samples import SampleTable, TableMeta


def table(whole_groups: tuple[str, ...] = (), **columns: list[Any]) -> SampleTable:
    return SampleTable(pl.DataFrame(columns), TableMeta(whole_groups=whole_groups))


def parts(array: str, *ends: tuple[int, int], **columns: list[Any]) -> SampleTable:
    """Parts of one recording of one channel."""
    return table(
        sample=[f"{array}:{start}-{stop}" for start, stop in ends], array=[array] * len(ends),
        region=[[start, stop, 0, 1] for start, stop in ends], **columns,
    )  # fmt: skip


def found(asked: SampleTable, trained: SampleTable) -> list[bool]:
    return trained_on(asked, training_rows(trained)).tolist()


def test_an_id_is_enough() -> None:
    assert found(table(sample=["a", "b"]), table(sample=["b", "c"])) == [False, True]


def test_a_run_of_an_earlier_version_kept_ids_alone() -> None:
    asked = parts("a.wav", (0, 10), (10, 20))
    assert trained_on(asked, pl.DataFrame({"sample": ["a.wav:10-20"]})).tolist() == [False, True]


def test_parts_of_a_recording_that_was_trained_on_as_a_whole_and_the_reverse() -> None:
    cuts, whole = parts("a.wav", (0, 10), (10, 20)), table(sample=["a.wav", "b.wav"])
    assert found(cuts, whole) == [True, True]
    assert found(whole, cuts) == [True, False]


def test_parts_that_overlap() -> None:
    trained = parts("a.wav", (10, 20), (40, 50))
    assert found(parts("a.wav", (0, 10), (5, 11), (20, 40), (49, 60)), trained) == [False, True, False, True]
    assert found(parts("b.wav", (10, 20)), trained) == [False]


def test_parts_elsewhere_in_a_recording_that_the_domain_keeps_whole() -> None:
    trained = table(("recording", "source"), sample=["x"], recording=["a.wav"], source=[None], speaker=["one"])
    asked = table(sample=["y", "z"], recording=["a.wav", None], source=[None, None], speaker=["one", "one"])
    assert found(asked, trained) == [True, False], "a null is no group, and a speaker no recording"


def test_equal_contents_under_another_name() -> None:
    trained = table(sample=["a"], content=["77"])
    assert found(table(sample=["b", "c", "d"], content=["77", "78", None]), trained) == [True, False, False]


def test_one_file_that_was_scanned_from_another_folder(tmp_path: Path) -> None:
    file, other = (str(tmp_path / name) for name in ("in/a.wav", "in/b.wav"))
    trained = table(sample=["in/a.wav"], path=[file])
    assert found(table(sample=["a.wav", "b.wav"], path=[file, other]), trained) == [True, False]
    kept = training_rows(trained)
    assert str(tmp_path) not in kept.write_csv(), "a run folder names no folder of the user"


def test_samples_of_one_file_that_holds_many_arrays(tmp_path: Path) -> None:
    file = str(tmp_path / "words.lmdb")
    trained = table(sample=["w1", "w2"], path=[file, file])
    assert found(table(sample=["w2", "w3"], path=[file, file]), trained) == [True, False]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_overlaps_are_those_of_brute_force(data: st.DataObject) -> None:
    def drawn(prefix: str) -> tuple[SampleTable, list[tuple[str, set[tuple[int, int]] | None]]]:
        rows = data.draw(
            st.lists(
                st.tuples(st.sampled_from("ab"), st.booleans(), *[st.integers(0, 5)] * 2, *[st.integers(1, 3)] * 2),
                min_size=1, max_size=6,
            )
        )  # fmt: skip
        regions = [None if whole else [x, x + w, y, y + h] for _, whole, x, y, w, h in rows]
        made = table(sample=[f"{prefix}{n}" for n in range(len(rows))], array=[row[0] for row in rows], region=regions)
        made = SampleTable(made.frame.with_columns(pl.col("region").cast(pl.List(pl.Int64))))
        places = [
            (row[0], None if ends is None else {(i, j) for i in range(*ends[:2]) for j in range(*ends[2:])})
            for row, ends in zip(rows, regions, strict=True)
        ]
        return made, places

    (asked, here), (trained, there) = drawn("x"), drawn("y")
    expected = [
        any(a == b and (p is None or q is None or p & q) for b, q in there) for a, p in here
    ]  # fmt: skip
    np.testing.assert_array_equal(trained_on(asked, training_rows(trained)), expected)
