"""Distance-weighted sampling: probabilities, limits, and draws that depend on the anchor's row alone."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Tensor

from ssl_domains.miners import distance_weighted
from ssl_domains.pairs import CollapsedTile, Rows, Triplets, parse, same

TABLE = {"g": [0, 0, 0, 1, 1, 2, 2, 3], "x": [0.0, 0.1, 0.4, 3.0, 3.1, 9.0, 9.1, 20.0]}


def sphere(rows: int, dimensions: int, spread: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(rows, dimensions, generator=generator, dtype=torch.float64) * spread
    z[:, 0] += 1
    return torch.nn.functional.normalize(z, dim=1)


def drawn(z: Tensor, tile: CollapsedTile, rows: Tensor, step: int = 0, part: slice | None = None) -> Triplets:
    part = slice(0, len(z)) if part is None else part
    return distance_weighted(torch.cdist(z[part], z), tile, rows[part], dimensions=z.shape[1], seed=5, step=step)


def test_negatives_are_drawn_in_proportion_to_one_over_the_density_of_their_distance() -> None:
    z = sphere(8, 4, 0.6)
    pairs = same("g").bind(TABLE).pairs(Rows.of(torch.arange(8), views=1))
    whole = slice(0, 8)
    tile = pairs.collapsed(whole, whole)
    counts: Counter[int] = Counter()
    for step in range(3000):
        found = drawn(z, tile, pairs.anchors.row, step)
        assert found.negative is not None
        counts.update(found.negative[found.anchor == 0].tolist())
    between = torch.cdist(z, z)[0]
    weight = torch.zeros(8, dtype=torch.float64)
    for n in range(3, 8):
        d = max(float(between[n]), 0.5)
        if between[n] < 1.4:
            weight[n] = 1 / (d ** (4 - 2) * (1 - d**2 / 4) ** ((4 - 3) / 2))
    expected = weight / weight.sum()
    assert (expected > 0).sum() >= 3
    number = sum(counts.values())
    assert number == 2 * 3000  # two positives of row 0
    for n in range(8):
        deviation = 4 * math.sqrt(float(expected[n] * (1 - expected[n])) / number)
        assert abs(counts[n] / number - float(expected[n])) <= deviation


def test_the_draws_of_an_anchor_depend_on_its_row_and_the_step_alone() -> None:
    z = sphere(16, 8, 0.5)
    pairs = same("g").bind(TABLE).pairs(Rows.of(torch.arange(8), views=2))
    whole = slice(0, 16)
    one = drawn(z, pairs.collapsed(whole, whole), pairs.anchors.row)
    assert one.negative is not None
    again: list[tuple[int, int, int]] = []
    for part in (slice(0, 3), slice(3, 4), slice(4, 16)):
        found = drawn(z, pairs.collapsed(part, whole), pairs.anchors.row, part=part)
        assert found.negative is not None
        again += zip(
            (found.anchor + part.start).tolist(), found.positive.tolist(), found.negative.tolist(), strict=True
        )
    assert again == list(zip(one.anchor.tolist(), one.positive.tolist(), one.negative.tolist(), strict=True))
    other = drawn(z, pairs.collapsed(whole, whole), pairs.anchors.row, step=1)
    assert other.negative is not None
    assert not torch.equal(other.negative, one.negative)


def test_every_positive_gets_a_negative_that_is_near_and_neither_positive_nor_ignored() -> None:
    z = sphere(16, 8, 0.3)
    objective = (parse("0.7*same('g') + 0.3*within('x', 1, decay='linear')")).ignore(parse("within('x', 7)"))
    pairs = objective.bind(TABLE).pairs(Rows.of(torch.arange(8), views=2))
    whole = slice(0, 16)
    tile = pairs.collapsed(whole, whole)
    assert tile.even is None
    found = drawn(z, tile, pairs.anchors.row)
    assert found.negative is not None
    assert len(found) == int(tile.positive.sum())
    assert bool(tile.positive[found.anchor, found.positive].all())
    assert bool(tile.negative[found.anchor, found.negative].all())


def test_an_anchor_whose_negatives_are_all_far_takes_the_nearest() -> None:
    z = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.1, 0.0], [-1.0, 0.1, 0.0], [-0.9, 0.5, 0.0]], dtype=torch.float64)
    z = torch.nn.functional.normalize(z, dim=1)
    pairs = same("g").bind({"g": [0, 0, 1, 2]}).pairs(Rows.of(torch.arange(4), views=1))
    whole = slice(0, 4)
    found = drawn(z, pairs.collapsed(whole, whole), pairs.anchors.row)
    assert found.negative is not None
    assert list(zip(found.anchor.tolist(), found.negative.tolist(), strict=True)) == [(0, 3), (1, 3)]


@pytest.mark.parametrize("groups", [[0, 0, 0], [0, 1, 2]], ids=["no negatives", "no positives"])
def test_nothing_is_drawn_without_a_positive_or_a_negative(groups: list[int]) -> None:
    pairs = same("g").bind({"g": groups}).pairs(Rows.of(torch.arange(3), views=1))
    whole = slice(0, 3)
    assert len(drawn(sphere(3, 4), pairs.collapsed(whole, whole), pairs.anchors.row)) == 0
