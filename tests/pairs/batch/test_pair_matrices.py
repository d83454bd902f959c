"""The NumPy matrices of a small batch say what the tile of all its pairs says."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_strategies as strategies
from ssl_domains.pairs import PairBatch, Rows, same, within


def assert_like_the_tile(batch: PairBatch) -> None:
    tile, found = batch.dense(), batch.matrices()
    for w, expected in zip(found.weights, tile.weights.numpy(), strict=True):
        np.testing.assert_array_equal(w, expected)
    np.testing.assert_array_equal(found.cross_sample, batch.cross_sample().T.numpy())
    other = torch.ones_like(tile.allowed) if not found.diagonal else ~torch.eye(*tile.allowed.shape, dtype=torch.bool)
    np.testing.assert_array_equal(other.numpy() if found.allowed is None else found.allowed, tile.allowed.numpy())


@settings(max_examples=60, deadline=None)
@given(data=st.data(), against_queue=st.booleans())
def test_any_batch(data: st.DataObject, against_queue: bool) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    size = len(columns["x"])
    objective, rows = data.draw(strategies.objectives(links=True)), data.draw(strategies.batch_rows(size))
    candidates = Rows.cat([data.draw(strategies.stored_rows(size)), rows.take(slice(0, 2))]) if against_queue else None
    assert_like_the_tile(objective.bind(columns, edges=links).pairs(rows, candidates))


def test_codes_that_need_more_than_16_bits() -> None:
    """Codes 0 and 2^16 would be equal as int16, in which the codes of fewer rows are compared."""
    size = 2**16 + 1
    bound = same("a").bind({"a": list(range(size))})
    candidates = Rows.of(torch.arange(size), views=1, first_row=2)
    assert_like_the_tile(bound.pairs(Rows.of([0, size - 1], views=1), candidates))


def test_weights_have_the_requested_precision_unless_graded() -> None:
    table = {"a": [0, 0, 1], "x": [0.0, 0.5, 3.0]}
    rows = Rows.of([0, 1, 2])
    assert same("a").bind(table).pairs(rows).matrices(np.float32).weights[0].dtype == np.float32
    graded = within("x", 1, decay="linear").bind(table).pairs(rows).matrices(np.float32)
    assert graded.weights[0].dtype == np.float64
