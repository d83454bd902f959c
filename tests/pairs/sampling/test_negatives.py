"""Drawn negatives: never a positive, an ignored row or an anchor of their slot, checked pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
from pair_strategies import columns, edges, objectives, rules
from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import BatchSampler, Binding, Composition, Rows, edges_between, linked, parse, same, within
from ssl_domains.pairs.rules.algebra import AcrossParts
from ssl_domains.pairs.sampling.negatives import NegativeCount
from ssl_domains.samples import SampleTable


def seats_of(sampler: BatchSampler, epoch: int = 0) -> Any:
    """The seats of every slot of an epoch: int64 ``[S, slots]``."""
    plan = sampler.plan(epoch)
    return plan.reshape(len(plan), -1, sampler.batch_size).swapaxes(0, 1).reshape(-1, len(plan) * sampler.batch_size)


def matches(rule: Any, table: Any, tables: Any) -> Any:
    """Where a rule says yes: bool ``[n, n]``, by the float64 reference, pair by pair."""
    rule = rule.term if isinstance(rule, AcrossParts) else rule
    n = len(table["sample"])
    values = reference.RowValues(table, Rows.of(range(n), 1), reference.fit(rule, table), tables)
    return np.array([[(reference.answer(rule, values, i, values, j) or 0.0) > 0 for j in range(n)] for i in range(n)])


def excluded(rule: Any, table: Any, tables: Any) -> Any:
    """Whether a row can't be a negative of another: bool ``[n, n]``."""
    found = np.eye(len(table["sample"]), dtype=bool)
    for one in rule.rules:
        found |= matches(one, table, tables)
    return found


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(["random", "partner", "draw"]), st.integers(1, 3))
def test_no_negative_is_a_positive_or_ignored_under_any_objective(data: Any, kind: Any, k: int) -> None:
    table, tables = data.draw(columns(size=12)), data.draw(edges())
    rule, drawn_by = data.draw(objectives(links=True)), data.draw(rules(links=True, max_leaves=3))
    bound = rule.bind(table, edges=tables)
    composition = Composition(kind, negatives=drawn_by, n_negatives=k)
    sampler = BatchSampler(bound, composition, 4, seed=3, table=table, edges=tables)
    forbidden = excluded(rule, table, tables)
    candidates = matches(drawn_by, table, tables)
    try:
        seats = seats_of(sampler)
    except DataError:
        # Only where some seed (with its partner) has no row left.
        anchors = BatchSampler(bound, Composition(kind), 4, seed=3).plan(0)
        pairs = [(a, b) for a in range(12) for b in range(12)] if kind == "partner" else [(a, a) for a in range(12)]
        assert anchors.size
        assert any((forbidden[a] | forbidden[b]).all() for a, b in pairs)
        return
    count = NegativeCount()
    n_anchors = composition.anchor_seats
    for slot in seats.T.tolist():
        anchors, negatives = slot[:n_anchors], slot[n_anchors:]
        free = [j for j in range(12) if not any(forbidden[a, j] for a in anchors)]
        assert set(negatives) <= set(free)
        assert len(set(negatives)) == min(k, len(free))
        wanted = [j for j in free if candidates[anchors[0], j]]
        assert len(set(negatives) & set(wanted)) >= min(k, len(wanted))  # random rows fill up only
        count.seats += k
        count.by_rule += min(k, len(wanted))
        count.repeated += k - min(k, len(free))
    found = sampler.negatives_drawn
    assert found is not None
    assert (found.seats, found.by_rule, found.repeated) == (count.seats, count.by_rule, count.repeated)
    assert found.random == count.seats - count.by_rule - count.repeated
    assert (found.by_warmup, found.given_up) == (0, 0)


