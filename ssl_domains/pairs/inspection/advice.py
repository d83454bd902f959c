"""Advice on batch size and composition: the positives and false negatives that each of them would give.

For random batches these are expectations, see `ssl_domains.pairs.sampling.random_batches`. Batches composed by groups
or by drawing are planned and counted. What is enough is decided in the same way as by ``Composition("auto")``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs.binding.bound_rule import BoundRule, joint_codes
from ssl_domains.pairs.binding.nodes import And, Or
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.drawing.choose_index import index_of
from ssl_domains.pairs.drawing.degrees import sampled_matches
from ssl_domains.pairs.inspection.counts import count_pairs
from ssl_domains.pairs.inspection.coverage import EQUALS_SIMCLR
from ssl_domains.pairs.inspection.nuisance import comparable_codes
from ssl_domains.pairs.leaves.same import Same
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.pairs.sampling.composition import Composition, Kind
from ssl_domains.pairs.sampling.expected import cross_positives
from ssl_domains.pairs.sampling.random_batches import ENOUGH, match_counts, share_served, without_positive
from ssl_domains.samples import SampleTable

__all__ = ["Advice", "Outlook", "advise", "batch_sizes", "degrees", "random_outlook"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MENTIONED = 0.005  # share of anchors that match no sample of the table from which the advice mentions it
_MANY = 1.0  # false negatives an anchor from which the advice mentions them
_PAIRS = 2**23  # pairs of composed batches that are compared at most, for one number
_SLOTS = 2**22  # slots of composed epochs that are planned in all
_COUNTED = 2**18  # slots of a composed epoch that are counted


@dataclass(frozen=True)
class Outlook:
    """One batch size and composition.

    Attributes:
        batch_size: Samples of a batch.
        composition: ``random``, ``groups`` or ``draw``.
        per_group: Samples that belong together; 1 with ``random``.
        positives: Expected positives of other samples an anchor, one a relation.
        without: Share of anchors without any, one a relation.
        false_negatives: Expected negatives of an anchor that have its label; None without a label, or when the label is
            missing in every row.
        exact: Whether these are expectations over all rows, rather than counts of some rows or of planned batches.
        planned: Whether this is what training would use.
    """

    batch_size: int
    composition: str
    per_group: int
    positives: tuple[float, ...]
    without: tuple[float, ...]
    false_negatives: float | None
    exact: bool
    planned: bool = False


@dataclass(frozen=True)
class Advice:
    """A table of outlooks and one sentence.

    Attributes:
        text: What to do about batch size and composition.
        relations: Texts of the relations, in the order of ``positives`` and ``without``.
        compose_by: Number of the relation that batches are composed by.
        unmatched: Share of rows that match no sample of the whole table, one a relation; no batch helps these.
        outlooks: By batch size, random first.
    """

    text: str
    relations: tuple[str, ...]
    compose_by: int
    unmatched: tuple[float, ...]
    outlooks: tuple[Outlook, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)

    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        return "batch", "composition", "positives an anchor", "anchors without", "false negatives an anchor"

    def rows(self) -> list[tuple[Any, ...]]:
        """One row for each outlook, for the relation that batches are composed by; the planned one has an arrow."""
        return [
            (
                f"{one.batch_size:,}" + (" ←" if one.planned else ""),
                one.composition if one.composition == "random" else f"{one.composition} of {one.per_group}",
                round(one.positives[self.compose_by], 2),
                f"{100 * one.without[self.compose_by]:.1f} %",
                None if one.false_negatives is None else round(one.false_negatives, 1),
            )
            for one in self.outlooks
        ]


def advise(
    table: SampleTable, bound: BoundObjective, sampler: BatchSampler, *, label: str | None = None
) -> Advice | None:
    """Work out what other batch sizes and compositions would give.

    Args:
        table: The rows that ``bound`` is bound to.
        bound: The objective.
        sampler: What training would use; its batch size is in the table, its K and relation are kept.
        label: Column whose equal values make a negative false.

    Returns:
        The advice; None for an objective without relations, or one that reads numbers that views emit.
    """
    by = sampler.composition.compose_by
    if bound.relations[0].text == "none" or any(relation.rule.reads_emitted for relation in bound.relations):
        return None
    codes = None if label is None else comparable_codes(table, label)
    if codes is not None and codes.max(initial=-1) < 0:
        codes = None  # the label is missing in every row
    counts = degrees(bound)
    false = None if codes is None else _false_negatives(bound, codes)
    size = bound.size
    unmatched = tuple(float((degree == 0).mean()) for degree, _ in counts)
    outlooks = []
    kind: Kind = "groups" if bound.relations[by].codes is not None else "draw"
    left = _SLOTS if kind == "groups" else _SLOTS // 8
    for batch_size in batch_sizes(size, sampler.batch_size, sampler.composition.per_group):
        one = random_outlook(batch_size, size, counts, false)
        now = batch_size == sampler.batch_size
        outlooks.append(replace(one, planned=now and sampler.composition.kind == "random"))
        if left >= size or now:
            left -= size
            outlooks += _composed(bound, sampler, batch_size, kind, codes)
    return Advice(
        _sentence(sampler, outlooks, unmatched[by], by),
        bound.names,
        by,
        unmatched,
        tuple(outlooks),
    )


def batch_sizes(rows: int, planned: int, per_group: int = 2) -> list[int]:
    """Powers of two from 64 to 4,096 that the rows can fill (from 8 where they are few), and the planned size.

    The powers are rounded down to a multiple of ``per_group``, so that batches of each size can also be composed.
    """
    least = 64 if rows >= 256 else 8
    powers = [2**k // per_group * per_group for k in range(3, 13) if least <= 2**k <= rows]
    return sorted({*powers, planned} - {0})


def degrees(bound: BoundObjective) -> list[tuple[Floats, bool]]:
    """How many other samples of the table match a sample: `match_counts` of every relation."""
    return [match_counts(bound, number) for number in range(len(bound.relations))]


def random_outlook(
    batch_size: int, rows: int, counts: Sequence[tuple[Floats, bool]], false: tuple[float, bool] | None = None
) -> Outlook:
    """What random batches give in expectation.

    Args:
        batch_size: B.
        rows: n, samples of the table.
        counts: What `degrees` returns. An anchor with d matches has d·(B−1)/(n−1) positives in expectation.
        false: False negatives of an anchor in the whole table, and whether all rows were counted.
    """
    share = (batch_size - 1) / max(rows - 1, 1)
    return Outlook(
        batch_size,
        "random",
        1,
        tuple(float(degree.mean() * share) for degree, _ in counts),
        tuple(float(without_positive(degree, batch_size, rows).mean()) for degree, _ in counts),
        None if false is None else false[0] * share,
        all(exact for _, exact in counts) and (false is None or false[1]),
    )


def _composed(
    bound: BoundObjective, sampler: BatchSampler, batch_size: int, kind: Kind, codes: Ints | None
) -> Iterator[Outlook]:
    """What batches composed by ``kind`` give, counted in planned ones; nothing where they are not possible."""
    planned = sampler.composition
    composition = Composition(kind, planned.per_group, planned.compose_by, planned.exponent)
    if batch_size % planned.per_group:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # anchors that were given up count as without a positive
            plan = BatchSampler(bound, composition, batch_size, seed=sampler.seed).plan(0)
    except (UsageError, DataError):
        return
    few = plan[: max(1, _COUNTED // batch_size)]
    positives, without = [], []
    for relation in bound.relations:
        bounded = max(1, _budget(relation.rule) // (batch_size * batch_size))
        met = cross_positives(relation, few if relation.codes is not None else few[:bounded])
        positives.append(float(met.mean()))
        without.append(float((met == 0).mean()))
    false = None
    if codes is not None:
        pairs = _budget(*(relation.rule for relation in bound.relations)) // 4
        counted = count_pairs(bound, few[: max(1, pairs // (batch_size * batch_size))], {"label": codes})
        false = counted.negative_equal["label"] / counted.anchors
    now = batch_size == sampler.batch_size and planned.kind == kind
    yield Outlook(batch_size, kind, planned.per_group, tuple(positives), tuple(without), false, False, now)


def _false_negatives(bound: BoundObjective, label: Ints) -> tuple[float, bool]:
    """Mean number of samples of the whole table that have an anchor's label and are negatives of it."""
    rules = [relation.rule for relation in bound.relations] + ([] if bound.ignored is None else [bound.ignored])
    if all(rule.pure for rule in rules):
        codes = [rule.codes for rule in rules if rule.codes is not None]
        pairs = 0.0
        for chosen in range(len(codes) + 1):  # inclusion and exclusion of the pairs that a rule matches
            for some in combinations(codes, chosen):
                pairs += (-1) ** chosen * float(_others(joint_codes([label, *some])).sum())
        return pairs / bound.size, True
    # All pairs of equal labels are counted by their codes; those that a rule matches too are few, and subtracted.
    nodes = tuple(rule.node for rule in rules)
    taken = BoundRule.of(And((Same(label, "label"), nodes[0] if len(nodes) == 1 else Or(nodes))), "")
    counts, exact = sampled_matches(taken, index_of(taken, bound.size), bound.size)
    return max(0.0, float(_others(label).mean() - counts.mean())), exact


