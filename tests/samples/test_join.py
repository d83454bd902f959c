import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import (
    IdentifierKey,
    Join,
    SampleTable,
    TableMeta,
    join_columns,
    join_noted,
    names_of_join,
)

KEY = IdentifierKey(b"key")
HASHED = TableMeta("toy", ("patient",), key=KEY.fingerprint)


def test_columns_come_by_name_in_the_order_of_the_samples() -> None:
    table = SampleTable.of({"patient": ["b", "a", "b", "c"]})
    joined = join_columns(table, pl.DataFrame({"bcva": [70, 80], "patient": ["a", "b"]}), "patient")
    assert joined.frame["bcva"].to_list() == [80, 70, 80, None]
    assert joined.columns == ["sample", "patient", "bcva"]


def test_numbers_and_text_meet() -> None:
    table = SampleTable.of({"patient": ["1", "2"]})
    assert join_columns(table, pl.DataFrame({"patient": [2], "x": [5]}), "patient").frame["x"].to_list() == [None, 5]


def test_two_columns_make_one_key() -> None:
    table = SampleTable.of({"patient": ["a", "a"], "eye": ["L", "R"]})
    other = pl.DataFrame({"patient": ["a", "a"], "eye": ["R", "L"], "cst": [300, 250]})
    assert join_columns(table, other, ("patient", "eye")).frame["cst"].to_list() == [250, 300]


def test_identifiers_are_hashed_before_they_meet() -> None:
    table = SampleTable.of({"patient": [KEY.digest("Doe")]}, TableMeta("medical", ("patient",)))
    joined = join_columns(table, pl.DataFrame({"patient": ["Doe"], "bcva": [85]}), "patient", KEY)
    assert joined.frame["bcva"].to_list() == [85]
    assert "Doe" not in str(joined.frame.to_dicts())


def test_refusals() -> None:
    table = SampleTable.of({"patient": ["a"], "bcva": [1]})
    with pytest.raises(UsageError, match="in both"):
        join_columns(table, pl.DataFrame({"patient": ["a"], "bcva": [2]}), "patient")
    with pytest.raises(UsageError, match="joined table has no column"):
        join_columns(table, pl.DataFrame({"Patient": ["a"]}), "patient")
    with pytest.raises(DataError, match="share a value"):
        join_columns(table, pl.DataFrame({"patient": ["a", "a"], "x": [1, 2]}), "patient")
    with pytest.raises(DataError, match="no row"):
        join_columns(table, pl.DataFrame({"patient": ["z"], "x": [1]}), "patient")


def join(values: list[str], labels: dict[str, list[object]], on: str = "file", **columns: list[object]) -> Join:
    return join_noted(SampleTable.of({"file": values, **columns}), pl.DataFrame(labels), on)


def test_a_base_name_matches_where_it_is_unique_and_that_is_said() -> None:
    made = join(["a/1.png", "b/2.png", "b\\3.png"], {"file": ["3.png", "1.png", "x/b/2.png"], "grade": [3, 1, 2]})
    assert made.table.frame["grade"].to_list() == [1, 2, 3]
    assert "3 values were matched by the end of their paths" in " ".join(made.notes)


def test_accents_that_are_characters_of_their_own_match_composed_ones() -> None:
    composed, apart = "Gr\u00e4fin", "Gra\u0308fin"
    made = join([apart, "b"], {"file": [composed, "b"], "x": [1, 2]})
    assert made.table.frame["x"].to_list() == [1, 2]
    assert any("1 value was matched in another form of Unicode" in note for note in made.notes)
    made = join([f"a/{apart}.png"], {"file": [f"{composed}.png"], "x": [1]})
    assert made.table.frame["x"].to_list() == [1]
    made = join([apart, composed], {"file": [composed, "b"], "x": [1, 2]})
    assert made.table.frame["x"].to_list() == [None, 1], "equal text first; one value is never two"


def test_a_name_that_two_samples_have_is_not_matched_but_named() -> None:
    made = join(["a/1.png", "b/1.png", "b/2.png"], {"file": ["1.png", "2.png"], "grade": [1, 2]})
    assert made.table.frame["grade"].to_list() == [None, None, 2]
    assert "'1.png' (a/1.png, b/1.png)" in " ".join(made.notes)
    with pytest.raises(DataError) as caught:
        join(["a/1.png", "b/1.png"], {"file": ["1.png"], "grade": [1]})
    assert "write the folder too" in caught.value.hint


def test_a_name_of_another_folder_is_no_match() -> None:
    made = join(["a/1.png", "b/2.png"], {"file": ["c/1.png", "b/2.png"], "grade": [1, 2]})
    assert made.table.frame["grade"].to_list() == [None, 2]
    assert "'c/1.png'" in " ".join(made.notes)


def test_a_suffix_may_be_missing_on_one_side_only() -> None:
    made = join(["a/s1.nii.gz", "s2.nii.gz", "s3.png"], {"file": ["s1", "s2", "s3.jpg"], "grade": [1, 2, 3]})
    assert made.table.frame["grade"].to_list() == [1, 2, None]


