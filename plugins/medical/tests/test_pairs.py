"""The samplers' rules, and what they match."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler, parse_call
from ssl_domains.pairs import parse
from ssl_domains.samples import SampleTable
from ssl_domains_medical.pairs import SAMPLERS

BY_NAME = {sampler.name: sampler for sampler in SAMPLERS}


def rule(text: str) -> str:
    name, params = parse_call(text)
    objective, _ = BY_NAME[name].resolve(**params)
    return str(objective)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patient", "same('patient')"),
        ("patient(other_study='ignore')", "(same('patient') & same('study')).ignore(same('patient'))"),
        ("eye", "same('patient', 'laterality')"),
        ("study", "same('study')"),
        ("series", "same('series')"),
        ("volume", "same('volume')"),
        ("neighbours", "same('volume') & within('slice', 2)"),
        ("neighbours(slices=1)", "same('volume') & within('slice', 1)"),
        ("neighbours(width_mm=4.5)", "same('volume') & within('position_mm', 4.5)"),
        ("position", "same(bins('position', 12))"),
        ("position(n=30)", "same(bins('position', 30))"),
        ("clinical(column='cst')", "same('cst')"),
        ("clinical(column='cst', bins=5)", "same(bins('cst', 5, by='quantile'))"),
        ("clinical(column='cst', bins=5, by='width')", "same(bins('cst', 5))"),
        ("clinical(column='cst', tolerance=10)", "within('cst', 10)"),
        (
            "clinical(column={'bcva': 0.7, 'cst': 0.3}, bins={'bcva': 5}, tolerance={'cst': 20})",
            "0.7*same(bins('bcva', 5, by='quantile')) + 0.3*within('cst', 20)",
        ),
    ],
)
def test_rules(text: str, expected: str) -> None:
    made = parse(expected)
    assert rule(text) == str(made if hasattr(made, "relations") else 1 * made)


@pytest.mark.parametrize(
    "text",
    [
        "clinical",
        "clinical(column=3)",
        "clinical(column='cst', bins=5, tolerance=3)",
        "clinical(column={})",
        "clinical(column={'cst': 1}, bins={'bcva': 3})",
        "clinical(column={'cst': -1})",
        "clinical(column={'cst': '1'})",
        "clinical(column='cst', tolerance='10')",
        "clinical(column='cst', bins=0)",
        "clinical(colum='cst')",
        "neighbours(width_mm=2, slices=1)",
        "neighbours(slices=-1)",
        "neighbours(width_mm=True)",
        "position(n=0)",
        "patient(other_study='drop')",
        "volume(n=3)",
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as error:
        rule(text)
    assert error.value.hint


def weights(text: str, columns: dict[str, Any]) -> list[list[float]]:
    import numpy as np

    name, params = parse_call(text)
    objective, _ = BY_NAME[name].resolve(**params)
    bound = objective.bind(SampleTable.of(pl.DataFrame(columns)))
    every = np.arange(bound.size)
    total = sum(r.weight * r.rule.weights(every, every) for r in bound.relations)
    return [[float(w) for w in row] for row in np.asarray(total)]


def test_a_null_patient_matches_nobody_not_even_another_null() -> None:
    matrix = weights("patient", {"patient": ["a", "a", None, None]})
    assert [matrix[0][1], matrix[0][2], matrix[2][3]] == [1.0, 0.0, 0.0]


def test_a_missing_value_matches_nothing() -> None:
    matrix = weights("clinical(column='cst', tolerance=10)", {"cst": [300, 305, 311, None, None]})
    assert [matrix[0][1], matrix[0][2], matrix[1][2], matrix[3][4]] == [1.0, 0.0, 1.0, 0.0]


def test_neighbours_stay_inside_their_volume_and_are_inclusive() -> None:
    columns = {"volume": ["a", "a", "a", "b"], "position_mm": [0.0, 4.0, 8.5, 0.0]}
    matrix = weights("neighbours(width_mm=4)", columns)
    assert [matrix[0][1], matrix[1][2], matrix[0][3]] == [1.0, 0.0, 0.0]


def test_position_matches_across_volumes() -> None:
    columns = {"position": [0.0, 1.0, 0.04, 0.5, None, None]}
    matrix = weights("position(n=4)", columns)
    assert [matrix[0][2], matrix[0][3], matrix[1][3], matrix[4][5]] == [1.0, 0.0, 0.0, 0.0]


def test_a_weighted_sum_has_a_relation_for_each_column() -> None:
    objective, _ = BY_NAME["clinical"].resolve(column={"bcva": 0.7, "cst": 0.3})
    assert objective.columns == {"bcva", "cst"}
    matrix = weights("clinical(column={'bcva': 0.7, 'cst': 0.3})", {"bcva": [1, 1, 2], "cst": [5, 6, 5]})
    assert matrix[0][1] == pytest.approx(0.7)
    assert matrix[0][2] == pytest.approx(0.3)


def test_every_sampler_has_a_summary_and_belongs_to_the_domain() -> None:
    for sampler in SAMPLERS:
        assert isinstance(sampler, PairSampler)
        assert sampler.domain == "medical"
        assert sampler.summary
