"""Rules and objectives as values: structure, equality, operators, and refusals."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Objective, Relation, Rule, bins, linked, overlap, same, within

a, b, c = same("a"), same("b"), within("x", 4)


def test_flattening() -> None:
    assert (a & b) & c == a & (b & c)
    assert a | (b | c) == (a | b) | c
    assert hash((a & b) & c) == hash(a & (b & c))
    assert (a & b) | c != a & (b | c)
    assert a & b != a | b


def test_equality_is_structural() -> None:
    assert same("a") == a
    assert a != b
    assert a & b != b & a
    assert same("a", "b") != a & b
    assert within("x", 4) == within("x", 4.0)
    assert bins("x", 3) == bins("x", np.int64(3), "width")
    assert 1 * a != a
    assert len({a, same("a"), 1 * a, 1.0 * a, ~a}) == 3


def test_weights_distribute_and_are_not_normalised() -> None:
    assert 2 * (a + b) == 2 * a + 2 * b
    assert 0.5 * (4 * a) == 2 * a
    assert a * 2 == 2 * a == np.float64(2) * a
    assert np.float32(2) * (a + b) == (a + b) * 2
    assert (0.7 * a + 0.3 * b).relations == (Relation(0.7, a), Relation(0.3, b))
    assert (a + b) + c == a + (b + c)
    assert a + Objective() == 1 * a
    assert 3 * Objective() == Objective()
    assert sum([a, b], start=Objective()) == a + b


def test_columns() -> None:
    objective = (0.7 * same("class", bins("r", 3, per="lens")) + ~within("t", 1)).ignore(same("sample", "patient"))
    assert objective.columns == {"class", "r", "lens", "t", "patient"}
    assert (same("a") | same("sample")).across_parts().columns == {"a"}
    assert Objective().columns == frozenset()


def test_text() -> None:
    assert str(a & b | c) == "same('a') & same('b') | within('x', 4)"
    assert str((a | b) & ~(a & c)) == "(same('a') | same('b')) & ~(same('a') & within('x', 4))"
    assert str(0.7 * (a & b) + 1 * ~c) == "0.7*(same('a') & same('b')) + ~within('x', 4)"
    assert str((a & b).ignore(a)) == "(same('a') & same('b')).ignore(same('a'))"
    assert str(1 * a) == "1*same('a')"
    assert str(a.ignore(b)) == "same('a').ignore(same('b'))"
    assert str(Objective()) == "none"
    assert repr(same(bins("s", 12, by="quantile", per="v"))) == "same(bins('s', 12, by='quantile', per='v'))"
    assert str(same(bins("s", 3, range=(-1, 2.5)))) == "same(bins('s', 3, range=(-1, 2.5)))"
    assert str(within("x", 4.5, decay="linear")) == "within('x', 4.5, decay='linear')"
    assert str(overlap("tags")) == "overlap('tags')"
    assert str(overlap("tags", 2, weight="jaccard")) == "overlap('tags', at_least=2, weight='jaccard')"
    assert str(linked("e.csv")) == "linked('e.csv')"
    assert str(linked("e.csv", "p", "q", "k", "g")) == "linked('e.csv', a='p', b='q', key='k', grade='g')"
    assert str(~linked("e.csv", b="q")) == "~linked('e.csv', b='q')"


REFUSED: list[tuple[Callable[[], Any], type[Exception], str, str]] = [
    (lambda: a + b & c, TypeError, "& takes two rules", "+ binds tighter than &"),
    (lambda: 0.7 * a & b, TypeError, "& takes two rules", "* binds tighter than &"),
    (lambda: a & 0.7 * b, TypeError, "& takes two rules", "* binds tighter than &"),
    (lambda: a | b + c, TypeError, "| takes two rules", "+ binds tighter than |"),
    (lambda: 0.7 * a | 0.3 * b, TypeError, "| takes two rules", "* binds tighter than |"),
    (lambda: ~(a + b), TypeError, "~ takes a rule", "one by one"),
    (lambda: a and b, TypeError, "and, or, not do not combine rules", "&, |, ~"),
    (lambda: a or b, TypeError, "and, or, not do not combine rules", "&, |, ~"),
    (lambda: not a, TypeError, "and, or, not do not combine rules", "&, |, ~"),
    (lambda: not (a + b), TypeError, "and, or, not do not combine objectives", "write +"),
    (lambda: a & "b", TypeError, "not text", "same('b')"),
    (lambda: "b" | a, TypeError, "not text", "same('b')"),
    (lambda: a & bins("x", 3), TypeError, "not a key", "same(bins('x', 3))"),
    (lambda: bins("x", 3) & a, TypeError, "not a key", "same(bins('x', 3))"),
    (lambda: a & 3, TypeError, "not int", "same('a') & same('b')"),
    (lambda: a * b, TypeError, "* takes a number and a rule", "a & b"),
    (lambda: a + 1, TypeError, "+ takes rules or objectives, not int", "0.7*same('a')"),
    (lambda: 1 + a, TypeError, "+ takes rules or objectives, not int", "start=Objective()"),
    (lambda: "x" * a, TypeError, "must be a number, not str", "0.7"),
    (lambda: True * a, TypeError, "must be a number, not bool", "0.7"),
    (lambda: 0 * a, UsageError, "must be positive, not 0", "leave the relation out"),
    (lambda: -0.5 * (a + b), UsageError, "must be positive, not -0.5", "leave the relation out"),
    (lambda: math.nan * a, UsageError, "must be finite", "0.7"),
    (lambda: a.ignore(b).ignore(c), TypeError, "ignore() after ignore()", "ignore comes last"),
    (lambda: a.ignore(b) + c, TypeError, "+ after ignore()", "ignore comes last"),
    (lambda: c + a.ignore(b), TypeError, "+ after ignore()", "ignore comes last"),
    (lambda: (c + c) + a.ignore(b), TypeError, "+ after ignore()", "ignore comes last"),
    (lambda: 2 * a.ignore(b), TypeError, "* after ignore()", "ignore comes last"),
    (lambda: a.ignore(b) & c, TypeError, "& after ignore()", "ignore comes last"),
    (lambda: c | a.ignore(b), TypeError, "| after ignore()", "ignore comes last"),
    (lambda: ~a.ignore(b), TypeError, "~ after ignore()", "ignore comes last"),
    (lambda: a.ignore(b).across_parts(), TypeError, "across_parts() after ignore()", "ignore comes last"),
    (lambda: a.ignore(b + c), TypeError, "ignore takes a rule, not an objective", "ignore(a | b)"),
    (lambda: a.ignore("b"), TypeError, "ignore takes a rule, not str", "ignore(same("),
    (lambda: (a + b).across_parts(), TypeError, "belongs to one rule", "0.7*rule.across_parts()"),
    (lambda: a.across_parts() & b, TypeError, "outermost", "(a & b).across_parts()"),
    (lambda: ~a.across_parts(), TypeError, "outermost", "(a & b).across_parts()"),
    (lambda: same(), UsageError, "at least one column", "same('patient')"),
    (lambda: same(3), TypeError, "not int", "quoted"),
    (lambda: same(""), TypeError, "not an empty name", "quoted"),
    (lambda: same(a), TypeError, "not Same", "quoted"),
    (lambda: within("x", -1), UsageError, "at least 0, not -1", "within("),
    (lambda: within("x", math.inf), UsageError, "must be finite", "4"),
    (lambda: within("x", "4"), TypeError, "must be a number, not str", "4"),
    (lambda: within(bins("x", 3), 4), TypeError, "within takes a column, not bins", "same("),
    (lambda: bins("x", 0), UsageError, "at least 1 bin, not 0", "bins('slice', 30)"),
    (lambda: bins("x", 2.5), TypeError, "whole number of bins, not float", "bins('slice', 30)"),
    (lambda: bins("x", True), TypeError, "whole number of bins, not bool", "bins('slice', 30)"),
    (lambda: bins("x", 3, by="widht"), UsageError, "by='widht'", "did you mean 'width'?"),
    (lambda: bins("x", 3, per=4), TypeError, "bins(per=) takes the name of a column", "quoted"),
    (lambda: bins("x", 3, range=(2, 1)), UsageError, "range=(2, 1) is empty", "lo < hi"),
    (lambda: bins("x", 3, range=2), TypeError, "range=(lo, hi)", "range=(0"),
    (lambda: bins("x", 3, per="v", range=(1, 2)), UsageError, "range= fixes", "leave out"),
    (lambda: within("x", 4, decay="lineal"), UsageError, "within knows no decay='lineal'", "did you mean 'linear'?"),
    (lambda: within("x", 0, decay="linear"), UsageError, "a width of 0", "decay='linear'"),
    (lambda: overlap("tags", 0), UsageError, "at least 1 shared member, not 0", "at_least=2"),
    (lambda: overlap("tags", 2**70), UsageError, "at least 1 shared member", "at_least=2"),
    (lambda: overlap("tags", 1.5), TypeError, "whole number of members, not float", "at_least=2"),
    (lambda: overlap("tags", True), TypeError, "whole number of members, not bool", "at_least=2"),
    (lambda: overlap("tags", weight="jacard"), UsageError, "no weight='jacard'", "did you mean 'jaccard'?"),
    (lambda: overlap(bins("x", 3)), TypeError, "overlap takes a column, not bins", "same("),
    (lambda: linked(3), TypeError, "linked takes the name of a file, not int", "edges.tsv"),
    (lambda: linked(""), TypeError, "not an empty name", "edges.tsv"),
    (lambda: linked("e.csv", a=1), TypeError, "linked(a=) takes the name of a column", "quoted"),
    (lambda: linked("e.csv", key=bins("x", 3)), TypeError, "linked(key=) takes a column, not bins", "same("),
    (lambda: linked("e.csv", grade=0.5), TypeError, "linked(grade=) takes the name of a column", "quoted"),
    (lambda: linked("e.csv", a="b"), UsageError, "both ends of an edge from 'b'", "a="),
    (lambda: ~within("x", 4, decay="linear"), TypeError, "not a graded rule", "leave out decay="),
    (lambda: ~overlap("tags", weight="jaccard"), TypeError, "not a graded rule", "weight="),
    (lambda: ~(a | b & linked("e.csv", grade="g")), TypeError, "not a graded rule", "grade="),
]


@pytest.mark.parametrize(("build", "kind", "message", "hint"), REFUSED)
def test_refusals(build: Callable[[], Any], kind: type[Exception], message: str, hint: str) -> None:
    with pytest.raises(kind) as caught:
        build()
    assert isinstance(caught.value, UsageError), "the command line ends with 2 on these"
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_a_type_error_shows_its_hint() -> None:
    with pytest.raises(TypeError, match="binds tighter than &"):
        a + b & c


def test_graded() -> None:
    graded = (within("x", 4, decay="linear"), overlap("tags", weight="jaccard"), linked("e.csv", grade="g"))
    for rule in graded:
        assert rule.graded
        assert (rule & a).graded
        assert (b | (a & rule)).across_parts().graded
    for plain in (a, c, overlap("tags", 3), linked("e.csv"), ~linked("e.csv") & ~overlap("tags")):
        assert not plain.graded


def test_edge_files() -> None:
    near = linked("near.csv", key="patient")
    objective = ((a & near) + 0.3 * linked("far.tsv", grade="g")).ignore(~near | linked("third.parquet"))
    assert objective.edge_files == ("near.csv", "far.tsv", "third.parquet")
    assert objective.columns == {"a", "patient"}
    assert linked("e.csv").columns == frozenset()
    assert linked(Path("e.csv")) == linked("e.csv")
    assert (a + c).edge_files == ()


def test_across_parts_twice_is_once() -> None:
    assert a.across_parts().across_parts() == a.across_parts()
    assert a.across_parts() != a


def test_an_objective_of_a_rule_or_an_objective() -> None:
    rule = same("a") & ~same("b")
    assert Objective.of(rule) == 1 * rule
    assert Objective.of(0.5 * rule) == 0.5 * rule
    with pytest.raises(TypeError, match="a relation is a rule, not str"):
        Objective.of("same('a')")  # type: ignore[arg-type]


def test_a_bare_rule_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        _ = Rule().columns


def test_rules_load_nothing_heavy() -> None:
    program = (
        "import sys; from ssl_domains.pairs import same, within, overlap, linked, bins, parse, Objective;"
        "parse(str((0.7*same('a') + within('x', 1) + overlap('t') + linked('e')).ignore(same(bins('x', 3)))));"
        "print(sorted({'torch', 'numpy', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    import ssl_domains.pairs as room

    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    assert set(dir(room)) == set(room.__all__)
    with pytest.raises(AttributeError):
        _ = room.nothing
