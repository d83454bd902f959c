"""Choose the samples of a pair sheet: anchors of one planned batch, from few to many matches, with their pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs import BatchSampler, BoundObjective
from ssl_domains.pairs.drawing.degrees import count_matches

__all__ = ["Anchor", "Choice", "choose", "hardest"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BATCHES = 64  # planned batches that are searched for an anchor without a positive
_PROPOSED = 2**24  # most pairs that a rule tests to count the matches of anchors in the whole table


@dataclass(frozen=True)
class Anchor:
    """An anchor and the other samples of its batch, as positions of the bound table.

    Attributes:
        sample: Position of the anchor.
        partner: Position of its drawn partner; None when batches have no partners.
        positives: Positives among the other samples of the batch; the partner first, then by distance of slots.
        ignored: Ignored samples of the batch.
        negatives: All other samples of the batch.
        matches: Number of samples in the whole table that match the anchor in the relation that batches are composed
            by; None where counting would take long.
        drawn: Those of the negatives that were drawn for its slot.
    """

    sample: int
    partner: int | None
    positives: tuple[int, ...]
    ignored: tuple[int, ...]
    negatives: tuple[int, ...]
    matches: int | None
    drawn: tuple[int, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The anchors of a sheet, and the samples to decode for it.

    Attributes:
        batch: Number of the planned batch, from 0.
        samples: Number of different samples in the batch.
        anchors: The anchors, from few matches to many.
        pool: Positions to decode: first those that are shown in any case, then candidates for hard negatives.
    """

    batch: int
    samples: int
    anchors: tuple[Anchor, ...]
    pool: tuple[int, ...]


def choose(bound: BoundObjective, sampler: BatchSampler, *, anchors: int, pool: int, positives: int = 4) -> Choice:
    """Choose anchors of the first planned batch with an anchor that has no positive, or else of the first batch.

    Args:
        bound: The objective.
        sampler: Plans the batches.
        anchors: Number of anchors.
        pool: Number of samples to decode; more when the anchors and their pairs need more.
        positives: Number of positives, and of ignored samples, that are shown for each anchor.
    """
    plan = sampler.plan(0)
    for number in range(min(_BATCHES, len(plan))):
        batch = _Batch(bound, sampler, plan[number])
        if not batch.met.all():
            break
    else:
        number, batch = 0, _Batch(bound, sampler, plan[0])
    chosen = [batch.anchor(place) for place in _spread(batch, anchors)]
    needed = [one.sample for one in chosen]
    for one in chosen:
        needed += [*one.positives[:positives], *one.ignored[:positives], *one.drawn]
    rest = np.random.default_rng(0).permutation(batch.samples).tolist()
    first = list(dict.fromkeys(needed))
    others = [row for row in rest if row not in set(first)]
    return Choice(number, len(batch.samples), tuple(chosen), (*first, *others[: max(0, pool - len(first))]))


def hardest(among: Sequence[int], anchor: int, features: Mapping[int, Floats], count: int) -> list[tuple[int, float]]:
    """(position, cosine) of the samples most similar to the anchor, the most similar first.

    Args:
        among: Positions; those without features are left out.
        anchor: Position of the anchor; the result is empty when it has no features.
        features: Position → unit vector.
        count: Largest number of results.
    """
    if anchor not in features:
        return []
    known = [position for position in among if position in features]
    if not known:
        return []
    similar = np.stack([features[position] for position in known]) @ features[anchor]
    order = np.argsort(-similar, kind="stable")[:count]
    return [(known[place], float(similar[place])) for place in order]


class _Batch:
    """The pairs of one planned batch. A *place* is an index into ``samples``, its different samples in order."""

    def __init__(self, bound: BoundObjective, sampler: BatchSampler, slots: Ints) -> None:
        seats = slots.reshape(sampler.composition.seats, -1)
        seeds = seats[0]
        self.partners = dict(zip(seeds.tolist(), seats[1].tolist(), strict=True)) if sampler.partnered else {}
        negatives = seats[sampler.composition.anchor_seats :].T.tolist()
        self.drawn = {seed: tuple(drawn) for seed, drawn in zip(seeds.tolist(), negatives, strict=True)}
        self.samples = np.unique(slots)
        self.seeds = np.flatnonzero(np.isin(self.samples, seeds))
        self.slot = {sample: slot for slot, sample in reversed(list(enumerate(slots.tolist())))}
        two = ~np.eye(len(self.samples), dtype=np.bool_)
        real = bound.relations if bound.relations[0].text != "none" else ()
        self.positive = np.zeros_like(two)
        for relation in real:
            self.positive |= relation.rule.matches(self.samples, self.samples)
        self.positive &= two
        self.ignored = np.zeros_like(two)
        if bound.ignored is not None:
            self.ignored = bound.ignored.matches(self.samples, self.samples) & two & ~self.positive
        self.met = self.positive[self.seeds].any(1) if real else np.ones(len(self.seeds), dtype=np.bool_)
        self.matches = self._matches(bound, sampler.composition.compose_by) if real else None

    def anchor(self, place: int) -> Anchor:
        sample = int(self.samples[place])
        partner = self.partners.get(sample)
        near = sorted(
            self.samples[self.positive[place]].tolist(),
            key=lambda other: (other != partner, abs(self.slot[other] - self.slot[sample])),
        )
        negative = ~self.positive[place] & ~self.ignored[place]
        negative[place] = False
        return Anchor(
            sample,
            None if partner == sample else partner,
            tuple(near),
            tuple(self.samples[self.ignored[place]].tolist()),
            tuple(self.samples[negative].tolist()),
            None if self.matches is None else int(self.matches[place]),
            self.drawn.get(sample, ()),
        )

    def _matches(self, bound: BoundObjective, relation: int) -> Ints | None:
        index = bound.drawer(relation).index
        if int(index.counts(self.samples).sum()) > _PROPOSED:
            return None
        return count_matches(bound.relations[relation].rule, index, self.samples)


def _spread(batch: _Batch, count: int) -> list[int]:
    """Choose places of anchors, from few matches to many.

    The first has no positive, if there is one. The others are spread evenly over the number of matches, and preferably
    no two of them are positives of each other.
    """
    ranks: Ints = batch.matches if batch.matches is not None else batch.positive.sum(1)
    shuffled = np.random.default_rng(0).permutation(batch.seeds)
    order = shuffled[np.argsort(ranks[shuffled], kind="stable")]
    met = np.isin(order, batch.seeds[batch.met])
    unmatched, matched = order[~met].tolist(), order[met].tolist()
    chosen: list[int] = unmatched[:1]
    wanted = min(count, len(order)) - len(chosen)
    reach = len(matched) // max(1, wanted) + 1
    for middle in np.linspace(0, len(matched) - 1, min(wanted, len(matched))).astype(int).tolist():
        # the nearest in rank that is no positive of a chosen anchor, or else the nearest
        near = [place for place in range(middle - reach, middle + reach + 1) if 0 <= place < len(matched)]
        near.sort(key=lambda place: abs(place - middle))
        fresh = [matched[place] for place in near if matched[place] not in chosen]
        apart = [place for place in fresh if not batch.positive[place, chosen].any()]
        chosen += (apart or fresh)[:1]
    spare = [place for place in (*matched, *unmatched) if place not in chosen]
    chosen += spare[: max(0, min(count, len(order)) - len(chosen))]
    alone = set(unmatched)
    return sorted(chosen, key=lambda place: (place not in alone, ranks[place]))
