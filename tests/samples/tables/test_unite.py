"""Two ids of one group become one, and the group stays on one side of the split."""

from __future__ import annotations

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import IdentifierKey, SampleTable, TableMeta, united


def table(**columns: list[object]) -> SampleTable:
    return SampleTable.of(
        pl.DataFrame(
            {
                "speaker": ["S05", "S05", "S13", "S07", None],
                "session": ["S05-1", "S05-2", "S13-1", "S07-1", None],
                "split": ["train", "train", "test", "test", "test"],
                **columns,
            }
        )
    )


def test_the_rows_of_one_id_become_rows_of_the_other_and_move_to_its_side() -> None:
    made, notes = united(table(), ["speaker:S13=S05"])
    assert made.frame["speaker"].to_list() == ["S05", "S05", "S05", "S07", None]
    assert made.frame["split"].to_list() == ["train", "train", "train", "test", "test"]
    assert made.frame["session"].to_list() == table().frame["session"].to_list()
    assert notes == ("speaker: 1 row of 'S13' are now 'S05'; 1 was on another side of the split",)


def test_several_ids_are_united_one_after_the_other() -> None:
    made, notes = united(table(), ["speaker:S13=S05", "session: S13-1 = S05-2"])
    assert made.frame["session"].to_list() == ["S05-1", "S05-2", "S05-2", "S07-1", None]
    assert notes[1] == "session: 1 row of 'S13-1' are now 'S05-2'"
    chained, _ = united(table(), ["speaker:S13=S07", "speaker:S07=S05"])
    assert chained.frame["speaker"].to_list() == ["S05", "S05", "S05", "S05", None]
    assert chained.frame["split"].to_list() == ["train"] * 4 + ["test"]


def test_where_the_other_id_is_on_both_sides_every_row_keeps_its_side() -> None:
    before = table(split=["train", "test", "test", "test", None])
    made, (note,) = united(before, ["speaker:S13=S05"])
    assert made.frame["split"].to_list() == before.frame["split"].to_list()
    assert "several sides" in note
    unsplit, (note,) = united(SampleTable.of(table().frame.drop("split")), ["speaker:S13=S05"])
    assert unsplit.columns == ["sample", "speaker", "session"]
    assert "side" not in note


def test_numbers_stay_numbers() -> None:
    made, _ = united(table(patient=[5, 5, 13, 7, None]), ["patient:13=5"])
    assert made.frame["patient"].dtype == pl.Int64
    assert made.frame["patient"].to_list() == [5, 5, 5, 7, None]


def test_identifiers_are_given_as_the_files_have_them_and_never_told() -> None:
    key = IdentifierKey(b"secret")
    names = ["Anna", "Anna", "A. Meier", "Bert", "Carl"]
    hashed = SampleTable(
        table(patient=[key.digest(name) for name in names]).frame, TableMeta("toy", ("patient",), {}, key.fingerprint)
    )
    made, (note,) = united(hashed, ["patient:A. Meier=Anna"], key)
    assert made.frame["patient"].to_list() == [key.digest(name) for name in ["Anna"] * 3 + names[3:]]
    assert made.meta == hashed.meta
    assert "Anna" not in note
    assert key.digest("Anna") not in note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speaker=S05", "has not the form"),
        ("speaker:S13", "has not the form"),
        (":S13=S05", "has not the form"),
        ("speaker:=S05", "has not the form"),
        ("speker:S13=S05", "there is no column 'speker'"),
        ("speaker:S14=S05", "no row has the speaker 'S14'"),
        ("speaker:S13=S06", "no row has the speaker 'S06'"),
        ("speaker:S05=S05", "one id already"),
        ("sample:0=1", "an id of its own"),
        ("number:a=b", "holds Int64"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        united(table(number=[1, 2, 3, 4, 5]), [text])
    assert caught.value.hint
