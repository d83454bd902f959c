"""Every bound form against the brute-force reference, and the properties of a PairBatch that losses rely on."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.errors import UsageError
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Objective, PairBatch, Rows, bins, same, within
from ssl_domains.pairs.batch.batch_values import ranks
from ssl_domains.pairs.binding.bound_rule import BoundRelation, BoundRule
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.leaves.same import Same

many = settings(max_examples=80, deadline=None)
few = settings(max_examples=30, deadline=None)


def agrees(batch: PairBatch, expected: Any) -> None:
    tile = batch.dense()
    assert tile.weights.dtype == torch.float64
    assert torch.equal(tile.matches, tile.weights > 0)
    for graded, grades, matches in zip(batch.graded, tile.grades, tile.matches, strict=True):
        assert (grades is not None) == graded
        assert grades is None or torch.equal(grades > 0, matches)
    assert torch.equal(tile.weights, expected.weights)
    assert torch.equal(tile.allowed, expected.allowed)
    assert torch.equal(batch.cross_sample(), expected.cross)
    assert batch.weights == expected.alphas
    for i, row in enumerate(expected.kind):
        selves = [j for j, kind in enumerate(row) if kind == "self"]
        assert batch.self_index[i] == (selves[0] if selves else -1)
    unlike_self = batch.self_index[:, None] != torch.arange(len(batch.candidates))
    for r, exact in enumerate(batch.by_codes):
        if exact:
            equal = batch.codes[:, r, None] == batch.candidate_codes[None, :, r]
            assert torch.equal(equal & unlike_self, expected.weights[r] > 0)
    if not batch.has_ignore:
        assert torch.equal(expected.allowed, unlike_self)


@many
@given(data=st.data())
def test_a_batch_against_itself(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(len(columns["x"])))
    batch = objective.bind(columns, edges=links).pairs(rows)
    assert batch.square
    agrees(batch, reference.states(objective, columns, rows, links=links))


@many
@given(data=st.data())
def test_a_batch_against_its_rows_and_a_queue(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(size))
    queue = data.draw(strategies.stored_rows(size))
    kept = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
    candidates = Rows.cat([queue, rows.take(torch.tensor(kept, dtype=torch.int64))])
    batch = objective.bind(columns, edges=links).pairs(rows, candidates)
    agrees(batch, reference.states(objective, columns, rows, candidates, links=links))


@many
@given(data=st.data())
def test_stored_rows_that_match_are_ignored_on_request(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(size))
    candidates = Rows.cat([data.draw(strategies.stored_rows(size)), rows])
    batch = objective.bind(columns, edges=links).pairs(rows, candidates, stored="ignore")
    expected = reference.states(objective, columns, rows, candidates, links=links)
    stored = candidates.view == -1
    expected.allowed &= ~(stored & (expected.weights > 0).any(0))
    expected.weights[:, :, stored] = 0
    other = rows.sample[:, None] != candidates.sample
    expected.cross = ((expected.weights > 0) & other).any(2).T
    tile = batch.dense()
    assert torch.equal(tile.weights, expected.weights)
    assert torch.equal(tile.allowed, expected.allowed)
    assert torch.equal(batch.cross_sample(), expected.cross)
    matrices = batch.matrices()
    assert matrices.allowed is None or torch.equal(torch.from_numpy(matrices.allowed), expected.allowed)
    assert all(
        torch.equal(torch.from_numpy(ours), w) for ours, w in zip(matrices.weights, expected.weights, strict=True)
    )


@many
@given(data=st.data())
def test_numbers_that_views_emit(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(emitted=True))
    rows = data.draw(strategies.batch_rows(size, emitted=True))
    bound = objective.bind(columns, emitted=("angle",))
    agrees(bound.pairs(rows), reference.states(objective, columns, rows))
    queue = data.draw(strategies.stored_rows(size, emitted=True))
    candidates = Rows.cat([rows, queue])
    agrees(bound.pairs(rows, candidates), reference.states(objective, columns, rows, candidates))


@many
@given(data=st.data())
def test_fitted_edges_serve_another_table(data: st.DataObject) -> None:
    training, other = data.draw(strategies.columns()), data.draw(strategies.columns())
    objective = data.draw(strategies.objectives())
    rows = data.draw(strategies.batch_rows(len(other["x"])))
    fitted = objective.fit(training)
    assert fitted == reference.fit(objective, training)
    agrees(objective.bind(other, fitted).pairs(rows), reference.states(objective, other, rows, fitted=fitted))


@few
@given(data=st.data())
def test_a_tile_is_a_piece_of_the_whole(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(size, max_samples=6))
    queue = data.draw(strategies.stored_rows(size))
    candidates = data.draw(st.sampled_from([None, Rows.cat([queue, rows])]))
    batch = pickle.loads(pickle.dumps(objective.bind(columns, edges=links))).pairs(rows, candidates)
    whole = batch.dense()
    cut = st.integers(0, len(batch.candidates))
    i = slice(*sorted(data.draw(st.tuples(cut, cut))))
    j = slice(*sorted(data.draw(st.tuples(cut, cut))))
    some = data.draw(st.one_of(st.none(), st.lists(st.integers(0, len(batch.weights) - 1))))
    tile = batch.tile(i, j, some)
    expected = whole.weights if some is None else whole.weights[some]
    assert torch.equal(tile.weights, expected[:, i, j])
    assert torch.equal(tile.matches, expected[:, i, j] > 0)
    assert torch.equal(tile.allowed, whole.allowed[i, j])


@few
@given(data=st.data())
def test_the_states_of_a_square_batch_are_symmetric(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    objective = data.draw(strategies.objectives(links=True))
    tile = objective.bind(columns, edges=links).pairs(data.draw(strategies.batch_rows(len(columns["x"])))).dense()
    assert torch.equal(tile.weights, tile.weights.transpose(1, 2))
    assert torch.equal(tile.allowed, tile.allowed.T)


def test_precedence_own_then_positive_then_ignored_then_negative() -> None:
    table = {"patient": [1, 1, 1, 2], "study": [1, 1, 2, 3]}
    objective = (same("patient") & same("study")).ignore(same("patient"))
    rows = Rows.of([0, 1, 2, 3])
    kind = reference.states(objective, table, rows).kind
    assert kind[0] == ["self", "positive", "ignored", "negative", "own", "positive", "ignored", "negative"]
    agrees(objective.bind(table).pairs(rows), reference.states(objective, table, rows))


def test_a_positive_of_one_relation_is_in_the_denominator_of_another() -> None:
    table = {"a": [1, 1, 2], "b": [1, 2, 2]}
    batch = (same("a") + same("b")).ignore(same("a") | same("b")).bind(table).pairs(Rows.of([0, 1, 2], views=1))
    tile = batch.tile(slice(0, 3), slice(0, 3), [0])
    assert tile.weights[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert tile.allowed.tolist() == [[False, True, True], [True, False, True], [True, True, False]]


def test_a_sample_drawn_twice_is_its_own_positive_and_its_row_is_not() -> None:
    batch = Objective().bind({"a": [1, 2]}).pairs(Rows.of([0, 0], views=1))
    assert batch.dense().weights.tolist() == [[[0, 1], [1, 0]]]
    assert not batch.cross_sample().any()


def test_own_views_stay_positive_where_the_key_is_missing() -> None:
    batch = same("a").bind({"a": [None, None]}).pairs(Rows.of([0, 1]))
    assert batch.by_codes == (True,)
    assert batch.dense().weights[0].tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_a_stored_row_of_the_own_sample_is_ignored_also_when_the_rule_says_yes() -> None:
    rows = Rows.of([0, 1], views=1)
    batch = same("a").bind({"a": ["p", "p", "q"]}).pairs(rows, Rows.stored([0, 1, 2, -1]))
    assert batch.dense().weights[0].tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert batch.dense().allowed.tolist() == [[False, True, True, False], [True, False, True, False]]
    assert batch.has_ignore
    assert batch.by_codes == (False,)
    assert batch.self_index.tolist() == [-1, -1]


def test_a_queue_of_other_samples_keeps_to_codes() -> None:
    batch = same("a").bind({"a": ["p", "q", "p"]}).pairs(Rows.of([0, 1], views=1), Rows.stored([2]))
    assert batch.by_codes == (True,)
    assert not batch.has_ignore


def test_rows_of_different_parts_match_only_across_parts() -> None:
    rows = Rows.cat([Rows.of([0, 1], views=1, part=0), Rows.of([0, 1], views=1, part=1, first_row=2)])
    table = {"a": ["p", "p"]}
    within_part = same("a").bind(table).pairs(rows).dense().weights[0]
    assert within_part.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    wave_mel = same("sample").across_parts().bind(table).pairs(rows)
    assert wave_mel.by_codes == (True,)
    assert wave_mel.dense().weights[0].tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_anchors_may_be_a_slice_of_the_global_batch() -> None:
    rows = Rows.of([0, 1, 2])
    bound = (same("a") & within("x", 1)).bind({"a": [1, 1, 1], "x": [0, 1, 2]})
    whole = bound.pairs(rows).dense()
    part = bound.pairs(rows.take(slice(2, 5)), rows)
    assert part.self_index.tolist() == [2, 3, 4]
    assert torch.equal(part.dense().weights, whole.weights[:, 2:5])
    assert torch.equal(part.dense().allowed, whole.allowed[2:5])


def test_codes_are_dense_and_shared() -> None:
    rows = Rows.of(torch.arange(50))
    batch = (
        (same("a") + same("b", "c"))
        .bind({k: [i % m for i in range(50)] for k, m in zip("abc", (7, 3, 5), strict=True)})
        .pairs(rows)
    )
    assert batch.codes.shape == (100, 2)
    assert batch.codes.max(dim=0).values.tolist() == [6, 14]
    assert batch.codes.dtype == torch.int64
    assert batch.candidate_codes is batch.codes


def test_no_relation_has_own_views_only() -> None:
    batch = Objective().bind({"a": [1, 1, 1]}).pairs(Rows.of([0, 1, 2]))
    assert batch.names == ("none",)
    assert batch.weights == (1.0,)
    assert batch.by_codes == (True,)
    assert batch.dense().weights[0].sum(dim=1).tolist() == [1] * 6


def test_within_is_inclusive_in_float64() -> None:
    table = {"x": [0.0, 0.1, 0.1 + 1e-16, 0.30000000000000004]}
    found = within("x", 0.2).bind(table).pairs(Rows.of(range(4), views=1)).dense().weights[0]
    assert found[1, 3] == (abs(0.1 - 0.30000000000000004) <= 0.2)
    apart = within("x", 0.1).bind(table).pairs(Rows.of(range(4), views=1)).dense().weights[0]
    assert apart[0, 1] == 1
    big = within("x", 1).bind({"x": [1e16, 1e16 + 2, 16777216.0, 16777217.5]})
    assert big.pairs(Rows.of(range(4), views=1)).dense().weights[0].sum() == 0


def test_infinite_numbers_are_numbers() -> None:
    table = {"x": [float("inf"), float("-inf"), 0.0, 1.0]}
    rows = Rows.of(range(4), views=1)
    for rule in (~within("x", 1), same(bins("x", 2)), ~same("x")):
        agrees(rule.bind(table).pairs(rows), reference.states(rule, table, rows))


def test_an_empty_batch_and_no_candidates() -> None:
    bound = (same("a") + within("x", 1)).ignore(same("x")).bind({"a": [1, 2], "x": [1, 2]})
    assert bound.pairs(Rows.of([], views=2)).dense().weights.shape == (2, 0, 0)
    alone = bound.pairs(Rows.of([0, 1]), Rows.stored([]))
    assert alone.dense().weights.shape == (2, 4, 0)
    assert not alone.cross_sample().any()


def tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor inside dataclasses, tuples and mappings."""
    if isinstance(value, torch.Tensor):
        return [value]
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in tensors(item)] if isinstance(value, (list, tuple)) else []