def _others(codes: Ints) -> Floats:
    """Other rows of the same code, 0 where it is missing."""
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    return np.where(codes < 0, 0, sizes[codes] - 1).astype(np.float64)


def _budget(*rules: BoundRule) -> int:
    return _PAIRS // 8 if any(rule.searches for rule in rules) else _PAIRS


def _sentence(sampler: BatchSampler, outlooks: Sequence[Outlook], unmatched: float, by: int) -> str:
    """The advice in one or two sentences."""
    kind, size = sampler.composition.kind, sampler.batch_size
    if unmatched >= 1:
        return "No sample matches another under this rule: no batch size and no composition helps."
    if unmatched >= EQUALS_SIMCLR:
        return (
            f"{100 * unmatched:.0f} % of the samples match no sample of the table under this rule: no batch size and "
            "no composition helps these."
        )
    alone = (
        f" ({100 * unmatched:.0f} % match no sample of the table: no batch helps)" if unmatched >= _MENTIONED else ""
    )
    enough = [one for one in outlooks if share_served(one.without[by], unmatched) >= ENOUGH]
    random = [one for one in enough if one.composition == "random"]
    here = next((one for one in outlooks if one.planned), None)
    at_size = {one.composition: one for one in outlooks if one.batch_size == size}
    if "random" in at_size and at_size["random"] in random:
        text = f"Random batches of {size:,} already give nearly every anchor that can have one a positive{alone}."
        least = min(one.batch_size for one in random)
        text = text if least == size else f"{text[:-1]}; {least:,} would do: --set train.batch_size={least}."
    elif random:
        least = min(one.batch_size for one in random)
        served = share_served(at_size["random"].without[by], unmatched) if "random" in at_size else 0.0
        text = (
            f"In random batches of {size:,}, {_share(1 - served)} of the anchors that can have a positive lack one"
            f"{alone}: use batches of at least {least:,} (--set train.batch_size={least}){_composing(at_size, ', or')}."
        )
    else:
        text = f"No batch size in this table makes random batches enough{alone}{_composing(at_size, ':')}."
    if kind in at_size and kind != "random" and at_size[kind] in enough and at_size.get("random") not in random:
        text += f" The planned {kind} of {sampler.composition.per_group} does it."
    if here is not None and here.false_negatives is not None and here.false_negatives >= _MANY:
        text += (
            f" Each anchor has {here.false_negatives:.1f} negatives of its own label: smaller batches have fewer, "
            "and .ignore(…) leaves out pairs that another column marks."
        )
    return text


def _composing(at_size: dict[str, Outlook], joint: str) -> str:
    """The advice to compose batches, after a joint; empty where batches of this size can't be composed."""
    kind = next((name for name in at_size if name != "random"), None)
    return "" if kind is None else f"{joint} compose by {kind} (--set pairs.composition={kind})"


def _share(value: float) -> str:
    return f"{100 * max(value, 0.0):.1f} %"
