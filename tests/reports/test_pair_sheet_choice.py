"""Which anchors a sheet shows."""

from __future__ import annotations

import numpy as np
import pytest

from ssl_domains.pairs import BatchSampler, Composition, parse
from ssl_domains.reports.pair_sheet_choice import choose, hardest


def chosen(rule: str, columns: dict[str, object], batch: int, kind: str = "random", **options: int):  # type: ignore[no-untyped-def]
    bound = parse(rule).bind(columns)
    sampler = BatchSampler(bound, Composition(kind), batch)  # type: ignore[arg-type]
    return bound, sampler, choose(bound, sampler, **{"anchors": 8, "pool": 64, **options})


def test_anchors_cover_the_group_sizes_and_one_has_no_positive() -> None:
    """Groups of 2, 4, 8 … 64, and one row alone among 127."""
    groups = np.repeat(np.arange(7), [1, 2, 4, 8, 16, 32, 64])
    _, _, choice = chosen("same('g')", {"g": groups}, 127)
    sizes = [anchor.matches for anchor in choice.anchors]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert choice.anchors[0].positives == ()
    assert len({groups[anchor.sample] for anchor in choice.anchors}) >= 4
    assert len({anchor.sample for anchor in choice.anchors}) == len(choice.anchors) == 8


def test_a_batch_with_a_lonely_anchor_is_looked_for() -> None:
    groups = np.repeat(np.arange(101), [*[4] * 100, 1])
    bound, sampler, choice = chosen("same('g')", {"g": groups}, 20, "groups")
    assert 400 in sampler.plan(0)[choice.batch]
    assert choice.anchors[0].sample == 400
    assert bound.size == 401


def test_who_is_what_is_what_the_rule_says() -> None:
    rng = np.random.default_rng(0)
    columns = {"g": rng.integers(0, 9, 60), "x": rng.normal(size=60)}
    bound, sampler, choice = chosen("same('g').ignore(within('x', 0.3))", columns, 30)
    batch = set(sampler.plan(0)[choice.batch].tolist())
    for anchor in choice.anchors:
        parts = [set(anchor.positives), set(anchor.ignored), set(anchor.negatives), {anchor.sample}]
        assert set.union(*parts) == batch
        assert sum(map(len, parts)) == len(batch)
        for other in anchor.positives:
            assert columns["g"][anchor.sample] == columns["g"][other]
        for other in anchor.ignored:
            assert columns["g"][anchor.sample] != columns["g"][other]
            assert abs(columns["x"][anchor.sample] - columns["x"][other]) <= 0.3
        assert anchor.matches == (columns["g"] == columns["g"][anchor.sample]).sum() - 1
    assert bound.ignored is not None


def test_matches_of_a_predicate_are_counted_over_the_table() -> None:
    x = np.arange(50.0)
    _, _, choice = chosen("within('x', 3)", {"x": x}, 25)
    for anchor in choice.anchors:
        assert anchor.matches == (np.abs(x - x[anchor.sample]) <= 3).sum() - 1


def test_partners_come_first_and_seeds_are_the_anchors() -> None:
    _, sampler, choice = chosen("same('g')", {"g": [k // 4 for k in range(80)]}, 16, "partner")
    seeds, partners = sampler.plan(0)[choice.batch].reshape(2, -1)
    drawn = dict(zip(seeds.tolist(), partners.tolist(), strict=True))
    for anchor in choice.anchors:
        assert anchor.partner == drawn[anchor.sample]
        assert anchor.positives[0] == anchor.partner


def test_the_pool_is_bounded_and_what_must_be_shown_comes_first() -> None:
    _, _, choice = chosen("same('g')", {"g": [k % 5 for k in range(400)]}, 300, anchors=4, pool=50)
    assert len(choice.pool) == len(set(choice.pool)) == 50
    needed = {anchor.sample for anchor in choice.anchors}
    needed |= {other for anchor in choice.anchors for other in anchor.positives[:4]}
    assert set(choice.pool[: len(needed)]) == needed


def test_more_anchors_than_samples() -> None:
    _, _, choice = chosen("same('g')", {"g": [0, 0, 1, 1]}, 4, anchors=40)
    assert sorted(anchor.sample for anchor in choice.anchors) == [0, 1, 2, 3]


def test_the_hardest_are_the_most_similar() -> None:
    angles = {0: 0.0, 1: 0.1, 2: 1.0, 3: 0.3}
    features = {k: np.array([np.cos(a), np.sin(a)]) for k, a in angles.items()}
    found = hardest([2, 3, 1, 9], 0, features, 2)
    assert [k for k, _ in found] == [1, 3]
    assert np.isclose(found[0][1], np.cos(0.1))
    assert hardest([1], 9, features, 2) == hardest([9], 0, features, 2) == []


@pytest.mark.parametrize("kind", ["random", "partner"])
def test_drawn_negatives_are_negatives_of_their_anchor_and_never_partners(kind: str) -> None:
    columns = {"g": [k // 4 for k in range(80)], "c": [k // 20 for k in range(80)]}
    bound = parse("same('g')").bind(columns)
    composition = Composition(kind, negatives="same('c')", n_negatives=2)  # type: ignore[arg-type]
    sampler = BatchSampler(bound, composition, 16, table=columns)
    choice = choose(bound, sampler, anchors=5, pool=20)
    seats = sampler.plan(0)[choice.batch].reshape(composition.seats, 16)
    for anchor in choice.anchors:
        slot = seats[:, seats[0] == anchor.sample][:, 0].tolist()
        assert anchor.drawn == tuple(slot[-2:])
        assert set(anchor.drawn) <= set(anchor.negatives) & set(choice.pool)
        assert anchor.partner == (slot[1] if kind == "partner" else None)
