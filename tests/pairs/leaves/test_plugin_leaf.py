"""A leaf of a plugin, two files and nothing else, goes through everything that the core's leaves go through."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

import pair_reference as reference
import pair_strategies as strategies
import prefix_rule
from prefix_rule import Prefix, prefix
from ssl_domains.errors import UsageError
from ssl_domains.extending import PluginSettings, Registry
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import (
    BatchSampler,
    BoundObjective,
    Composition,
    Objective,
    Rows,
    Rule,
    inspect_pairs,
    overlap,
    parse,
    same,
    within,
)
from ssl_domains.pairs.inspection.reasons import PairReasons
from ssl_domains.pairs.rules.registry import set_rule_source
from ssl_domains.pairs.rules.words import objective_words
from ssl_domains.samples import SampleTable

PLUGIN = Path(prefix_rule.__file__)
CASES = ["ab1", "ab2", "abx", "ac1", "a", None, "b"]


def prefix_answer(rule: Any, a: reference.RowValues, i: int, c: reference.RowValues, j: int) -> float | None:
    x, y = a.value(rule.column, i), c.value(rule.column, j)
    return None if x is None or y is None else float(x[: rule.n] == y[: rule.n])


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(reference.LEAVES, Prefix, prefix_answer)
    Registry(PluginSettings.of(files=[PLUGIN]))
    yield
    set_rule_source(None)


texts = st.one_of(st.none(), st.text("ab", max_size=3))
leaves = st.builds(prefix, st.just("case"), st.integers(1, 3))
rules = st.recursive(
    st.one_of(leaves, leaves, strategies.leaves()),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda rule: ~rule),
    ),
    max_leaves=4,
)


@st.composite
def tables(draw: st.DrawFn, size: int | None = None) -> dict[str, Any]:
    columns = draw(strategies.columns(size))
    n = len(columns["x"])
    return {**columns, "case": draw(st.lists(texts, min_size=n, max_size=n))}


def bound(rule: Rule | Objective, columns: dict[str, Any]) -> BoundObjective:
    # A column that is missing throughout has no type by itself.
    return rule.bind(pl.DataFrame(columns, schema_overrides={"case": pl.String}, strict=False))


@settings(max_examples=50, deadline=None)
@given(rule=rules)
def test_its_text_reads_back(rule: Rule) -> None:
    assert parse(str(rule)) == rule


def test_text_names_it_like_any_other() -> None:
    assert parse("0.5*prefix('case', n=2) + same('g')") == 0.5 * prefix("case", 2) + same("g")
    for text, message in (
        ("prefix('case')", "missing a required argument: 'n'"),
        ("prefix('case', 0)", "prefix needs at least 1 character, not 0"),
        ("prefix", "prefix needs its arguments"),
    ):
        with pytest.raises(UsageError, match=message):
            parse(text)
    with pytest.raises(UsageError) as caught:
        parse("prefx('case', 2)")
    assert caught.value.hint == "did you mean 'prefix'?"


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_pairs_and_gradients_are_those_of_the_reference(data: st.DataObject) -> None:
    columns = data.draw(tables())
    size = len(columns["x"])
    objective = 0.7 * data.draw(rules) + 0.3 * data.draw(leaves)
    if data.draw(st.booleans()):
        objective = objective.ignore(data.draw(rules))
    rows = data.draw(strategies.batch_rows(size))
    candidates = data.draw(st.one_of(st.none(), strategies.stored_rows(size).map(lambda more: Rows.cat([rows, more]))))
    pairs = bound(objective, columns).pairs(rows, candidates)
    expected = reference.states(objective, columns, rows, candidates)
    tile = pairs.dense()
    torch.testing.assert_close(tile.weights, expected.weights, rtol=0, atol=0)
    assert torch.equal(tile.allowed, expected.allowed)

    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 9)))
    n = len(rows if candidates is None else candidates)
    z = torch.nn.functional.normalize(torch.randn(n, 4, generator=generator, dtype=torch.float64), dim=1)
    one, two = (z.clone().requires_grad_() for _ in range(2))
    anchors = slice(0, len(rows))
    others = (None, None) if candidates is None else (one, two)
    loss = contrastive_loss(one[anchors], pairs, 0.5, candidates=others[0]).loss
    truth = reference.loss(two[anchors], expected, 0.5, others[1])
    loss.backward()
    truth.backward()
    assert loss.item() == pytest.approx(truth.item(), rel=1e-9, abs=1e-12)
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-8, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_reasons_answer_as_the_reference(data: st.DataObject) -> None:
    columns = data.draw(tables())
    rule = data.draw(rules)
    table = SampleTable.of(pl.DataFrame(columns, schema_overrides={"case": pl.String}, strict=False))
    reasons = PairReasons(Objective.of(rule), rule.bind(table), table)
    rows = Rows.of(range(len(table)), views=1)
    values = reference.RowValues(columns, rows, reference.fit(rule, columns))
    names = {True: "yes", False: "no", None: "unknown"}
    for i in range(len(rows)):
        for j in range(len(rows)):
            assert reasons.relation(0, i, j).answer == names[reference.answer(rule, values, i, values, j)]


def test_reasons_and_words_name_its_values() -> None:
    table = SampleTable.of({"case": CASES})
    objective = Objective.of(prefix("case", 2))
    reasons = PairReasons(objective, objective.bind(table), table)
    assert reasons.state(0, 1).text == "case ab1 and ab2: same first 2 characters"
    assert reasons.state(0, 3).text == "no: case ab1 and ac1: other first 2 characters"
    assert reasons.state(0, 5).text == "unknown: case unknown (missing here)"
    assert objective_words(objective) == "Positives: the same first 2 characters of case"
    negated = Objective.of(same("g") & ~prefix("case", 1))
    assert objective_words(negated) == "Positives: same g and not (the same first 1 characters of case)"


DRAWN = {"case": [f"{a}{b}{k}" for k in range(3) for a in "abc" for b in "xyz"] + [None], "x": list(range(28)),
         "t": [[k % 3, k % 5] for k in range(28)]}  # fmt: skip


@pytest.mark.parametrize(
    "rule",
    [
        prefix("case", 1),
        prefix("case", 2) | within("x", 2),
        prefix("case", 1) & within("x", 6),
        prefix("case", 1) & ~prefix("case", 2),
        prefix("case", 1) & overlap("t"),
    ],
    ids=str,
)
def test_every_match_is_equally_likely(rule: Rule) -> None:
    objective, n, times = rule.bind(DRAWN), 28, 400
    everyone = np.arange(n)
    matches = objective.relations[0].rule.matches(everyone, everyone) & ~np.eye(n, dtype=bool)
    values = reference.RowValues(DRAWN, Rows.of(range(n), views=1), {})
    truth = [[i != j and bool(reference.answer(rule, values, i, values, j)) for j in range(n)] for i in range(n)]
    assert matches.tolist() == truth
    drawn = objective.draw(np.repeat(everyone, times), 1, np.random.default_rng(3)).reshape(n, times)
    statistic, freedom = 0.0, 0
    for anchor in range(n):
        count = int(matches[anchor].sum())
        if count == 0:
            assert (drawn[anchor] == -1).all()
            continue
        counts = np.bincount(drawn[anchor], minlength=n)
        assert counts[~matches[anchor]].sum() == 0
        statistic += ((counts[matches[anchor]] - times / count) ** 2 / (times / count)).sum()
        freedom += count - 1
    assert freedom > 20
    assert abs(statistic - freedom) < 5 * (2 * freedom) ** 0.5


def test_groups_and_report_read_its_codes() -> None:
    table = SampleTable.of({"case": [f"{k:03d}" for k in range(200)] * 2})
    rule = prefix("case", 2)  # 20 groups of 20
    made = rule.bind(table)
    sampler = BatchSampler(made, Composition("groups", per_group=4), 16)
    group = np.arange(400) % 200 // 10
    for chunk in sampler.plan(0).reshape(-1, 4):
        assert len(set(group[chunk])) == 1
    report = inspect_pairs(table, rule, made, sampler)
    assert report.relations[0].groups is not None
    assert (report.relations[0].groups.groups, report.refusals) == (20, [])


class _Draws(Dataset[list[int]]):
    def __init__(self, objective: BoundObjective) -> None:
        self.objective = objective

    def __len__(self) -> int:
        return self.objective.size

    def __getitem__(self, index: int) -> list[int]:
        drawn = self.objective.draw(np.array([index]), 2, np.random.default_rng(index))
        return drawn[0].tolist()  # type: ignore[no-any-return]


def test_it_goes_to_workers() -> None:
    objective = prefix("case", 2).bind({"case": CASES})
    again = pickle.loads(pickle.dumps(objective))
    everyone = np.arange(len(CASES))
    np.testing.assert_array_equal(
        again.relations[0].rule.matches(everyone, everyone), objective.relations[0].rule.matches(everyone, everyone)
    )
    data = _Draws(objective)
    loader = DataLoader(data, batch_size=None, num_workers=1, multiprocessing_context="spawn")
    assert [list(map(int, item)) for item in loader] == [data[k] for k in range(len(data))]
