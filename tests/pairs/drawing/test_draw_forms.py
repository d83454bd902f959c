"""Drawing by every bound form, against a comparison of all pairs: what is drawn, how often, and what is given up."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs import BoundObjective, BoundRelation, BoundRule
from ssl_domains.pairs.binding.edges import Adjacency
from ssl_domains.pairs.binding.lists import MemberLists
from ssl_domains.pairs.binding.nodes import And, Node, Not, Or
from ssl_domains.pairs.drawing import rejection
from ssl_domains.pairs.drawing.indices.runs import CodeRuns, EmptyRun, WholeTableRun
from ssl_domains.pairs.drawing.indices.union import Union
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.pairs.leaves.linked import EdgeRuns, Linked
from ssl_domains.pairs.leaves.overlap import Overlap
from ssl_domains.pairs.leaves.overlap_index import InvertedLists
from ssl_domains.pairs.leaves.same import EmittedSame, Same
from ssl_domains.pairs.leaves.within import EmittedWithin, Within
from ssl_domains.pairs.leaves.within_index import WindowRuns


def bound(node: Node, size: int) -> BoundObjective:
    return BoundObjective(size, (BoundRelation(1.0, "rule", False, BoundRule.of(node, "rule")),))


def lists(rows: list[list[int] | None], at_least: int = 1, jaccard: bool = False) -> Overlap:
    members = [sorted(set(row or [])) for row in rows]
    starts = np.cumsum([0, *map(len, members)])
    flat = np.array([m for row in members for m in row], dtype=np.int64)
    known = np.array([row is not None for row in rows])
    return Overlap(MemberLists(starts, flat, known), at_least, jaccard)


def edges(size: int, pairs: list[tuple[int, int]], grade: float = 1.0) -> Linked:
    both = sorted({(i, j) for a, b in pairs if a != b for i, j in ((a, b), (b, a))})
    starts = np.searchsorted([i for i, _ in both], np.arange(size + 1)) if both else np.zeros(size + 1, dtype=np.int64)
    neighbours = np.array([j for _, j in both], dtype=np.int64)
    known = np.ones(size, dtype=bool)
    return Linked(Adjacency(starts.astype(np.int64), neighbours, np.full(len(both), grade), known), grade != 1)


def matching(objective: BoundObjective) -> Any:
    everyone = np.arange(objective.size)
    return objective.relations[0].rule.matches(everyone, everyone) & ~np.eye(objective.size, dtype=bool)


def leaf(size: int, graded: bool) -> st.SearchStrategy[Node]:
    code = st.lists(st.integers(-1, 3), min_size=size, max_size=size)
    number = st.sampled_from([0.0, 0.3, 1.0, 1.1, 2.0, 5.0, math.nan, math.inf])
    values = st.lists(number, min_size=size, max_size=size).map(lambda v: np.array(v, dtype=np.float64))
    row = st.one_of(st.none(), st.lists(st.integers(0, 4), max_size=4))
    flags = st.booleans() if graded else st.just(False)
    place = st.integers(0, size - 1)
    return st.one_of(
        code.map(lambda values: Same(np.array(values, dtype=np.int64))),
        st.builds(Within, values, st.sampled_from([0.1, 0.7, 1.0, 10.0]), flags),
        st.builds(Within, values, st.just(0.0)),
        st.builds(lists, st.lists(row, min_size=size, max_size=size), st.integers(1, 3), flags),
        st.builds(edges, st.just(size), st.lists(st.tuples(place, place), max_size=2 * size), st.just(1.0)),
        st.sampled_from([EmittedSame("angle", None), EmittedWithin("angle", 1.0)]),
    )


def nodes(size: int) -> st.SearchStrategy[Node]:
    plain = st.recursive(
        leaf(size, graded=False),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
            inner.map(Not),
        ),
        max_leaves=5,
    )
    return st.recursive(
        st.one_of(plain, leaf(size, graded=True)),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
        ),
        max_leaves=3,
    )


tables = st.integers(1, 14).flatmap(lambda size: nodes(size).map(lambda node: bound(node, size)))


@settings(max_examples=120, deadline=None)
@given(tables, st.integers(1, 5), st.integers(0, 2**32), st.data())
def test_every_match_can_be_drawn_and_nothing_else(
    objective: BoundObjective, k: int, seed: int, data: st.DataObject
) -> None:
    size, matches = objective.size, matching(objective)
    among = None
    if data.draw(st.booleans(), label="among some"):
        among = np.array(data.draw(st.lists(st.integers(0, size - 1)), label="among"), dtype=np.int64)
        matches &= np.isin(np.arange(size), among)
    few = data.draw(st.sampled_from([0, 64]), label="entries of which an anchor is scanned after few proposals")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rejection, "_FEW", few)
        patch.setattr(rejection, "_STRIP", data.draw(st.sampled_from([7, 2**18]), label="strip"))
        count = DrawCount()
        drawn = objective.draw(np.arange(size), k, np.random.default_rng(seed), among=among, count=count)
    for anchor in range(size):
        allowed = set(np.flatnonzero(matches[anchor]).tolist())
        found = drawn[anchor].tolist()
        assert set(found) <= (allowed or {-1})
        assert len(set(found)) == min(k, len(allowed) or 1)  # different while there are enough
    assert (count.anchors, count.without, count.given_up) == (size, int((~matches.any(1)).sum()), 0)


# which index ---------------------------------------------------------------------------------------------------------

SIZE = 60
RNG = np.random.default_rng(1)
TENS = Same(np.arange(SIZE) % 6)
THIRTIES = Same(np.arange(SIZE) % 2)
LINE = Within(RNG.permutation(SIZE) / 2.0, 3.0)
TAGS = lists([RNG.integers(0, 12, 3).tolist() for _ in range(SIZE)])
EDGES = edges(SIZE, [tuple(pair) for pair in RNG.integers(0, SIZE, (150, 2)).tolist()])
DECAY = Within(LINE.values, 3.0, decay=True)
ANGLE = EmittedSame("angle", None)

FORMS: dict[str, tuple[Node, type]] = {
    "same": (TENS, CodeRuns),
    "same, both": (And((TENS, THIRTIES)), CodeRuns),
    "within": (LINE, WindowRuns),
    "same & within": (And((THIRTIES, LINE)), WindowRuns),
    "decay": (And((THIRTIES, DECAY)), WindowRuns),
    "overlap": (TAGS, InvertedLists),
    "jaccard": (lists([[0, k % 5, k % 7] for k in range(SIZE)], 2, True), InvertedLists),
    "linked": (EDGES, EdgeRuns),
    "same & linked": (And((THIRTIES, EDGES)), EdgeRuns),
    "same & overlap": (And((TENS, TAGS)), CodeRuns),
    "or": (Or((TENS, LINE)), Union),
    "or of all": (Or((TENS, And((LINE, THIRTIES)), TAGS, EDGES)), Union),
    "or & same": (And((Or((LINE, TAGS)), THIRTIES)), CodeRuns),
    "narrow or & same": (And((Or((EDGES, Within(LINE.values, 0.5))), THIRTIES)), Union),
    "not": (Not(TENS), WholeTableRun),
    "same & not": (And((THIRTIES, Not(TENS))), CodeRuns),
    "not or": (Not(Or((Not(TENS), LINE))), CodeRuns),
    "not and": (Not(And((Not(TENS), Not(EDGES)))), Union),
    "or with a not": (Or((TENS, Not(LINE))), WholeTableRun),
    "emitted": (And((TENS, ANGLE)), EmptyRun),
    "emitted or": (Or((ANGLE, And((ANGLE, TENS)))), EmptyRun),
    "same or emitted": (Or((TENS, ANGLE)), Union),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_most_selective_index_is_taken(form: str) -> None:
    node, kind = FORMS[form]
    assert type(bound(node, SIZE).drawer().index) is kind


@pytest.mark.parametrize("form", [form for form in FORMS if "emitted" not in form])
@pytest.mark.parametrize(("few", "tries", "rounds"), [(0, 0, 64), (64, 0, 0), (64, 2, 64)], ids=["ask", "scan", "both"])
@pytest.mark.parametrize("k", [1, 2])
def test_every_match_is_equally_likely(
    form: str, few: int, tries: int, rounds: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejection, "_FEW", few)
    monkeypatch.setattr(rejection, "_TRIES", tries)
    monkeypatch.setattr(rejection, "_ROUNDS", rounds)
    objective = bound(FORMS[form][0], SIZE)
    matches = matching(objective)
    times = 300
    anchors = np.repeat(np.arange(SIZE), times)
    drawn = objective.draw(anchors, k, np.random.default_rng(7))
    statistic, freedom = 0.0, 0
    for anchor in range(SIZE):
        having = int(matches[anchor].sum())
        if having <= k:
            continue
        expected = times * k / having
        counts = np.bincount(drawn[anchors == anchor].ravel(), minlength=SIZE)
        assert counts[~matches[anchor]].sum() == 0
        # Without replacement the counts vary less, by (having − k) / (having − 1).
        statistic += ((counts[matches[anchor]] - expected) ** 2 / expected).sum() * (having - 1) / (having - k)
        freedom += having - 1
    assert freedom > 50
    assert abs(statistic - freedom) < 5 * math.sqrt(2 * freedom)


def test_an_index_has_one_valid_entry_for_each_match() -> None:
    for node, _ in FORMS.values():
        objective = bound(node, SIZE)
        index, matches = objective.drawer().index, matching(objective)
        counts = index.counts(np.arange(SIZE))
        anchors = np.repeat(np.arange(SIZE), counts)
        which = np.concatenate([np.arange(count) for count in counts]).astype(np.int64)
        found, valid = index.entries(anchors, which)
        met = np.zeros((SIZE, SIZE), dtype=np.int64)
        np.add.at(met, (anchors[valid], found[valid]), 1)
        assert (met[matches] == 1).all()
        if index.sure:
            assert (met[~matches & ~np.eye(SIZE, dtype=bool)] == 0).all()


# among ---------------------------------------------------------------------------------------------------------------


def test_an_index_is_narrowed_once_for_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = bound(TENS, SIZE)
    index = objective.drawer().index
    narrowed: list[int] = []

    def narrow(self: CodeRuns, rows: Any) -> CodeRuns:
        narrowed.append(int(rows.sum()))
        return self

    monkeypatch.setattr(CodeRuns, "narrowed", narrow)
    for among in ([1, 2, 3], [3, 2, 1, 1], [1, 2], [2, 1]):
        objective.draw(np.arange(3), 1, np.random.default_rng(0), among=np.array(among))
    assert narrowed == [3, 2]
    assert objective.drawer().index is index


# what a search costs -------------------------------------------------------------------------------------------------


def test_a_rare_match_is_drawn_by_the_scan() -> None:
    size = 5000
    hidden = np.full(size, np.nan)
    hidden[[10, 4000]] = [1.0, 1.5]
    node = And(
        (
            Same(np.zeros(size, dtype=np.int64)),
            Not(Within(hidden, 0.1)),
        )
    )
    count = DrawCount()
    drawn = bound(node, size).draw(np.array([10, 4000, 7]), 2, np.random.default_rng(0), count=count)
    assert drawn.tolist() == [[4000, 4000], [10, 10], [-1, -1]]
    assert (count.without, count.given_up, count.scanned) == (1, 0, 3 * size)


def test_a_search_that_costs_too_much_is_given_up_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 1000
    codes = np.zeros(size, dtype=np.int64)
    codes[-300:] = 1
    node = And((Same(codes), Not(Same(np.arange(size) * 0))))  # without a match, which no index shows
    objective = bound(node, size)
    anchors = np.array([0, 999, 998, 1])
    monkeypatch.setattr(rejection, "_SCAN", 1400)
    count = DrawCount()
    drawn = objective.draw(anchors, 1, np.random.default_rng(0), count=count)
    assert (drawn == -1).all()
    assert (count.anchors, count.without, count.given_up) == (4, 3, 1)  # the cheapest are settled first
    assert count.scanned == 300 + 300 + 700
    assert "1 were given up" in str(count)
    with pytest.warns(RuntimeWarning, match="1 anchor was given up"):
        objective.draw(anchors, 1, np.random.default_rng(0))


def test_matches_drawn_before_giving_up_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 200
    codes = np.arange(size) // 100
    objective = bound(And((Same(codes), Not(Same(np.where(np.arange(size) == 5, 1, 0))))), size)  # 5 with the others
    monkeypatch.setattr(rejection, "_SCAN", 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        drawn = objective.draw(np.arange(100), 2, np.random.default_rng(0))
    assert len(set(drawn[5].tolist())) == 2
    others = np.delete(drawn, 5, axis=0)
    assert set(others.ravel().tolist()) <= {5, -1}
    assert (others[:, 0] == others[:, 1]).all()
    assert (others == 5).any()


def test_anchors_of_few_entries_are_always_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 400
    unmatched = And((Same(np.arange(size) // 40), Not(Same(np.zeros(size, dtype=np.int64)))))
    monkeypatch.setattr(rejection, "_SCAN", 0)
    count = DrawCount()
    assert (bound(unmatched, size).draw(np.arange(size), 1, np.random.default_rng(0), count=count) == -1).all()
    assert (count.without, count.given_up) == (size, 0)


def test_codes_keep_eight_bytes_a_row_at_most_and_windows_twelve() -> None:
    size = 10_000
    codes = np.random.default_rng(0).integers(0, size, size)
    codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    assert bound(Same(codes), size).drawer().nbytes <= 8 * size + 4
    windows = And((Same(codes), Within(np.arange(size, dtype=np.float64), 5.0)))
    assert bound(windows, size).drawer().nbytes <= 12 * size
