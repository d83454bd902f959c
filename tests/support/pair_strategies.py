"""Hypothesis strategies: small tables with missing values, rules over them, rows with parts and stored rows."""

from __future__ import annotations

import math
from typing import Any

import torch
from hypothesis import strategies as st

from ssl_domains.pairs import Objective, Rows, Rule, bins, linked, overlap, same, within

GROUPS = ("a", "b")  # text columns
NUMBERS = ("x", "y")  # numeric columns
LISTS = ("tags",)
EMITTED = "angle"
EDGES = ("near", "kin")  # edge tables: between samples, and between values of the column "a"


@st.composite
def columns(draw: st.DrawFn, size: int | None = None) -> dict[str, list[Any]]:
    """Two text columns, two of numbers and one of lists, few values, so that equalities, ties and edges are common."""
    n = draw(st.integers(1, 6)) if size is None else size
    text = st.lists(st.sampled_from(["p", "q", None]), min_size=n, max_size=n)
    whole = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
    number = st.lists(st.one_of(whole, st.none(), st.just(math.nan)), min_size=n, max_size=n)
    table: dict[str, list[Any]] = {name: draw(text) for name in GROUPS}
    table.update({name: draw(number) for name in NUMBERS})
    some = st.lists(st.sampled_from(["u", "v", "w", None]), max_size=4)
    lists = st.lists(st.one_of(some, some, st.none()), min_size=n, max_size=n)
    table.update({name: draw(lists) for name in LISTS})
    table["sample"] = [f"s{k}" for k in range(n)]
    return table


def keys(emitted: bool = False) -> st.SearchStrategy[Any]:
    n = st.integers(1, 4)
    by = st.sampled_from(["width", "quantile"])
    cut = st.builds(bins, st.sampled_from(NUMBERS), n, by, st.sampled_from([None, "a", "sample"]))
    fixed = st.builds(lambda c, n: bins(c, n, range=(0, 4)), st.sampled_from(NUMBERS), n)
    turned = st.builds(lambda c, n: bins(c, n, range=(1, 3), wrap=True), st.sampled_from(NUMBERS), n)
    choices = [st.sampled_from((*GROUPS, *NUMBERS, "sample")), cut, fixed, turned]
    if emitted:
        choices += [st.just(EMITTED), st.builds(lambda n: bins(EMITTED, n, range=(0, 4)), n)]
        choices.append(st.builds(lambda n: bins(EMITTED, n, range=(0, 2), wrap=True), n))
    return st.one_of(choices)


@st.composite
def edges(draw: st.DrawFn) -> dict[str, dict[str, list[Any]]]:
    """The edge tables: repeated edges, both directions, selves, ids that no row has, grades of all signs."""
    tables = {}
    for name, ids in zip(EDGES, (["s0", "s1", "s2", "s3", "gone"], ["p", "q", "gone"]), strict=True):
        end = st.sampled_from(ids)
        drawn = draw(st.lists(st.tuples(end, end, st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 3.0])), max_size=8))
        tables[name] = {key: [edge[k] for edge in drawn] for k, key in enumerate(("a", "b", "grade"))}
    return tables


def leaves(emitted: bool = False, graded: bool = False, links: bool = False) -> st.SearchStrategy[Rule]:
    names = st.sampled_from((*NUMBERS, EMITTED) if emitted else NUMBERS)
    near = st.builds(within, names, st.sampled_from([0, 1, 2.5, 100]))
    alike = st.lists(keys(emitted), min_size=1, max_size=2).map(lambda chosen: same(*chosen))
    sharing = st.builds(overlap, st.sampled_from(LISTS), st.integers(1, 3))
    choices = [alike, near, sharing]
    if graded:
        fading = st.builds(lambda c, w: within(c, w, decay="linear"), names, st.sampled_from([1, 2.5, 100]))
        choices += [fading, st.builds(lambda r: overlap(r.column, r.at_least, weight="jaccard"), sharing)]
    if links:
        grade = st.sampled_from([None, "grade"]) if graded else st.none()
        joined = st.tuples(st.sampled_from(list(zip(EDGES, ("sample", "a"), strict=True))), grade)
        choices.append(joined.map(lambda drawn: linked(drawn[0][0], key=drawn[0][1], grade=drawn[1])))
    return st.one_of(choices)


def rules(
    emitted: bool = False, max_leaves: int = 5, graded: bool = False, links: bool = False
) -> st.SearchStrategy[Rule]:
    """Any rule; ``across_parts`` only outermost, see `relations`."""
    return st.recursive(
        leaves(emitted, graded, links),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
            inner.map(lambda rule: rule if rule.graded else ~rule),
        ),
        max_leaves=max_leaves,
    )


def relations(emitted: bool = False, links: bool = False) -> st.SearchStrategy[Rule]:
    """Any rule, graded or not, perhaps across parts."""
    drawn = st.tuples(rules(emitted, graded=True, links=links), st.booleans())
    return drawn.map(lambda pair: pair[0].across_parts() if pair[1] else pair[0])


@st.composite
def objectives(draw: st.DrawFn, emitted: bool = False, links: bool = False) -> Objective:
    """Up to three relations and perhaps an ignore rule; with ``links``, bind them with `edges`."""
    weight = st.one_of(st.just(1), st.sampled_from([0.3, 0.7, 2]), st.floats(1e-3, 1e3))
    total = Objective()
    for rule in draw(st.lists(relations(emitted, links), max_size=3)):
        total = total + draw(weight) * rule
    ignored = draw(st.one_of(st.none(), relations(emitted, links)))
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
