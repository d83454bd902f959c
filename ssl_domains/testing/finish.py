"""Does the part of a preprocess that runs on the device keep its contract?"""

from __future__ import annotations

from dataclasses import replace

import torch

from ssl_domains.inputs import Input
from ssl_domains.views import Preprocess, finished, loaded_spec

__all__ = ["check_finish", "check_finite"]

TOLERANCE = 1e-5
"""Largest difference of equal values, as a share of one plus the largest value of the sample."""

_LONGER, _ANYTHING = 7, 3.0  # further places of padding, and the value that they hold


def check_finish(preprocess: Preprocess, x: Input) -> None:
    """Check the part of a preprocess that runs on the device, ``finish``.

    Args:
        preprocess: A preprocess with ``loaded`` and ``finish``.
        x: Some samples of the form ``loaded``.

    Raises:
        AssertionError: When it breaks the contract; the message says where.
    """
    form = loaded_spec(preprocess)
    assert hasattr(preprocess, "compact"), "a preprocess with `finish` has `compact`, which gives the form `loaded`"
    assert form.kind != preprocess.spec.kind, f"`loaded` and `spec` have different kinds, not both {form.kind!r}"
    before = x.values.clone()
    made = finished(preprocess, x)  # raises when the values have another form than the spec
    assert torch.equal(x.values, before), "finish changes its input in place"
    check_finite(made)
    assert torch.equal(finished(preprocess, x).values, made.values), "finish gives the same values each time"
    if not form.ragged:
        return
    longer = x.padded([side + _LONGER * (number in form.ragged) for number, side in enumerate(x.space)])
    other = replace(longer, values=longer.values.masked_fill(~longer.with_valid(), _ANYTHING))
    padded = finished(preprocess, other)
    for row in range(len(x)):
        alone = finished(preprocess, x.take(slice(row, row + 1)).trimmed()).trimmed()
        for batch in (made, padded):
            one = batch.take(slice(row, row + 1)).trimmed()
            assert one.space == alone.space, "finish gives a sample the same sides alone, in a batch and with padding"
            assert torch.equal(one.with_valid(), alone.with_valid()), "finish gives a sample the same valid places"
            gap = (one.values - alone.values).masked_fill(~alone.with_valid(), 0).abs().max()
            assert float(gap) <= TOLERANCE * (1 + float(alone.values.abs().max())), (
                "what finish makes of a sample depends neither on padding nor on other samples"
            )


def check_finite(x: Input) -> None:
    """Check that all valid places hold finite numbers."""
    known = x.values.masked_fill(~x.with_valid(), 0)
    assert not known.is_floating_point() or torch.isfinite(known).all(), "the preprocess gives finite numbers"
