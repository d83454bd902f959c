"""Counting positives of planned batches against a loop over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs import Rule, same, within
from ssl_domains.pairs.planned_positives import cross_positives


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from([same("g"), within("x", 1), same("g") & within("x", 1), ~same("g")]))
def test_distinct_matching_others_are_counted(data: st.DataObject, rule: Rule) -> None:
    n = data.draw(st.integers(1, 8))
    group = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=n, max_size=n))
    number = data.draw(st.lists(st.sampled_from([0.0, 1.0, 3.0, None]), min_size=n, max_size=n))
    bound = rule.bind({"g": group, "x": number})
    steps, size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))
    slots = data.draw(st.lists(st.integers(0, n - 1), min_size=steps * size, max_size=steps * size))
    plan = np.array(slots, dtype=np.int64).reshape(steps, size)
    relation = bound.relations[0]
    everyone = np.arange(n)
    matches: Any = relation.rule.matches(everyone, everyone)
    expected = [[sum(j != i and matches[i, j] for j in set(batch.tolist())) for i in batch] for batch in plan]
    assert cross_positives(relation, plan).tolist() == expected
