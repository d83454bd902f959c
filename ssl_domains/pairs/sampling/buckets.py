"""Sorting a plan by length within stretches, so that the samples of a ragged batch need little padding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.sampling.composition import STRETCH

__all__ = ["bucketed"]

Ints = NDArray[np.int64]


def bucketed(seats: Ints, lengths: NDArray[np.float64], unit: int, batch_size: int, rng: np.random.Generator) -> Ints:
    """Sort the units of each stretch of 50 batches by their longest sample, then shuffle the batches of the stretch.

    Args:
        seats: Positions ``[S, slots]`` in the order of the plan; the slots are whole batches.
        lengths: ``[size]``; NaN, missing, counts as longest.
        unit: Neighbouring slots that stay together.
        batch_size: Slots of a batch, a multiple of ``unit``.
        rng: Shuffles the batches, so that training meets short and long ones in turn.

    Returns:
        The same units in another order ``[S, slots]``.
    """
    count = seats.shape[1] // unit
    longest = np.where(np.isnan(lengths), np.inf, lengths)[seats].max(axis=0).reshape(count, unit).max(axis=1)
    in_batch = batch_size // unit
    order = np.lexsort((longest, np.arange(count) // (STRETCH * in_batch))).reshape(-1, in_batch)
    batches = np.lexsort((rng.random(len(order)), np.arange(len(order)) // STRETCH))
    units = seats.reshape(len(seats), count, unit)[:, order[batches].ravel()]
    return units.reshape(seats.shape)
