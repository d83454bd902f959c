"""Holm's correction against a known example and the sequential procedure it stands for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.studies.evidence.holm import holm


def test_holm_of_a_known_example() -> None:
    """By hand: sorted 0.005 0.01 0.03 0.04 times 4 3 2 1, then never smaller than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.999))
def test_holm_rejects_what_the_sequential_procedure_rejects(p: list[float], level: float) -> None:
    adjusted = holm(p)
    order = sorted(range(len(p)), key=lambda place: p[place])
    rejected = set()
    for rank, place in enumerate(order):
        if p[place] * (len(p) - rank) > level:
            break
        rejected.add(place)
    assert {place for place, value in enumerate(adjusted) if value <= level} == rejected
    assert all(one >= raw for one, raw in zip(adjusted, p, strict=True))


def test_an_undefined_p_stays_undefined_and_does_not_count() -> None:
    adjusted = holm([0.02, math.nan, 0.03])
    assert math.isnan(adjusted[1])
    assert [adjusted[0], adjusted[2]] == pytest.approx(holm([0.02, 0.03]))