def test_leading_zeros_and_floats_match_where_one_value_can_be_meant() -> None:
    made = join(["7", "103", "8"], {"file": ["007", "103", "8.0"], "age": [40, 43, 41]})
    assert made.table.frame["age"].to_list() == [40, 43, 41]
    assert "'007', '8.0'" in " ".join(made.notes)
    two = join(["7", "07", "9"], {"file": ["007", "9"], "age": [40, 41]})
    assert two.table.frame["age"].to_list() == [None, None, 41]


def test_hashed_numbers_match_with_other_zeros() -> None:
    table = SampleTable.of({"patient": [KEY.digest(text) for text in ("7", "0008", "103")]}, HASHED)
    labels = pl.DataFrame({"patient": ["007", "8.0", "103"], "age": [40, 41, 43]})
    made = join_noted(table, labels, "patient", KEY)
    assert made.table.frame["age"].to_list() == [40, 41, 43]
    both = SampleTable.of({"patient": [KEY.digest(text) for text in ("7", "07", "103")]}, HASHED)
    assert join_noted(both, labels, "patient", KEY).table.frame["age"].to_list() == [None, None, 43]


def test_no_match_shows_values_of_both_sides_and_that_one_is_hashed() -> None:
    ids = [KEY.digest(text) for text in ("x", "y")]
    with pytest.raises(DataError) as caught:
        join_noted(SampleTable.of({"patient": ids}, HASHED), pl.DataFrame({"patient": ["P1", "P2", "P3", "P4"]}),
                   "patient", KEY)  # fmt: skip
    for text in (repr(ids[0]), "keyed hashes", "'P1', 'P2', 'P3', …"):
        assert text in caught.value.message


def test_another_key_is_named_before_anything_is_compared() -> None:
    other = IdentifierKey(b"other")
    with pytest.raises(UsageError, match=f"{KEY.fingerprint}.*{other.fingerprint}"):
        join_noted(SampleTable.of({"patient": ["x"]}, HASHED), pl.DataFrame({"patient": ["P1"]}), "patient", other)


def test_repeated_values_are_named_and_equal_rows_are_taken_once() -> None:
    with pytest.raises(DataError, match="'103', '104'") as caught:
        join(["103"], {"file": ["103", "103", "104", "104"], "visit": [1, 2, 1, 2]})
    assert "--on file,visit" in caught.value.hint
    made = join(["103"], {"file": ["103", "103"], "visit": [1, 1]})
    assert made.table.frame["visit"].to_list() == [1]
    assert "1 row of the joined table left out, equal to another row" in " ".join(made.notes)


def test_columns_of_differing_names_meet_and_the_right_one_is_offered() -> None:
    labels = {"filename": ["1.png"], "grade": [1]}
    assert join(["a/1.png"], labels, "file=filename").table.columns == ["sample", "file", "grade"]
    with pytest.raises(UsageError) as caught:
        join(["a/1.png"], labels, "filename")
    assert caught.value.hint.endswith("--on file=filename")
    assert names_of_join("a, b=c") == [("a", "a"), ("b", "c")]
    assert names_of_join("a=b", ["a=b"]) == [("a=b", "a=b")]


def test_the_readers_own_columns_are_never_replaced() -> None:
    meta = TableMeta("toy", columns={"sample": "String", "modality": "String"})
    table = SampleTable.of({"sample": ["a"], "modality": ["MR"], "grade": [1]}, meta)
    labels = pl.DataFrame({"sample": ["a"], "modality": ["CT"]})
    with pytest.raises(UsageError, match="'modality' has the name of a column that is the reader's own") as caught:
        join_noted(table, labels, "sample", update=True)
    assert "modality_label" in caught.value.hint
    again = pl.DataFrame({"sample": ["a"], "grade": [2]})
    with pytest.raises(UsageError, match="in both tables"):
        join_noted(table, again, "sample")
    assert join_noted(table, again, "sample", update=True).table.frame["grade"].to_list() == [2]
    with pytest.raises(UsageError, match="read by the program"):
        join_noted(table, pl.DataFrame({"sample": ["a"], "array": ["x"]}), "sample")


def test_what_matched_nothing_is_counted_on_both_sides() -> None:
    made = join(["a", "b", "b"], {"file": ["a", "z"], "grade": [1, 2]})
    assert "no row of the joined table matches 2 of 3 samples" in made.notes[0]
    assert "no sample matches 1 of 2 rows of the joined table, such as 'z'" in made.notes[1]


def test_a_hundred_thousand_names_are_matched_by_base_name() -> None:
    rows = 100_000
    made = join([f"d{row % 50}/{row}.png" for row in range(rows)],
                {"file": [f"{row}.png" for row in range(rows)], "grade": list(range(rows))})  # fmt: skip
    assert made.table.frame["grade"].to_list() == list(range(rows))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_column_of_lists_joins_nothing(side: str) -> None:
    text, other = pl.Series(["a"]), pl.Series([["a"]])
    table = SampleTable.of(pl.DataFrame({"sample": ["s"], "name": other if side == "left" else text}))
    labels = pl.DataFrame({"name": other if side == "right" else text, "grade": [1]})
    with pytest.raises(DataError, match="'name' holds List"):
        join_columns(table, labels, "name")
