"""Batches: which samples they contain, that every row is covered, and that the plan depends on seed and epoch only."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import (
    BatchSampler,
    BoundObjective,
    Composition,
    Objective,
    Rule,
    inspect_pairs,
    same,
    within,
)
from ssl_domains.pairs.drawing import rejection
from ssl_domains.samples import SampleTable


def by_group(sizes: list[int], missing: int = 0) -> BoundObjective:
    group = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)] + [None] * missing
    return same("g").bind({"g": group})


def chunks(sampler: BatchSampler, epoch: int = 0) -> Any:
    return sampler.plan(epoch).reshape(-1, sampler.composition.per_group)


grouped = st.tuples(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(0, 5)).filter(
    lambda drawn: sum(drawn[0]) + drawn[1] >= 12
)


# groups ------------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(grouped, st.sampled_from([2, 3, 4]), st.integers(0, 5))
def test_groups_cover_every_row_and_repeat_only_to_fill_up(drawn: tuple[list[int], int], k: int, epoch: int) -> None:
    sizes, missing = drawn
    bound = by_group(sizes, missing)
    sampler = BatchSampler(bound, Composition("groups", per_group=k), 12, seed=3)
    plan = sampler.plan(epoch)
    assert plan.shape == (len(sampler), 12)
    assert set(plan.ravel().tolist()) == set(range(bound.size))

    alone = sum(size == 1 for size in sizes) + missing
    filled = [-size % k for size in sizes if size > 1] + [-alone % k]
    last_batch = len(sampler) * 12 - (bound.size + sum(filled))
    assert 0 <= last_batch < 12
    assert plan.size - bound.size == sum(filled) + last_batch

    codes = bound.relations[0].codes
    assert codes is not None
    count = Counter(codes.tolist())
    for chunk in plan.reshape(-1, k):
        kinds = {int(code) if code >= 0 and count[code] > 1 else "alone" for code in codes[chunk]}
        assert len(kinds) == 1  # one group, or rows without a group
        if kinds != {"alone"} and count[codes[chunk[0]]] >= k:
            assert len(set(chunk.tolist())) == k


def test_a_batch_has_as_many_groups_as_possible() -> None:
    sampler = BatchSampler(by_group([8] * 16), Composition("groups", per_group=4), 32)
    groups = sampler.plan(0) // 8
    met = [len(set(batch.tolist())) for batch in groups]
    assert np.mean(met) >= 7  # of the 8 that fit


def test_groups_and_order_change_from_epoch_to_epoch() -> None:
    sampler = BatchSampler(by_group([40, 40]), Composition("groups", per_group=2), 8)
    first, second = ({frozenset(pair) for pair in chunks(sampler, epoch).tolist()} for epoch in (0, 1))
    assert len(first & second) < 10


def test_the_exponent_moves_from_samples_alike_to_groups_alike() -> None:
    bound = by_group([1000, 100, 10])

    def shares(exponent: float) -> Any:
        sampler = BatchSampler(bound, Composition("groups", per_group=2, exponent=exponent), 30)
        slots = np.concatenate([sampler.plan(epoch).ravel() for epoch in range(20)])
        return np.bincount(np.digitize(slots, [1000, 1100]), minlength=3) / len(slots)

    np.testing.assert_allclose(shares(1), [1000 / 1110, 100 / 1110, 10 / 1110], atol=0.01)
    np.testing.assert_allclose(shares(0), [1 / 3] * 3, atol=0.02)
    root = np.sqrt([1000, 100, 10])
    np.testing.assert_allclose(shares(0.5), root / root.sum(), atol=0.02)


# random ------------------------------------------------------------------------------------------------------------


def test_random_covers_every_row_and_fills_only_the_last_batch_up() -> None:
    sampler = BatchSampler(by_group([10, 13]), Composition("random"), 5)
    plan = sampler.plan(4)
    assert plan.shape == (5, 5)
    assert Counter(Counter(plan.ravel().tolist()).values()) == {1: 21, 2: 2}
    assert all(len(set(batch.tolist())) == 5 for batch in plan)


# draw --------------------------------------------------------------------------------------------------------------


def test_draw_sets_every_seed_beside_its_positives() -> None:
    table = {"volume": [0] * 30 + [1] * 30, "mm": [float(k) for k in range(30)] * 2}
    sampler = BatchSampler((same("volume") & within("mm", 2)).bind(table), Composition("draw", per_group=3), 12)
    found = chunks(sampler, 2)
    seeds, positives = found[:, :1], found[:, 1:]
    assert (seeds // 30 == positives // 30).all()
    assert (np.abs(seeds % 30 - positives % 30) <= 2).all()
    assert (seeds != positives).all()
    assert (positives[:, 0] != positives[:, 1]).all()


def test_every_row_is_a_seed_once_in_per_group_epochs() -> None:
    sampler = BatchSampler(within("x", 1).bind({"x": list(range(24))}), Composition("draw", per_group=3), 6)
    seeds = np.concatenate([chunks(sampler, epoch)[:, 0] for epoch in range(6)])
    assert sorted(seeds[:24].tolist()) == sorted(seeds[24:].tolist()) == list(range(24))


def test_a_seed_without_a_match_is_still_a_seed() -> None:
    table = {"x": [0.0, 0.5, None, 100.0] * 3}
    sampler = BatchSampler(within("x", 1).bind(table), Composition("draw"), 4)
    seeds = np.concatenate([chunks(sampler, epoch)[:, 0] for epoch in range(2)])
    assert set(seeds.tolist()) == set(range(12))
    assert all((sampler.plan(epoch) >= 0).all() for epoch in range(2))


# partner -----------------------------------------------------------------------------------------------------------


def test_partner_sets_a_drawn_positive_of_each_seed_below_it() -> None:
    table = {"volume": [0] * 30 + [1] * 30, "mm": [float(k) for k in range(30)] * 2}
    sampler = BatchSampler((same("volume") & within("mm", 2)).bind(table), Composition("partner"), 12)
    assert sampler.partnered
    plan = sampler.plan(2)
    assert plan.shape == (5, 24)
    seeds, partners = plan[:, :12], plan[:, 12:]
    assert sorted(seeds.ravel().tolist()) == list(range(60))
    assert (seeds // 30 == partners // 30).all()
    assert (np.abs(seeds % 30 - partners % 30) <= 2).all()
    assert (seeds != partners).all()


def test_a_seed_without_a_positive_is_its_own_partner() -> None:
    plan = BatchSampler(by_group([2, 1, 1], missing=1), Composition("partner"), 5).plan(0)
    partner = dict(zip(plan[0, :5].tolist(), plan[0, 5:].tolist(), strict=True))
    assert partner == {0: 1, 1: 0, 2: 2, 3: 3, 4: 4}


def test_the_last_batch_of_seeds_is_filled_up_from_the_first() -> None:
    sampler = BatchSampler(by_group([4, 4, 3]), Composition("partner"), 4)
    plan = sampler.plan(0)
    assert (len(sampler), plan.shape) == (3, (3, 8))
    assert set(plan[:, :4].ravel().tolist()) == set(range(11))
    assert plan[2, 3] == plan[0, 0]


def test_partners_change_from_epoch_to_epoch() -> None:
    sampler = BatchSampler(by_group([12]), Composition("partner"), 12)
    first, second = (dict(zip(*np.split(sampler.plan(epoch)[0], 2), strict=True)) for epoch in (0, 1))
    assert first != second


def test_partners_are_drawn_by_the_given_relation() -> None:
    bound = (same("a") + same("b")).bind({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    for relation, apart in ((0, 1), (1, 2)):
        seeds, partners = np.split(BatchSampler(bound, Composition("partner", compose_by=relation), 4).plan(0)[0], 2)
        assert np.abs(seeds - partners).tolist() == [apart] * 4


@pytest.mark.parametrize("kind", ["draw", "partner"])
def test_anchors_that_drawing_gave_up_are_reported(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"g": [0] * 70 + [1] * 70, "h": [0] * 70 + list(range(70))}
    rule = same("g") & ~same("h")  # the first seventy have no match, which no index shows
    sampler = BatchSampler(rule.bind(table), Composition(kind), 70)
    monkeypatch.setattr(rejection, "_SCAN", 0)
    with pytest.warns(RuntimeWarning, match="composing batches: .* were given up"):
        sampler.plan(0)
    assert sampler.drawn is not None
    assert sampler.drawn.given_up > 0
    report = inspect_pairs(SampleTable.of(table), rule, sampler.bound, sampler)
    assert any(warning.startswith("drawing gave up") for warning in report.warnings)


# auto --------------------------------------------------------------------------------------------------------------


def test_auto_is_random_where_nearly_all_anchors_have_a_positive() -> None:
    sampler = BatchSampler(by_group([100, 100]), Composition(), 32)
    assert sampler.composition.kind == "random"
    assert "100.0 %" in sampler.reason


def test_auto_composes_by_groups_where_too_few_anchors_have_one() -> None:
    sampler = BatchSampler(by_group([2] * 200), Composition(per_group=4), 16)
    assert (sampler.composition.kind, sampler.composition.per_group) == ("groups", 4)
    assert sampler.reason.startswith("only ")


def test_auto_draws_where_there_are_no_groups() -> None:
    sampler = BatchSampler(within("x", 1).bind({"x": list(range(400))}), Composition(), 16)
    assert sampler.composition.kind == "draw"


@pytest.mark.parametrize(
    "rule",
    [same("g") & ~same("h"), same("g") & ~same("x"), within("x", 1) | same("g"), ~(~same("g") | same("x"))],
    ids=str,
)
def test_auto_draws_by_any_rule(rule: Rule) -> None:
    table = {"g": [k // 2 for k in range(400)], "h": [k % 2 for k in range(400)], "x": list(range(0, 800, 2))}
    sampler = BatchSampler(rule.bind(table), Composition(), 8)
    assert sampler.composition.kind == "draw"
    seeds, drawn = chunks(sampler).T
    assert (seeds // 2 == drawn // 2).all()
    assert (seeds != drawn).all()
    assert sampler.drawn is not None
    assert (sampler.drawn.anchors, sampler.drawn.without, sampler.drawn.given_up) == (200, 0, 0)


@pytest.mark.parametrize("kind", ["groups", "draw"])
def test_auto_counts_only_anchors_that_match_any_sample(kind: str) -> None:
    """Half of the rows match no other row; the others are two groups, which random batches nearly always serve."""
    n = 400
    columns = {"g": [k % 2 if k < 200 else k for k in range(n)], "x": [0.0] * n}
    rule = same("g") if kind == "groups" else same("g") & within("x", 1)
    sampler = BatchSampler(rule.bind(columns), Composition(), 64)
    # By enumeration over the batch's other members: C(300, 63) / C(399, 63) of an anchor's batches have no match.
    without = math.comb(n - 1 - 99, 63) / math.comb(n - 1, 63)
    assert without < 0.01
    assert sampler.composition.kind == "random"
    assert sampler.reason.startswith(f"{100 * (1 - without):.1f} % of anchors that match any sample have a positive")

    few = BatchSampler(rule.bind(columns), Composition(), 8)
    without = math.comb(n - 1 - 99, 7) / math.comb(n - 1, 7)
    assert few.composition.kind == kind
    assert few.reason.startswith(f"only {100 * (1 - without):.1f} % of anchors that match any sample")


def test_auto_is_random_where_no_sample_matches_another() -> None:
    for rule in (same("g"), same("g") & within("g", 0)):
        sampler = BatchSampler(rule.bind({"g": list(range(40))}), Composition(), 8)
        assert (sampler.composition.kind, sampler.reason) == ("random", "no sample matches another")


def test_auto_never_takes_partners() -> None:
    for rule in (same("g"), within("g", 0)):
        for size in (8, 400):
            kind = BatchSampler(rule.bind({"g": [k // 2 for k in range(400)]}), Composition(), size).composition.kind
            assert kind in ("random", "groups", "draw")


def test_auto_looks_at_the_relation_it_composes_by() -> None:
    table = {"a": [0, 1] * 100, "b": [k // 2 for k in range(200)]}
    bound = (same("a") + same("b")).bind(table)
    assert BatchSampler(bound, Composition(compose_by=0), 20).composition.kind == "random"
    assert BatchSampler(bound, Composition(compose_by=1), 20).composition.kind == "groups"


def test_without_a_relation_there_is_nothing_to_compose_by() -> None:
    sampler = BatchSampler(Objective().bind({"a": list(range(20))}), Composition(), 4)
    assert sampler.composition.kind == "random"
    assert "no relation" in sampler.reason


def test_a_given_kind_is_kept() -> None:
    sampler = BatchSampler(by_group([100, 100]), Composition("groups"), 32)
    assert (sampler.composition.kind, sampler.reason) == ("groups", "asked for")


# state and ranks ---------------------------------------------------------------------------------------------------

KINDS = ["random", "groups", "draw", "partner"]


def whole(kind: str, shares: tuple[list[int], ...]) -> list[int]:
    """The global batch of every rank's list; with partners, each list is its seeds and then their partners."""
    if kind != "partner":
        return [i for share in shares for i in share]
    halves = [np.split(np.array(share), 2) for share in shares]
    return [int(i) for k in (0, 1) for half in halves for i in half[k]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_is_a_function_of_seed_and_epoch(kind: Any) -> None:
    bound = by_group([5, 7, 9, 3])
    one, two = (BatchSampler(bound, Composition(kind), 6, seed=11) for _ in range(2))
    for epoch in (3, 0, 1):
        assert np.array_equal(one.plan(epoch), two.plan(epoch))
    assert not np.array_equal(one.plan(0), one.plan(1))
    assert not np.array_equal(one.plan(0), BatchSampler(bound, Composition(kind), 6, seed=12).plan(0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_the_slices_of_all_ranks_are_the_global_batch(kind: Any, world_size: int) -> None:
    bound = by_group([5, 7, 9, 3])
    ranks = [BatchSampler(bound, Composition(kind), 6, 1, rank, world_size) for rank in range(world_size)]
    joined = [whole(kind, step) for step in zip(*ranks, strict=True)]
    assert joined == BatchSampler(bound, Composition(kind), 6, 1).plan(0).tolist()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 11), st.sampled_from([1, 2, 3]))
def test_resume_goes_on_exactly_with_any_number_of_processes(kind: Any, stop: int, world_size: int) -> None:
    bound = by_group([5, 7, 9, 3])
    unbroken = BatchSampler(bound, Composition(kind), 6, seed=5)
    expected = [batch for _ in range(3) for batch in unbroken]

    before = BatchSampler(bound, Composition(kind), 6, seed=5)
    read: list[list[int]] = []
    while len(read) < stop:
        for batch in before:
            read.append(batch)
            if len(read) == stop:
                break
    state = before.state_dict()

    after = [BatchSampler(bound, Composition(kind), 6, 0, rank, world_size) for rank in range(world_size)]
    for sampler in after:
        sampler.load_state_dict(state)
    while len(read) < len(expected):
        read += [whole(kind, step) for step in zip(*after, strict=True)]
    assert read == expected


def test_an_epoch_that_was_read_moves_to_the_next() -> None:
    sampler = BatchSampler(by_group([8]), Composition("random"), 4)
    assert sampler.state_dict() == {"seed": 0, "epoch": 0, "step": 0}
    list(sampler)
    assert sampler.state_dict() == {"seed": 0, "epoch": 1, "step": 0}
    sampler.set_position(4, 1)
    assert list(sampler) == sampler.plan(4)[1:].tolist()
    sampler.set_position(4, 2)
    assert sampler.state_dict() == {"seed": 0, "epoch": 5, "step": 0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", [same("g"), same("g") & same("h")], ids=str)
def test_the_sampler_keeps_few_bytes_a_row(kind: Any, rule: Rule) -> None:
    n = 20_000
    rng = np.random.default_rng(0)
    table = {"g": np.minimum(rng.zipf(1.3, n), 10**6), "h": rng.integers(0, 3, n)}
    sampler = BatchSampler(rule.bind(table), Composition(kind), 100)
    sampler.plan(0)
    assert sampler.nbytes <= 16 * n


def test_a_data_loader_takes_it() -> None:
    from torch.utils.data import DataLoader

    sampler = BatchSampler(by_group([6, 6]), Composition("groups"), 4)
    loader: Any = DataLoader(list(range(12)), batch_sampler=sampler, collate_fn=list)  # type: ignore[arg-type]
    epochs = [list(loader), list(loader)]
    assert epochs == [sampler.plan(0).tolist(), sampler.plan(1).tolist()]
    assert len(loader) == 3


# errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"batch_size": 100}, DataError, "24 rows are fewer than a batch of 100"),
        ({"batch_size": 1}, UsageError, "batch size is 1"),
        ({"composition": Composition("groups", per_group=4), "batch_size": 6}, UsageError, "does not divide a batch"),
        ({"composition": Composition("draw", per_group=4), "batch_size": 6}, UsageError, "does not divide a batch"),
        ({"batch_size": 6, "world_size": 4}, UsageError, "does not divide among 4"),
        ({"batch_size": 6, "world_size": 2, "rank": 2}, UsageError, "rank 2 of 2"),
        ({"batch_size": 6, "seed": -1}, UsageError, "seed is -1"),
        ({"composition": Composition(compose_by=1), "batch_size": 6}, UsageError, "has 1 relations"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_a_hint(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        BatchSampler(by_group([5, 7, 9, 3]), **arguments)
    assert caught.value.hint  # type: ignore[attr-defined]


def test_groups_need_a_relation_of_equality() -> None:
    bound = within("x", 1).bind({"x": list(range(20))})
    with pytest.raises(UsageError, match="no groups"):
        BatchSampler(bound, Composition("groups"), 4)


@pytest.mark.parametrize("kind", ["draw", "partner"])
def test_emitted_numbers_cannot_be_drawn_by(kind: Any) -> None:
    bound = (same("x") & same("angle")).bind({"x": [0] * 20}, emitted=["angle"])
    with pytest.raises(UsageError, match="no match before the views are made"):
        BatchSampler(bound, Composition(kind), 4)


@pytest.mark.parametrize(("epoch", "step"), [(-1, 0), (0, -1), (0, 3)])
def test_a_step_outside_the_epoch_is_refused(epoch: int, step: int) -> None:
    sampler = BatchSampler(by_group([8]), Composition("random"), 4)
    with pytest.raises(UsageError, match="no step"):
        sampler.set_position(epoch, step)
