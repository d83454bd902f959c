"""Advice on batch size and composition, against all possible batches, and against plans counted by loops."""

from __future__ import annotations

import json
import math
import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs import BatchSampler, Composition, Objective, Rule, parse
from ssl_domains.pairs.inspection.advice import Advice, advise, batch_sizes, degrees, random_outlook
from ssl_domains.samples import SampleTable

COLUMNS: dict[str, Any] = {
    "g": ["a", "a", "a", "b", "b", "c", None, None],
    "h": ["x", "y", "x", "x", None, "y", "x", "y"],
    "x": [0.0, 1.0, 4.0, 4.5, 9.0, None, 1.5, 2.0],
    "y": ["s", "s", "t", "t", "s", "s", "s", None],
}
RULES = [
    "same('g')",
    "within('x', 1)",
    "same('g') & within('x', 1)",
    "0.5*same('g') + 0.5*same('h')",
    "same('g').ignore(same('h'))",
    "same('g').ignore(within('x', 1))",
    "~same('g')",
    "same('g') & ~same('h')",
    "0.5*same('g') + 0.5*within('x', 1)",
]


def advice_of(columns: dict[str, Any], rule: str, batch: int, composition: Composition | None = None) -> Advice:
    table, objective = SampleTable.of(columns), parse(rule)
    objective = Objective.of(objective)
    bound = objective.bind(table)
    found = advise(table, bound, BatchSampler(bound, composition, batch), label="y" if "y" in columns else None)
    assert found is not None
    return found


