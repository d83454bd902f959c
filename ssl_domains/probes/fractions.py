"""Draw fractions of the labelled training groups: nested, stratified by class, equal for every encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes.labels import Labels

__all__ = ["LabelDraw", "label_draws"]


@dataclass(frozen=True)
class LabelDraw:
    """The training rows whose labels a probe is fitted on.

    Attributes:
        asked: The requested fraction of the labelled groups.
        used: The drawn fraction; larger than requested where some class would have no label.
        rows: bool ``[n]`` over all rows: labelled, in training, and of a drawn group.
        groups: Number of groups drawn.
        note: A sentence when ``used`` differs from ``asked``; else empty.
    """

    asked: float
    used: float
    rows: NDArray[np.bool_]
    groups: int
    note: str = ""


def label_draws(
    labels: Labels,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    fractions: Sequence[float],
    seed: int = 0,
) -> list[LabelDraw]:
    """Draw fractions of the labelled training groups.

    The draw depends on labels, groups and seed, but not on the features. Groups are stratified by the rarest class that
    each one contains; a smaller fraction is contained in every larger one.

    Args:
        labels: ``n`` labels.
        groups: Group of each row ``[n]``.
        train: bool ``[n]``.
        fractions: Each in (0, 1].
        seed: Seed of the draw.

    Raises:
        UsageError: When a fraction is not in (0, 1].
    """
    for fraction in fractions:
        if not 0.0 < fraction <= 1.0:
            raise UsageError(f"{fraction:g} is no fraction of the labelled groups", "give numbers above 0 and up to 1")
    rows = np.flatnonzero(train & labels.known)
    names, codes = np.unique(groups[rows], return_inverse=True)
    holds = np.zeros((len(names), len(labels.classes)), dtype=np.bool_)
    np.logical_or.at(holds, codes, labels.take(rows).membership())
    order = _stratified_order(holds, np.random.default_rng([seed, 0x5EED]))
    needed = _first_complete(holds[order])
    draws = []
    for fraction in fractions:
        requested = min(len(names), max(1, round(fraction * len(names))))
        count = max(requested, needed)
        taken = np.zeros(len(names), dtype=np.bool_)
        taken[order[:count]] = True
        mask = np.zeros(len(labels), dtype=np.bool_)
        mask[rows[taken[codes]]] = True
        note = ""
        if count > requested:
            note = (
                f"a fraction of {fraction:g} would leave a class without a label: {count} of {len(names)} groups are "
                "used instead"
            )
        draws.append(LabelDraw(fraction, count / max(1, len(names)), mask, count, note))
    return draws


def _stratified_order(holds: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Order the groups so that every prefix is stratified; one group of each stratum comes first.

    Args:
        holds: bool ``[G, K]``, whether a group contains a class.
        rng: Random generator of the shuffle.
    """
    shuffled = rng.permutation(len(holds))
    if holds.shape[1] == 0:
        return shuffled
    common = holds.sum(axis=0)
    rarest = np.where(holds, common[None, :], len(holds) + 1).argmin(axis=1)
    place = np.zeros(len(holds))
    for stratum in np.unique(rarest):
        members = shuffled[rarest[shuffled] == stratum]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]] = -1.0 + common[stratum] / (len(holds) + 1)
    return shuffled[np.argsort(place[shuffled], kind="stable")]


def _first_complete(holds: NDArray[np.bool_]) -> int:
    """Length of the shortest prefix with every class that is in any group."""
    if not holds.size:
        return 1
    first = [int(column.argmax()) for column in holds.T if column.any()]
    return max(first, default=0) + 1