def test_to_moves_everything() -> None:
    objective = (same("a") + ~within("angle", 1)).ignore(within("x", 2) | same("a"))
    bound = objective.bind({"a": [1, 2], "x": [1, 2]}, emitted=("angle",))
    rows = Rows.of([0, 1], emitted={"angle": [1.0, 2.0, 3.0, 4.0]})
    batch = bound.pairs(rows, Rows.cat([rows, Rows.stored([0, -1])]))
    moved = batch.to("meta")
    assert len(tensors(moved)) == len(tensors(batch)) > 20
    assert {tensor.device.type for tensor in tensors(moved)} == {"meta"}
    square = bound.pairs(rows).to("meta")
    assert square.candidates is square.anchors
    assert square.candidate_codes is square.codes


@pytest.mark.parametrize(
    ("anchors", "candidates", "message"),
    [
        (Rows.of([0, 9]), None, "sample 9, but the table has 2"),
        (Rows.of([0, -2]), None, "sample -2, but the table has 2"),
        (Rows.stored([0]), None, "anchors must be views"),
        (Rows.of([-1]), None, "anchors must be views"),
        (Rows.of([0]), Rows.cat([Rows.of([0]), Rows.of([1])]), "share an id"),
    ],
)
def test_impossible_rows_are_refused(anchors: Rows, candidates: Rows | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        same("a").bind({"a": [1, 2]}).pairs(anchors, candidates)


def test_rows_without_the_emitted_number() -> None:
    bound = within("angle", 0.1).bind({"a": [1, 2]}, emitted=("angle",))
    with pytest.raises(UsageError, match="reads 'angle', which these rows do not carry"):
        bound.pairs(Rows.of([0, 1]))
    with pytest.raises(UsageError) as error:
        bound.pairs(Rows.of([0, 1], emitted={"angles": [0.0] * 4}))
    assert error.value.hint == "did you mean 'angles'?"


def test_a_batch_that_is_on_the_device_is_not_copied() -> None:
    batch = same("a").bind({"a": [1, 2]}).pairs(Rows.of([0, 1]))
    assert batch.to("cpu") is batch
    assert batch.to(torch.device("cpu")) is batch


def test_codes_and_samples_above_2_to_the_24_are_told_apart() -> None:
    """2^24 and 2^24 + 1 are one number in float32."""
    size = 2**24 + 4
    codes = np.arange(size, dtype=np.int64)
    codes[2**24 + 2] = 2**24 + 1
    relation = BoundRelation(1.0, "same('a')", False, BoundRule.of(Same(codes, "a"), "same('a')"))
    ignored = BoundRule.of(Same(codes, "a"), "same('a')")
    samples = [2**24, 2**24 + 1, 2**24 + 2, 2**24 + 3]
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[1, 2] = expected[2, 1] = True
    for objective in (BoundObjective(size, (relation,)), BoundObjective(size, (relation,), ignored)):
        batch = objective.pairs(Rows.of(samples, views=1))
        assert torch.equal(batch.dense().matches[0], expected)
        assert torch.equal(batch.other_sample(slice(None), slice(None)), ~torch.eye(4, dtype=torch.bool))
        assert batch.cross_sample()[:, 0].tolist() == [False, True, True, False]
        queue = objective.pairs(Rows.of(samples, views=1), Rows.stored([2**24, 2**24 + 1]))
        assert queue.dense().matches[0].tolist() == [[False, False], [False, False], [False, True], [False, False]]
        z = torch.nn.functional.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(0)), dim=1)
        out = contrastive_loss(z, batch, 0.1)
        assert out.anchors.tolist() == [2]
        torch.testing.assert_close(out.loss, contrastive_loss(z, batch, 0.1, tile=2).loss)


