"""The pairs of a tile for losses that see one relation: states and summed weights, beside each pair by itself."""

from __future__ import annotations

import polars as pl
import torch

from ssl_domains.pairs import Rows, parse

TABLE = pl.DataFrame(
    {
        "sample": [f"s{n}" for n in range(6)],
        "patient": ["a", "a", "b", "b", "c", None],
        "x": [0.0, 1.0, 1.5, 9.0, 0.5, 0.2],
    }
)


def test_states_and_weights_of_two_relations_and_an_ignore_rule() -> None:
    objective = (parse("(0.7*same('patient') + 0.3*within('x', 1, decay='linear')).ignore(within('x', 2))")).bind(TABLE)
    rows = Rows.of(torch.arange(6), views=2)
    pairs = objective.pairs(rows)
    whole = slice(0, 12)
    tile, found = pairs.tile(whole, whole), pairs.collapsed(whole, whole)
    for i in range(12):
        for j in range(12):
            positive = any(bool(tile.matches[r, i, j]) for r in range(2))
            assert bool(found.positive[i, j]) == positive
            assert bool(found.negative[i, j]) == (bool(tile.allowed[i, j]) and not positive)
            expected = sum(alpha * float(tile.weights[r, i, j]) for r, alpha in enumerate((0.7, 0.3)))
            assert abs(float(found.weight[i, j]) - expected) < 1e-12
    assert not found.positive.diagonal().any()
    assert not found.negative.diagonal().any()
    # Patient a at 0 and at 1: positive by the patient. Samples at 0 and at 1.5 are ignored, at 0 and at 9 negative.
    assert found.weight[0, 1] == 0.7
    assert not found.positive[0, 2]
    assert not found.negative[0, 2]
    assert found.negative[0, 3]
    strip = pairs.collapsed(slice(3, 7), whole)
    assert torch.equal(strip.negative, found.negative[3:7])
    assert torch.equal(strip.weight, found.weight[3:7])
