"""Members counted in blocks equal those counted at once, and a batch keeps only what its rows need."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ssl_domains.pairs import BoundRule, PairBatch, Rows, linked, overlap
from ssl_domains.pairs.leaves import overlap_rows


def batch(weight: str | None, at_least: int, columns: dict[str, list[list[int]]]) -> PairBatch:
    rows = Rows.of(range(30))
    queue = Rows.stored(range(40, 60))
    return overlap("t", at_least, weight=weight).bind(columns).pairs(rows, Rows.cat([rows, queue]))


@pytest.mark.parametrize("at_least", [1, 3])
@pytest.mark.parametrize("weight", [None, "jaccard"])
def test_blocks_add_up(weight: str | None, at_least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    columns = {"t": [rng.choice(50, size=rng.integers(0, 20), replace=False).tolist() for _ in range(60)]}
    whole = batch(weight, at_least, columns).dense().weights
    monkeypatch.setattr(overlap_rows, "_BLOCK", 80 * 7)  # seven members a block
    assert torch.equal(batch(weight, at_least, columns).dense().weights, whole)
    tiled = batch(weight, at_least, columns)
    pieces = [tiled.tile(slice(0, 60), slice(j, j + 9)).weights for j in range(0, 80, 9)]
    assert torch.equal(torch.cat(pieces, dim=2), whole)
    lists = [set(members) for members in columns["t"]]
    assert len(lists[0] & lists[45]) >= at_least
    share = len(lists[0] & lists[45]) / len(lists[0] | lists[45])
    assert whole[0, 0, 65] == (share if weight else 1)


def test_only_what_anchors_and_candidates_share_is_kept() -> None:
    columns = {"t": [[0, 1], [1, 2], [1, 9], [7, 8]]}
    pairs = overlap("t").bind(columns).pairs(Rows.of([0, 1], views=1), Rows.stored([2, 3]))
    leaf = pairs.relations[0].rule
    assert isinstance(leaf, overlap_rows.SharedMembers)
    assert leaf.distinct == 1
    assert leaf.candidates.sizes.tolist() == [2, 2]


def test_only_edges_between_the_batchs_samples_are_kept() -> None:
    n = 1000
    edges = {"e": {"a": ["0"] * n + ["1"], "b": [str(k) for k in range(n)] + ["2"]}}
    bound = linked("e").bind({"x": range(n)}, edges=edges)
    assert isinstance(bound.relations[0].rule, BoundRule)
    leaf = bound.pairs(Rows.of([0, 1, 2, 5])).relations[0].rule
    assert leaf is not None
    assert len(leaf.targets) == 8  # type: ignore[attr-defined]
