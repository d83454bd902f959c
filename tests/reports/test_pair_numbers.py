"""The inspection of pairs, read back from ``pairs.json``."""

from __future__ import annotations

import json

import pytest

from ssl_domains.errors import DataError
from ssl_domains.pairs import BatchSampler, Composition, inspect_pairs, parse
from ssl_domains.reports.pair_numbers import pair_rows
from ssl_domains.samples import SampleTable


@pytest.mark.parametrize("negatives", [None, "same('c')"])
def test_a_stored_report_has_the_same_lines(negatives: str | None) -> None:
    table = SampleTable.of({"g": [i // 4 for i in range(40)], "c": [i // 20 for i in range(40)]})
    rule = parse("same('g')")
    bound = rule.bind(table)
    sampler = BatchSampler(bound, Composition("partner", negatives=negatives), 8, table=table)
    report = inspect_pairs(table, rule, bound, sampler)
    rows = pair_rows(json.loads(json.dumps(report.to_dict())))
    assert rows == report.rows()
    assert ("negatives" in dict(rows)) == (negatives is not None)


def test_a_file_of_another_version_is_refused() -> None:
    with pytest.raises(DataError, match=r"pairs.json can't be read"):
        pair_rows({"relations": []})