def by_enumeration(rule: str, batch: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean positives, share of anchors without one, and mean false negatives, over all possible batches."""
    objective = parse(rule)
    objective = Objective.of(objective)
    bound = objective.bind(COLUMNS)
    everyone = np.arange(len(COLUMNS["g"]))
    matches = [relation.rule.matches(everyone, everyone) for relation in bound.relations]
    ignored = None if bound.ignored is None else bound.ignored.matches(everyone, everyone)
    met, false = [], []
    for rows in combinations(everyone, batch):
        for i in rows:
            others = [j for j in rows if j != i]
            met.append([sum(bool(one[i, j]) for j in others) for one in matches])
            false.append(sum(
                COLUMNS["y"][i] is not None and COLUMNS["y"][i] == COLUMNS["y"][j]
                and not any(one[i, j] for one in matches) and not (ignored is not None and ignored[i, j])
                for j in others
            ))  # fmt: skip
    counts = np.array(met)
    return counts.mean(0), (counts == 0).mean(0), float(np.mean(false))


@pytest.mark.parametrize("batch", [2, 3, 5, 8])
@pytest.mark.parametrize("rule", RULES)
def test_random_batches_are_the_mean_over_all_possible_batches(rule: str, batch: int) -> None:
    outlooks = advice_of(COLUMNS, rule, batch, Composition("random")).outlooks
    found = next(one for one in outlooks if one.batch_size == batch)
    positives, without, false = by_enumeration(rule, batch)
    assert found.composition == "random"
    assert found.exact
    np.testing.assert_allclose(found.positives, positives, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.without, without, rtol=1e-9, atol=1e-12)
    assert found.false_negatives == pytest.approx(false)


def test_planned_random_epochs_agree_with_the_expectation() -> None:
    """100 rows in batches of 24: the last batch is filled up, which changes nothing in expectation."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 20, 100)
    bound = parse("same('g')").bind({"g": codes})
    met = []
    for epoch in range(300):
        for batch in BatchSampler(bound, Composition("random"), 24).plan(epoch):
            met.append((codes[batch][:, None] == codes[batch][None, :]).sum(1) - 1)
    found = random_outlook(24, 100, degrees(bound))
    assert np.mean(met) == pytest.approx(found.positives[0], abs=0.02)
    assert np.mean(np.array(met) == 0) == pytest.approx(found.without[0], abs=0.01)


@pytest.mark.parametrize(("rule", "kind"), [("same('g')", "groups"), ("same('g') & within('x', 30)", "draw")])
def test_composed_batches_are_those_that_would_be_planned(rule: str, kind: str) -> None:
    rng = np.random.default_rng(1)
    n = 120
    columns = {"g": rng.integers(0, 40, n), "x": rng.normal(0, 20, n), "y": rng.integers(0, 3, n)}
    found = advice_of(columns, rule, 16, Composition("random", per_group=4))
    bound = parse(rule).bind(columns)
    one = next(one for one in found.outlooks if (one.batch_size, one.composition) == (32, kind))
    met, lonely, false, anchors = 0, 0, 0, 0
    plan = BatchSampler(bound, Composition(kind, per_group=4), 32).plan(0)  # type: ignore[arg-type]
    for batch in plan:
        for i in batch:
            others = [j for j in set(batch.tolist()) if j != i and bound.relations[0].rule.matches([i], [j])[0, 0]]
            met, lonely = met + len(others), lonely + (not others)
        for i in set(batch.tolist()):
            anchors += 1
            false += sum(
                columns["y"][i] == columns["y"][j] and not bound.relations[0].rule.matches([i], [j])[0, 0]
                for j in set(batch.tolist()) - {i}
            )
    assert not one.exact
    assert one.positives[0] == pytest.approx(met / plan.size)
    assert one.without[0] == pytest.approx(lonely / plan.size)
    assert one.false_negatives == pytest.approx(false / anchors)


def test_windows_of_many_rows_are_exact_and_other_rules_sampled() -> None:
    rng = np.random.default_rng(2)
    columns = {"x": rng.normal(size=20_000), "g": rng.integers(0, 4, 20_000), "y": rng.integers(0, 10, 20_000)}
    near, apart = degrees(parse("within('x', 0.1) + 1*(same('g') & ~same('y'))").bind(columns))
    ordered = np.sort(columns["x"])
    low = np.searchsorted(ordered, columns["x"] - 0.1, "left")
    high = np.searchsorted(ordered, columns["x"] + 0.1, "right")
    assert near[1]
    np.testing.assert_array_equal(near[0], high - low - 1)
    assert not apart[1]
    assert len(apart[0]) < 1000
    assert apart[0].mean() == pytest.approx(20_000 / 4 * 0.9, rel=0.02)


def test_batch_sizes_are_bounded_by_the_table() -> None:
    assert batch_sizes(10_000, 256) == [64, 128, 256, 512, 1024, 2048, 4096]
    assert batch_sizes(300, 100) == [64, 100, 128, 256]
    assert batch_sizes(20, 6) == [6, 8, 16]
    assert batch_sizes(5, 4) == [4]
    assert batch_sizes(300, 100, per_group=3) == [63, 100, 126, 255]
    assert batch_sizes(20, 6, per_group=9) == [6, 9]


@pytest.mark.parametrize("per_group", [2, 3, 5])
@pytest.mark.parametrize("rows", [31, 217, 256, 901])
@pytest.mark.parametrize("rule", ["same('g')", "same('g') & within('x', 1)"])
def test_what_the_advice_names_is_accepted(rule: str, rows: int, per_group: int) -> None:
    """With the batch that a user gets who chose none, and with each setting that the sentence names."""
    bound = parse(rule).bind({"g": [k // 2 for k in range(rows)], "x": [0.0] * rows})
    table = SampleTable.of({"g": [k // 2 for k in range(rows)]})
    composition = Composition(per_group=per_group)
    batch = composition.fitting_batch(min(256, rows))
    found = advise(table, bound, BatchSampler(bound, composition, batch))
    assert found is not None
    sizes = re.findall(r"--set train\.batch_size=(\d+)", found.text)
    kinds: list[Any] = re.findall(r"--set pairs\.composition=(\w+)", found.text)
    for size in sizes:
        BatchSampler(bound, composition, int(size)).plan(0)
    for kind in kinds:
        BatchSampler(bound, Composition(kind, per_group), batch).plan(0)
    for one in found.outlooks:
        kind = one.composition
        BatchSampler(bound, Composition(kind, per_group), one.batch_size).plan(0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("columns", "rule", "batch", "composition", "words"),
    [
        ({"g": [k % 4 for k in range(512)]}, "same('g')", 64, None, "Random batches of 64 already give nearly every"),
        ({"g": [k // 2 for k in range(4096)]}, "same('g')", 64, None, "=groups). The planned groups of 2"),
        ({"g": [k // 2 for k in range(8192)]}, "same('g')", 64, None, "No batch size in this table"),
        (
            {"g": [*range(1000), *(k // 8 for k in range(16_000, 24_000))]}, "same('g')", 64, None,
            "(11 % match no sample of the table: no batch helps)",
        ),
        ({"g": [k // 2 for k in range(8192)], "x": [0.0] * 8192}, "same('g') & within('x', 1)", 64, None, "by draw"),
        ({"g": list(range(128))}, "same('g')", 64, Composition("random"), "No sample matches another"),
        ({"g": [k % 64 for k in range(512)], "y": [0] * 512}, "same('g')", 256, None, "negatives of its own label"),
    ],
)  # fmt: skip
def test_the_sentence(columns: Any, rule: str, batch: int, composition: Composition | None, words: str) -> None:
    assert words in advice_of(columns, rule, batch, composition).text


@settings(max_examples=60, deadline=None)
@given(
    groups=st.integers(1, 40),
    alone=st.integers(0, 60),
    size=st.integers(2, 5),
    batch=st.sampled_from([8, 16, 32]),
    window=st.booleans(),
)
def test_the_advice_and_auto_agree(groups: int, alone: int, size: int, batch: int, window: bool) -> None:
    codes = [k // size for k in range(groups * size)] + [1000 + k for k in range(alone)]
    if len(codes) < batch:
        return
    columns = {"g": codes, "x": [0.0] * len(codes)}
    rule = "same('g') & within('x', 1)" if window else "same('g')"
    bound = parse(rule).bind(columns)
    sampler = BatchSampler(bound, Composition(), batch)
    found = advise(SampleTable.of(columns), bound, sampler)
    assert found is not None
    planned = next(one for one in found.outlooks if one.planned)
    assert planned.composition == sampler.composition.kind
    # The decision, from the definition: the share of anchors with a match that meet one in a random batch.
    n, degree = len(codes), size - 1
    met = 1 - math.comb(n - 1 - degree, batch - 1) / math.comb(n - 1, batch - 1)
    if abs(met - 0.99) > 1e-9:
        assert (sampler.composition.kind == "random") == (met >= 0.99)
    enough = f"Random batches of {batch} already give nearly every anchor"
    assert found.text.startswith(enough) == (sampler.composition.kind == "random")


def test_a_label_that_is_missing_throughout_gives_no_false_negatives() -> None:
    found = advice_of({**COLUMNS, "y": [None] * 8}, "same('g')", 4)
    assert all(one.false_negatives is None for one in found.outlooks)


def test_what_is_planned_is_marked_once() -> None:
    for composition in (Composition("random"), Composition("groups")):
        found = advice_of({"g": [k // 4 for k in range(512)]}, "same('g')", 96, composition)
        planned = [one for one in found.outlooks if one.planned]
        assert [(one.batch_size, one.composition) for one in planned] == [(96, composition.kind)]
        assert sum("←" in row[0] for row in found.rows()) == 1


def test_the_advice_as_json_and_as_rows() -> None:
    found = advice_of(COLUMNS, "0.5*same('g') + 0.5*same('h')", 4)
    assert json.loads(json.dumps(found.to_dict()))["relations"] == ["same('g')", "same('h')"]
    assert all(len(one.positives) == len(one.without) == 2 for one in found.outlooks)
    assert all(len(row) == 5 for row in found.rows())


@pytest.mark.parametrize("rule", ["none", "within('angle', 1)"])
def test_there_is_no_advice_without_relations_or_before_the_views_exist(rule: str) -> None:
    objective = parse(rule)
    assert isinstance(objective, Objective | Rule)
    bound = objective.bind(COLUMNS, emitted=("angle",))
    assert advise(SampleTable.of(COLUMNS), bound, BatchSampler(bound, None, 4)) is None
