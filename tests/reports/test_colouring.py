from __future__ import annotations

import polars as pl

from ssl_domains.reports.colouring import CATEGORIES, RAMP, colourings
from ssl_domains.samples import SampleTable, TableMeta

FRAME = pl.DataFrame(
    {
        "kind": ["a", "b", None, "a"],
        "patient": ["Ann", "Bob", "Ann", "Cid"],
        "record": [1003, 1004, 1003, 1005],
        "age": [30.5, None, 50.0, 40.0],
        "same": ["x"] * 4,
        "tags": [["a"], [], ["b"], ["a"]],
    }
)


def test_labels_are_printed_and_what_the_rule_groups_by_is_numbered() -> None:
    kind, patient, record, age = colourings(
        SampleTable.of(FRAME), ["kind", "same", "tags", "nowhere"], ["patient", "record", "age", "kind"]
    )
    assert kind.texts == ["a", "b", "missing", "a"]
    assert kind.classes == ["c0", "c1", "cx", "c0"]
    assert kind.legend == [("c0", "a"), ("c1", "b"), ("cx", "missing")]
    assert patient.texts == ["no. 1", "no. 2", "no. 1", "no. 3"]
    assert record.texts == ["no. 1", "no. 2", "no. 1", "no. 3"]
    assert age.texts == ["30.5", "missing", "50", "40"]


def test_an_identifier_is_never_printed_even_as_a_label() -> None:
    table = SampleTable(SampleTable.of(FRAME).frame, TableMeta(identifiers=("patient",)))
    (patient,) = colourings(table, ["patient"], [])
    assert patient.texts == ["no. 1", "no. 2", "no. 1", "no. 3"]
    assert "Ann" not in str(patient)


def test_rare_categories_share_grey() -> None:
    names = [f"k{i:02d}" for i in range(CATEGORIES + 3) for _ in range(20 - i)]
    (kind,) = colourings(SampleTable.of({"kind": names}), ["kind"], [])
    assert kind.legend[-1] == ("cx", "3 more")
    assert len(kind.legend) == CATEGORIES + 1
    assert kind.classes[-1] == "cx"


def test_numbers_climb_a_ramp() -> None:
    (age,) = colourings(SampleTable.of({"age": [float(i) for i in range(RAMP)]}), ["age"], [])
    assert age.numeric
    assert age.classes == [f"s{i}" for i in range(RAMP)]
    assert (age.legend[0][1], age.legend[-1][1]) == ("0", "6")
