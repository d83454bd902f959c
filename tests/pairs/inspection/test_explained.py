"""How much a number explains of which pairs are positive: by hand, and what the report says of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ssl_domains.pairs import BatchSampler, Composition, PairsReport, inspect_pairs, parse
from ssl_domains.pairs.inspection.explained import explained_share
from ssl_domains.samples import SampleTable


def entropy(*counts: int) -> float:
    return -sum(c / sum(counts) * math.log(c / sum(counts)) for c in counts if c)


def test_two_distances_by_hand() -> None:
    """Of 200 near pairs 150 are positive, of 800 far pairs 80."""
    distances = np.array([1.0] * 200 + [5.0] * 800)
    positive = np.array([True] * 150 + [False] * 50 + [True] * 80 + [False] * 720)
    known = entropy(150 + 80, 50 + 720) + entropy(200, 800) - entropy(150, 50, 80, 720)
    assert explained_share(distances, positive) == pytest.approx(known / entropy(230, 770))


def test_a_window_is_explained_wholly_and_chance_not_at_all() -> None:
    rng = np.random.default_rng(0)
    distances = np.abs(rng.normal(size=20_000))
    assert explained_share(distances, distances <= 0.05) == pytest.approx(1)
    drawn = explained_share(distances, rng.random(20_000) < 0.1)
    assert drawn is not None
    assert drawn < 0.01


def test_nothing_is_said_of_few_pairs() -> None:
    positive = np.zeros(1000, dtype=np.bool_)
    positive[:49] = True
    assert explained_share(np.arange(1000.0), positive) is None
    assert explained_share(np.arange(1000.0), ~positive) is None
    positive[49] = True
    assert explained_share(np.arange(1000.0), positive) == pytest.approx(1)


def survey(n: int = 600, surveys: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    place = rng.integers(0, 30, n)
    depth = rng.integers(0, 100, n) * 4.0
    return {
        "place": place.tolist(),
        "ms": depth.tolist(),
        "depth": depth.tolist(),
        "amplitude": (depth + rng.normal(0, 0.5, n)).tolist(),
        "survey": rng.integers(0, surveys, n).tolist(),
        "weight": (7.5 * place + 40).tolist(),
    }


def report(columns: dict[str, Any], rule: str, nuisance: str, group: str | None = "survey") -> PairsReport:
    table = SampleTable.of(columns)
    objective = parse(rule)
    bound = objective.bind(table)
    sampler = BatchSampler(bound, Composition("random"), 200, table=table)
    return inspect_pairs(table, objective, bound, sampler, nuisance=(nuisance,), group=group)


@pytest.mark.parametrize("rule", ["within('ms', 20)", "same(bins('ms', 8))"])
@pytest.mark.parametrize("column", ["depth", "amplitude"])
def test_a_rule_that_is_a_number_is_called_so_even_in_one_survey(rule: str, column: str) -> None:
    made = report(survey(), rule, column)
    (sharing,) = made.relations[0].sharing
    assert sharing.explained is not None
    assert sharing.explained > 0.5
    said = f"these positives are {column} in disguise: it explains {100 * sharing.explained:.0f} % of"
    assert any(said in warning for warning in made.warnings)
    assert f"distance explains {100 * sharing.explained:.1f} %" in dict(made.rows())[f"  nuisance {column}"]


def test_the_same_place_at_a_near_depth_is_not_depth() -> None:
    made = report(survey(3000), "same('place') & within('ms', 8)", "depth")
    (sharing,) = made.relations[0].sharing
    assert sharing.explained is not None
    assert 0.1 < sharing.explained < 0.5
    assert not any("in disguise" in warning for warning in made.warnings)


def test_missing_values_are_left_out_and_some_known_ones_are_enough() -> None:
    columns = survey(4000)
    columns["depth"] = [value if k % 40 == 0 else None for k, value in enumerate(columns["depth"])]
    (sharing,) = report(columns, "within('ms', 20)", "depth").relations[0].sharing
    assert sharing.explained == pytest.approx(1)


@pytest.mark.parametrize(("places", "judged"), [(7, False), (8, True)])
def test_what_has_one_value_a_group_is_judged_by_the_number_of_groups(places: int, judged: bool) -> None:
    columns = survey(800)
    columns["place"] = [k % places for k in range(800)]
    columns["weight"] = [50.0 + 3.5 * (k % places) for k in range(800)]
    (sharing,) = report(columns, "same('place')", "weight", group="place").relations[0].sharing
    assert sharing.explained == pytest.approx(1)
    assert sharing.verdict.startswith("these positives are the weight") == judged
    assert sharing.verdict.startswith(f"seen with only {places} groups") != judged


def test_labels_and_texts_have_no_distance() -> None:
    columns = {**survey(), "scanner": ["A", "B"] * 300}
    (sharing,) = report(columns, "within('ms', 20)", "scanner").relations[0].sharing
    assert sharing.explained is None
