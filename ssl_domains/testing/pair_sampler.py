"""Checks that a pair sampler keeps contract 2."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.errors import SslDomainsError, UsageError
from ssl_domains.extending import PairSampler, Registry, parse_call
from ssl_domains.pairs import (
    BatchSampler,
    BoundObjective,
    BoundRule,
    Composition,
    Objective,
    Rows,
    inspect_pairs,
    parse,
)
from ssl_domains.pairs.computed import Computed
from ssl_domains.pairs.sampling.seats import reads
from ssl_domains.samples import SampleTable

__all__ = ["check_pair_sampler"]


def check_pair_sampler(sampler: PairSampler, table: SampleTable, *, batch_size: int = 32, **params: Any) -> None:
    """Check that a pair sampler makes pairs of samples of its domain that can be trained on.

    Args:
        sampler: The pair sampler.
        table: Samples with the columns that it reads, for instance from the domain's demo data.
        batch_size: Batch size of the planned epoch.
        **params: Its parameters; missing ones have their defaults.

    Raises:
        AssertionError: When the sampler breaks the contract; the message says where.
        SslDomainsError: When the rule can't be bound to the table, or its pairs can't be trained on.
    """
    assert sampler.summary.strip(), f"{sampler.name}: the summary says what makes a positive"
    assert "\n" not in sampler.summary, f"{sampler.name}: the summary is one line"
    _check_domain(sampler, table)
    if not _needs_values(sampler):
        name, defaults = parse_call(sampler.signature)
        assert name == sampler.name
        assert sampler.resolve(**defaults) == sampler.resolve(), f"{sampler.name}: its signature shows its defaults"
    try:
        sampler.resolve(**params, no_such_parameter_=0)
    except UsageError:
        pass
    else:
        raise AssertionError(f"{sampler.name}: an unknown parameter is a UsageError")

    objective, composition = sampler.resolve(**params)
    assert isinstance(objective, Objective)
    assert isinstance(composition, Composition), f"{sampler.name}: composition is a Composition"
    text = str(objective)
    assert Objective.of(parse(text)) == objective, f"{sampler.name}: {text} reads back"

    fitted = objective.fit(table)
    bound = pickle.loads(pickle.dumps(objective.bind(table, fitted)))
    # A name that is no file is an edge table that the method computes; none is computed here.
    mined = Computed.nothing(len(table), edges=[n for n in reads(composition, table)[1] if not Path(n).suffix]).edges
    batches = BatchSampler(bound, composition, min(batch_size, len(table)), seed=0, table=table, edges=mined)
    np.testing.assert_array_equal(batches.plan(0), batches.plan(0), err_msg="an epoch is a function of (seed, epoch)")
    inspect_pairs(table, objective, bound, batches, fitted=fitted).check()
    seats = batches.plan(0)[0].reshape(composition.seats, -1).copy()
    drawn, anchors = seats[batches.composition.anchor_seats :], seats[: batches.composition.anchor_seats]
    for name, rule in _not_negative(bound):
        for anchor in anchors:
            matched = rule.matches_pairwise(anchor[None, :], drawn).any()
            assert not matched, f"{sampler.name}: a drawn negative matches the {name} of its slot"
    pairs = bound.pairs(Rows.of(anchors.ravel(), views=2))
    positives = pairs.cross_sample().any(dim=1).float().mean()
    assert positives > 0, f"{sampler.name}: no anchor of the first batch has a positive of another sample"


def _check_domain(sampler: PairSampler, table: SampleTable) -> None:
    if sampler.domain == "*":
        return
    if table.meta.domain:
        scanned = f"{sampler.name}: it is for the domain {sampler.domain!r}, the table was scanned by"
        assert sampler.domain == table.meta.domain, f"{scanned} {table.meta.domain!r}"
        return
    try:
        Registry().domain(sampler.domain)
    except SslDomainsError as error:
        raise AssertionError(f"{sampler.name}: it is for a domain that isn't there: {error.message}") from error


def _not_negative(bound: BoundObjective) -> list[tuple[str, BoundRule]]:
    rules = [(f"relation {relation.text}", relation.rule) for relation in bound.relations]
    return rules if bound.ignored is None else [*rules, ("ignore rule", bound.ignored)]


def _needs_values(sampler: PairSampler) -> bool:
    if isinstance(sampler.objective, str):
        return False
    return any(p.default is p.empty for p in inspect.signature(sampler.objective).parameters.values())
