"""Hypothesis strategies: small tables with missing values, rules over them, rows with parts and stored rows."""

from __future__ import annotations

import math
from typing import Any

import torch
from hypothesis import strategies as st

from ssl_domains.pairs import Objective, Rows, Rule, bins, same, within

GROUPS = ("a", "b")  # text columns
NUMBERS = ("x", "y")  # numeric columns
EMITTED = "angle"


@st.composite
def columns(draw: st.DrawFn, size: int | None = None) -> dict[str, list[Any]]:
    """Two text columns and two of numbers, few values, so that equalities, ties and edges are common."""
    n = draw(st.integers(1, 6)) if size is None else size
    text = st.lists(st.sampled_from(["p", "q", None]), min_size=n, max_size=n)
    whole = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
    number = st.lists(st.one_of(whole, st.none(), st.just(math.nan)), min_size=n, max_size=n)
    table: dict[str, list[Any]] = {name: draw(text) for name in GROUPS}
    table.update({name: draw(number) for name in NUMBERS})
    table["sample"] = [f"s{k}" for k in range(n)]
    return table


def keys(emitted: bool = False) -> st.SearchStrategy[Any]:
    n = st.integers(1, 4)
    by = st.sampled_from(["width", "quantile"])
    cut = st.builds(bins, st.sampled_from(NUMBERS), n, by, st.sampled_from([None, "a", "sample"]))
    fixed = st.builds(lambda c, n: bins(c, n, range=(0, 4)), st.sampled_from(NUMBERS), n)
    choices = [st.sampled_from((*GROUPS, *NUMBERS, "sample")), cut, fixed]
    if emitted:
        choices += [st.just(EMITTED), st.builds(lambda n: bins(EMITTED, n, range=(0, 4)), n)]
    return st.one_of(choices)


def leaves(emitted: bool = False) -> st.SearchStrategy[Rule]:
    names = (*NUMBERS, EMITTED) if emitted else NUMBERS
    near = st.builds(within, st.sampled_from(names), st.sampled_from([0, 1, 2.5, 100]))
    alike = st.lists(keys(emitted), min_size=1, max_size=2).map(lambda chosen: same(*chosen))
    return st.one_of(alike, near)


def rules(emitted: bool = False, max_leaves: int = 5) -> st.SearchStrategy[Rule]:
    """Any rule; ``across_parts`` only outermost, see `relations`."""
    return st.recursive(
        leaves(emitted),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
            inner.map(lambda rule: ~rule),
        ),
        max_leaves=max_leaves,
    )


def relations(emitted: bool = False) -> st.SearchStrategy[Rule]:
    return st.tuples(rules(emitted), st.booleans()).map(lambda pair: pair[0].across_parts() if pair[1] else pair[0])


@st.composite
def objectives(draw: st.DrawFn, emitted: bool = False) -> Objective:
    """Up to three relations and perhaps an ignore rule."""
    weight = st.one_of(st.just(1), st.sampled_from([0.3, 0.7, 2]), st.floats(1e-3, 1e3))
    total = Objective()
    for rule in draw(st.lists(relations(emitted), max_size=3)):
        total = total + draw(weight) * rule
    ignored = draw(st.one_of(st.none(), relations(emitted)))
    return total if ignored is None else total.ignore(ignored)


@st.composite
def batch_rows(draw: st.DrawFn, size: int, emitted: bool = False, max_samples: int = 4) -> Rows:
    """A batch: samples may repeat, one or two views, one or two parts."""
    samples = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=max_samples))
    views = draw(st.integers(1, 2))
    part = draw(st.lists(st.integers(0, 1), min_size=len(samples), max_size=len(samples)))
    if draw(st.booleans()):
        part = [0] * len(samples)
    return Rows.of(samples, views, part=part, emitted=draw(_numbers(views * len(samples))) if emitted else None)


@st.composite
def stored_rows(draw: st.DrawFn, size: int, emitted: bool = False) -> Rows:
    """A queue: unfilled slots, samples of the batch and others."""
    samples = draw(st.lists(st.integers(-1, size - 1), max_size=5))
    part = draw(st.lists(st.integers(0, 1), min_size=len(samples), max_size=len(samples)))
    return Rows.stored(samples, part=part, emitted=draw(_numbers(len(samples))) if emitted else None)


def _numbers(n: int) -> st.SearchStrategy[dict[str, torch.Tensor]]:
    value = st.sampled_from([0.0, 1.0, 2.0, 4.0, math.nan])
    return st.lists(value, min_size=n, max_size=n).map(
        lambda values: {EMITTED: torch.tensor(values, dtype=torch.float64)}
    )