def test_the_tile_does_not_depend_on_when_allowed_is_read() -> None:
    rule = (same("a") & within("x", 1)).ignore(same("a"))
    batch = rule.bind({"a": [1, 1, 1, 2], "x": [0, 1, 5, 5]}).pairs(Rows.of([0, 1, 2, 3]))
    some, every = batch.tile(slice(0, 4), slice(0, 8), []), batch.tile(slice(0, 4), slice(0, 8))
    assert torch.equal(some.allowed, every.allowed)
    assert every.allowed is every.allowed


@few
@given(values=st.lists(st.integers(-3, 3), max_size=12))
def test_ranks_are_those_of_unique(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    found = ranks(array)
    assert found.dtype == np.int64
    assert found.tolist() == np.unique(array, return_inverse=True)[1].reshape(-1).tolist()


@pytest.mark.parametrize("ids", [[3, 1, 2, 1], [0, 0, 1, 2]])
def test_ids_that_repeat_are_refused_in_any_order(ids: list[int]) -> None:
    zeros = torch.zeros(4, dtype=torch.int64)
    with pytest.raises(UsageError, match="share an id"):
        same("a").bind({"a": [1, 2]}).pairs(Rows(zeros, zeros, zeros, torch.tensor(ids)))


def test_ids_need_not_ascend() -> None:
    zeros = torch.zeros(3, dtype=torch.int64)
    batch = same("a").bind({"a": [1, 2]}).pairs(Rows(zeros, zeros, zeros, torch.tensor([5, 1, 3])))
    assert batch.dense().matches[0].sum() == 6
