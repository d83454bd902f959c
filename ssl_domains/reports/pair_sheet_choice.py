"""Which samples a picture sheet shows: anchors of one planned batch that cover what happens, and whom they meet."""

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
_PROPOSED = 2**24  # pairs that a rule is asked about at most, to count an anchor's matches in the whole table


@dataclass(frozen=True)
class Anchor:
    """An anchor and its batch-mates, as positions of the bound table.

    Attributes:
        sample: The anchor.
        partner: Its drawn partner, where batches have partners; None without.
        positives: Positives of other samples in the batch, the partner and the nearest slots first.
        ignored: Ignored ones.
        negatives: All others.
        matches: Other samples of the whole table that match it in the relation that batches are composed by; None
            where counting would take long.
    """

    sample: int
    partner: int | None
    positives: tuple[int, ...]
    ignored: tuple[int, ...]
    negatives: tuple[int, ...]
    matches: int | None


@dataclass(frozen=True)
class Choice:
    """What is shown and what is looked at.

    Attributes:
        batch: Number of the planned batch, from 0.
        samples: Different samples in it.
        anchors: From few matches to many.
        pool: Positions worth decoding, the indispensable first.
    """

    batch: int
    samples: int
    anchors: tuple[Anchor, ...]
    pool: tuple[int, ...]


def choose(bound: BoundObjective, sampler: BatchSampler, *, anchors: int, pool: int, positives: int = 4) -> Choice:
    """Choose anchors of the first planned batch that holds one without a positive, or else of the first one.

    Args:
        bound: The objective.
        sampler: Plans the batches.
        anchors: How many.
        pool: How many samples may be decoded, beside those that must.
        positives: How many positives, and ignored samples, of an anchor must be decoded.
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
        needed += [*one.positives[:positives], *one.ignored[:positives]]
    rest = np.random.default_rng(0).permutation(batch.samples).tolist()
    first = list(dict.fromkeys(needed))
    others = [row for row in rest if row not in set(first)]
    return Choice(number, len(batch.samples), tuple(chosen), (*first, *others[: max(0, pool - len(first))]))


def hardest(among: Sequence[int], anchor: int, features: Mapping[int, Floats], count: int) -> list[tuple[int, float]]:
    """The positions most similar to the anchor by cosine, with it, the most similar first.

    Args:
        among: Positions; those without features are left out.
        anchor: A position; without features nobody is similar.
        features: Unit vectors by position.
        count: At most so many.
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
    """The pairs of one planned batch; places are those of its different samples."""

    def __init__(self, bound: BoundObjective, sampler: BatchSampler, slots: Ints) -> None:
        seeds = slots[: sampler.batch_size]
        self.partners = dict(zip(seeds.tolist(), slots[sampler.batch_size :].tolist(), strict=False))
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
        )

    def _matches(self, bound: BoundObjective, relation: int) -> Ints | None:
        index = bound.drawer(relation).index
        if int(index.counts(self.samples).sum()) > _PROPOSED:
            return None
        return count_matches(bound.relations[relation].rule, index, self.samples)


def _spread(batch: _Batch, count: int) -> list[int]:
    """Places of anchors, from few matches to many: one without a positive, then evenly, rather not of one group."""
    ranks: Ints = batch.matches if batch.matches is not None else batch.positive.sum(1)
    shuffled = np.random.default_rng(0).permutation(batch.seeds)
    order = shuffled[np.argsort(ranks[shuffled], kind="stable")]
    met = np.isin(order, batch.seeds[batch.met])
    lonely, social = order[~met].tolist(), order[met].tolist()
    chosen: list[int] = lonely[:1]
    wanted = min(count, len(order)) - len(chosen)
    reach = len(social) // max(1, wanted) + 1
    for middle in np.linspace(0, len(social) - 1, min(wanted, len(social))).astype(int).tolist():
        # the nearest in rank that belongs to nobody who is shown already, or else the nearest
        near = [place for place in range(middle - reach, middle + reach + 1) if 0 <= place < len(social)]
        near.sort(key=lambda place: abs(place - middle))
        fresh = [social[place] for place in near if social[place] not in chosen]
        apart = [place for place in fresh if not batch.positive[place, chosen].any()]
        chosen += (apart or fresh)[:1]
    spare = [place for place in (*social, *lonely) if place not in chosen]
    chosen += spare[: max(0, min(count, len(order)) - len(chosen))]
    alone = set(lonely)
    return sorted(chosen, key=lambda place: (place not in alone, ranks[place]))
