"""Columns whose values name single patients, recordings or samples."""

from __future__ import annotations

from typing import Any

import pytest

from ssl_domains.samples import SampleTable, TableMeta, looks_identifying

PATIENTS = [f"p{k // 6}" for k in range(120)]  # 20 patients of 6 samples
NAMES = ["Ann Lee", "Bo Chen", *(f"Name {k}" for k in range(18))]


def table(**columns: Any) -> SampleTable:
    frame = SampleTable.of({"patient": PATIENTS, **columns}).frame
    return SampleTable(frame, TableMeta(identifiers=("patient",)))


@pytest.mark.parametrize(
    ("values", "identifying"),
    [
        pytest.param([NAMES[k // 6] for k in range(120)], True, id="a name for each patient"),
        pytest.param([None if k < 24 else NAMES[k // 6] for k in range(120)], True, id="some names missing"),
        pytest.param([NAMES[min(k // 6, 18)] for k in range(120)], True, id="two patients of one name"),
        pytest.param([1000 + k // 6 for k in range(120)], True, id="a number for each patient"),
        pytest.param([f"file {k}" for k in range(120)], True, id="a text for each sample"),
        pytest.param([[NAMES[k // 6]] for k in range(120)], True, id="lists of names"),
        pytest.param(["ab"[k // 6 % 2] for k in range(120)], False, id="a diagnosis of two classes"),
        pytest.param([f"class {k // 6 % 9}" for k in range(120)], False, id="nine classes"),
        pytest.param([f"visit {k % 6}" for k in range(120)], False, id="visits of each patient"),
        pytest.param([float(k) for k in range(120)], False, id="a measurement"),
        pytest.param(["one"] * 120, False, id="a constant"),
        pytest.param([None] * 120, False, id="nothing"),
    ],
)
def test_columns_beside_patients(values: list[Any], identifying: bool) -> None:
    assert looks_identifying(table(value=values), "value") is identifying


def test_the_group_of_a_split_counts_as_a_unit() -> None:
    plain = SampleTable.of({"recording": PATIENTS, "place": [NAMES[k // 6] for k in range(120)]})
    assert not looks_identifying(plain, "place")
    assert looks_identifying(plain, "place", "recording")
    assert not looks_identifying(plain, "recording"), "nothing says that a recording is one"


def test_identifiers_of_the_scan_are_identifying_whatever_they_hold() -> None:
    frame = SampleTable.of({"site": ["a", "b"] * 10}).frame
    assert looks_identifying(SampleTable(frame, TableMeta(identifiers=("site",))), "site")