def hard() -> tuple[dict[str, Any], Any]:
    """Sixty rows: patients of three, classes of ten; and three mined rows of each, one of them of its own patient."""
    table = {"sample": [f"s{i}" for i in range(60)], "patient": [i // 3 for i in range(60)]}
    table["class"] = [i // 10 for i in range(60)]
    a = np.repeat(np.arange(60), 3)
    b = np.stack(
        [np.arange(60) // 3 * 3 + (np.arange(60) + 1) % 3, (np.arange(60) + 7) % 60, (np.arange(60) + 20) % 60]
    )
    return table, {"mined": edges_between(SampleTable.of(table), a, b.T.ravel())}


def test_a_slot_is_a_seed_its_partner_and_mined_rows() -> None:
    table, mined = hard()
    bound = same("patient").bind(table)
    composition = Composition("partner", negatives=linked("mined"), n_negatives=2)
    sampler = BatchSampler(bound, composition, 12, table=table, edges=mined)
    ask = next(iter(sampler))
    assert ask.seats.shape == (4, 12)
    assert sampler.plan(0).shape == (5, 48)
    seeds, partners, *negatives = seats_of(sampler)
    assert sorted(seeds.tolist()) == list(range(60))
    joined = {frozenset(pair) for pair in zip(*(mined["mined"][end].to_list() for end in "ab"), strict=True)}
    for slot, (seed, partner) in enumerate(zip(seeds, partners, strict=True)):
        assert seed // 3 == partner // 3
        for row in (negatives[0][slot], negatives[1][slot]):
            assert row // 3 != seed // 3
            assert frozenset((f"s{seed}", f"s{row}")) in joined
    assert sampler.negatives_drawn == NegativeCount(seats=120, by_rule=120)


def test_every_allowed_match_is_drawn_equally_often() -> None:
    table = {"g": [0, 0, *range(1, 11)], "c": [0] * 8 + [1] * 4}
    composition = Composition("random", negatives=same("c"))
    sampler = BatchSampler(same("g").bind(table), composition, 12, table=table)
    drawn = np.concatenate([seats_of(sampler, e)[1][seats_of(sampler, e)[0] == 0] for e in range(1800)])
    counts = np.bincount(drawn, minlength=12)
    assert set(np.flatnonzero(counts)) == set(range(2, 8))  # of its class, without itself and its positive
    assert ((counts[2:8] - 300) ** 2 / 300).sum() < 25  # chi-squared of five degrees: far beyond 99.9 %


@pytest.mark.parametrize("kind", ["random", "groups", "draw", "partner"])
def test_negatives_go_with_every_kind_and_leave_its_first_seats_alone(kind: Any) -> None:
    table, mined = hard()
    bound = same("patient").bind(table)
    alone = BatchSampler(bound, Composition(kind), 12, seed=4)
    composition = Composition(kind, negatives="linked('mined')", n_negatives=2)
    sampler = BatchSampler(bound, composition, 12, seed=4, table=table, edges=mined)
    assert len(sampler) == len(alone)
    for epoch in (0, 3):
        assert np.array_equal(sampler.plan(epoch)[:, : alone.plan(0).shape[1]], alone.plan(epoch))


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_processes_share_the_global_slots_with_all_their_seats(world_size: int) -> None:
    table, mined = hard()
    bound, composition = same("patient").bind(table), Composition("partner", negatives="linked('mined')")
    ranks = [
        BatchSampler(bound, composition, 12, 1, rank, world_size, table=table, edges=mined)
        for rank in range(world_size)
    ]
    plan = BatchSampler(bound, composition, 12, 1, table=table, edges=mined).plan(0)
    for step, asks in enumerate(zip(*ranks, strict=True)):
        assert np.array_equal(np.concatenate([ask.seats for ask in asks], axis=1), plan[step].reshape(3, 12))


def test_resume_goes_on_exactly_also_after_a_refresh() -> None:
    table, mined = hard()
    rule = parse("same('patient')")

    def begun() -> tuple[Binding, BatchSampler]:
        binding = Binding.of(rule, table, edges=("mined",))
        composition = Composition("partner", negatives="linked('mined')", n_negatives=2)
        return binding, BatchSampler(
            binding.bound, composition, 12, seed=7, table=binding.table, edges=binding.computed.edges
        )

    binding, sampler = begun()
    before = [ask.seats for ask in sampler]
    assert sampler.negatives_drawn is not None
    assert sampler.negatives_drawn.random == sampler.negatives_drawn.seats == 120  # nothing is mined yet
    binding.refresh(edges=mined)
    sampler.rebind(binding.bound, table=binding.table, edges=binding.computed.edges)
    after = [ask.seats for ask in sampler]
    assert sampler.negatives_drawn.by_rule == 120
    assert all(seats.shape == (4, 12) for seats in (*before, *after))

    again_binding, again = begun()
    again_binding.restore(binding.computed)
    again.rebind(again_binding.bound, table=again_binding.table, edges=again_binding.computed.edges)
    again.load_state_dict({"seed": 7, "epoch": 1, "step": 2})
    for found, expected in zip(again, after[2:], strict=True):
        assert np.array_equal(found.seats, expected)


def test_the_warm_up_serves_until_something_is_mined() -> None:
    table, mined = hard()
    none = {"mined": mined["mined"].clear()}
    composition = Composition("random", negatives="linked('mined')", warmup="same('class')", n_negatives=2)
    sampler = BatchSampler(same("patient").bind(table), composition, 12, table=table, edges=none)
    seed, *negatives = seats_of(sampler)
    assert all((seed // 10 == row // 10).all() for row in negatives)
    assert sampler.negatives_drawn == NegativeCount(seats=120, by_warmup=120)
    sampler.rebind(sampler.bound, edges=mined)
    sampler.plan(0)
    assert sampler.negatives_drawn == NegativeCount(seats=120, by_rule=120)


def test_a_row_whose_relation_is_unknown_may_be_drawn() -> None:
    table = {"g": [0] * 4 + [None] * 4}
    sampler = BatchSampler(same("g").bind(table), Composition("random", negatives=within("x", 1)), 8, table={
        "x": [0.0] * 8, **table,
    })  # fmt: skip
    seeds, negatives = seats_of(sampler)
    assert all(row >= 4 for seed, row in zip(seeds, negatives, strict=True) if seed < 4)


def test_a_seed_without_any_possible_negative_is_refused() -> None:
    table = {"g": [0] * 8, "c": [0, 1] * 4}
    sampler = BatchSampler(same("g").bind(table), Composition("random", negatives=same("c")), 4, table=table)
    with pytest.raises(DataError, match="8 seeds have no possible negative"):
        sampler.plan(0)


def test_too_few_possible_negatives_are_repeated() -> None:
    table = {"g": [0] * 7 + [1], "c": [0] * 8}
    composition = Composition("random", negatives=same("c"), n_negatives=3)
    sampler = BatchSampler(same("g").bind(table), composition, 4, table=table)
    seats = seats_of(sampler)
    assert all(set(slot[1:]) == {7} for slot in seats.T.tolist() if slot[0] != 7)
    assert sampler.negatives_drawn == NegativeCount(seats=24, by_rule=7 + 3, repeated=7 * 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"negatives": "0.5*same('g')+same('c')"}, "is not one rule"),
        ({"negatives": "same('g').ignore(same('c'))"}, "is not one rule"),
        ({"negatives": "linked('nowhere')"}, "no such file"),
        ({"negatives": "same('other')"}, "no column 'other'"),
        ({"negatives": "same('g')", "n_negatives": 0}, "n_negatives is 0"),
        ({"warmup": "same('g')"}, "there are none"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(arguments: Any, message: str) -> None:
    table = {"g": [0, 1] * 6, "c": [0] * 12}
    with pytest.raises(UsageError, match=message) as caught:
        BatchSampler(same("g").bind(table), Composition("random", **arguments), 4, table=table)
    assert caught.value.hint


def test_negatives_need_the_table_of_the_objective() -> None:
    bound = same("g").bind({"g": [0, 1] * 6})
    with pytest.raises(UsageError, match="negatives reads the sample table"):
        BatchSampler(bound, Composition("random", negatives=same("g")), 4)
    with pytest.raises(UsageError, match="the table has 2 rows, the objective 12"):
        BatchSampler(bound, Composition("random", negatives=same("g")), 4, table={"g": [0, 1]})
