"""The text form: rules read back, mistakes are reported with their column, and nothing is evaluated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_strategies as strategies
from ssl_domains.errors import UsageError
from ssl_domains.pairs import Objective, bins, linked, overlap, parse, same, within

many = settings(max_examples=70, deadline=None)


@many
@given(data=st.data())
def test_rules_round_trip(data: st.DataObject) -> None:
    rule = data.draw(strategies.relations(emitted=True))
    assert parse(str(rule)) == rule
    assert hash(parse(str(rule))) == hash(rule)


@many
@given(data=st.data())
def test_objectives_round_trip(data: st.DataObject) -> None:
    objective = data.draw(strategies.objectives(emitted=True))
    assert parse(str(objective)) == objective


@many
@given(data=st.data())
def test_parentheses_are_minimal(data: st.DataObject) -> None:
    text = str(data.draw(strategies.rules()))
    whole = parse(text)
    opened: list[int] = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")":
            start = opened.pop()
            called = start > 0 and (text[start - 1].isalpha() or text[start - 1] == "=")
            if not called:
                bare = f"{text[:start]}{text[start + 1 : place]}{text[place + 1 :]}"
                assert parse(bare) != whole, f"{text} needs no parentheses at {start}"


@many
@given(name=st.text(min_size=1), width=st.floats(min_value=0, allow_infinity=False), n=st.integers(1, 10**12))
def test_any_name_and_number_round_trip(name: str, width: float, n: int) -> None:
    rule = within(name, width) | same(bins(name, n, range=(-1 - width / 2, width)))
    assert parse(str(rule)) == rule


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="same('a)withnb,.0123&|~+*ignore-[]{}:\n\t\\\"é∞", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    shown = ""
    try:
        parse(text)
    except UsageError as error:
        shown = error.message + error.hint
    assert "\n" not in shown


@many
@given(
    file=st.text(min_size=1),
    names=st.lists(st.text(min_size=1), min_size=3, max_size=3, unique=True),
    grade=st.none() | st.text(min_size=1),
    at_least=st.integers(1, 2**63 - 1),
    weight=st.sampled_from([None, "jaccard"]),
)
def test_any_edge_file_and_list_round_trip(
    file: str, names: list[str], grade: str | None, at_least: int, weight: str | None
) -> None:
    a, b, key = names
    rule = linked(file, a, b, key, grade) | overlap(key, at_least, weight=weight)
    assert parse(str(rule)) == rule


def test_blanks_and_line_breaks_do_not_matter() -> None:
    assert parse("  0.7 * same( 'a' )\n  + 0.3*same(\"b\")\n") == 0.7 * same("a") + 0.3 * same("b")
    assert parse("\tnone ") == Objective()


def test_numbers_multiply() -> None:
    assert parse("2*3*same('a')") == 6 * same("a")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the rule is empty", "none"),
        ("smae('a')", "there is no function 'smae' (at column 1)", "did you mean 'same'?"),
        ("same('é') | sme('b')", "there is no function 'sme' (at column 13)", "did you mean 'same'?"),
        ("  same('a') | sme('b')", "'sme' (at column 15)", "did you mean 'same'?"),
        ("same(patient)", "patient is not quoted (at column 6)", "'patient'"),
        ("same(class)", "can't be read at column 6", "column names are quoted"),
        ("same('a'", "can't be read at column 5", "each ( needs its )"),
        ("same('a') and same('b')", "and, or, not do not combine rules", "&, |, ~"),
        ("not same('a')", "and, or, not do not combine rules", "&, |, ~"),
        ("0.7*same('a') & same('b')", "& takes two rules, not an objective", "* binds tighter than &"),
        ("same('a') + same('b') & same('c')", "& takes two rules, not an objective", "+ binds tighter than &"),
        ("same('a') - same('b')", "is not part of a rule (at column 1)", "same, within, overlap, linked, bins"),
        ("-1*same('a')", "a minus has no place", "positive"),
        ("0*same('a')", "must be positive, not 0 (at column 1)", "leave the relation out"),
        ("same('a', colum='b')", "same has no argument 'colum'", "same(*keys)"),
        ("bins('a', 3, bye='width')", "bins has no argument 'bye' (at column 18)", "did you mean 'by'?"),
        ("same(bins('a', 3, by='quantil'))", "bins knows no by='quantil' (at column 6)", "did you mean 'quantile'?"),
        ("within('x')", "within: missing a required argument: 'width'", "within(column, width"),
        ("within('x', 4, 5)", "within: too many positional arguments", "within(column, width"),
        ("within('x', 4, decay='liner')", "within knows no decay='liner' (at column 1)", "did you mean 'linear'?"),
        ("overlap('tags', at_least=0)", "at least 1 shared member, not 0 (at column 1)", "at_least=2"),
        ("overlap('tags', weight=1)", "overlap knows no weight=1", "jaccard"),
        ("overlap('tags', 1, 'jaccard')", "overlap: too many positional arguments", "overlap(column, at_least=1"),
        ("overlap(tags)", "tags is not quoted", "'tags'"),
        ("linked()", "linked: missing a required argument: 'file'", "linked(file, a='a', b='b', key='sample'"),
        ("linked('e.csv', grades='rel')", "linked has no argument 'grades'", "did you mean 'grade'?"),
        ("linked('e.csv', key=3)", "linked(key=) takes the name of a column, not int (at column 1)", "quoted"),
        ("same('a') & ~linked('e.csv', grade='rel')", "not a graded rule (at column 13)", "grade="),
        ("same('a').ignore(same('b')).ignore(same('c'))", "ignore() after ignore()", "ignore comes last"),
        ("same('a').ignroe(same('b'))", "rules have no .ignroe(…)", "did you mean 'ignore'?"),
        ("same('a').ignore()", "ignore: missing a required argument: 'rule'", "ignore(rule)"),
        ("same('a').keys", ".keys is not part of a rule", "rule.ignore(other)"),
        ("same", "same needs its arguments", "same(*keys)"),
        ("patient", "patient is no rule", "same('patient')"),
        ("'patient'", "text alone is no rule", "same('patient')"),
        ("bins('x', 3)", "bins(…) is a key, not a rule", "same(bins('x', 3))"),
        ("0.7", "the rule is only a number", "0.7*same('class')"),
        ("1 + 2", "operators stand between rules", "0.7*same('class')"),
        ("same('a') + 3", "+ takes rules or objectives, not int", "0.7*same('a')"),
        ("~0.7*same('a')", "~ takes a rule, not float", "~same"),
        ("same(*['a'])", "same takes no *", "same(*keys)"),
        ("same(**{'a': 1})", "same takes no **", "same(*keys)"),
        ("same(b'a')", "is not part of a rule (at column 6)", "same, within"),
        ("1e999*same('a')", "must be finite, not inf", "0.7"),
        (f"within('x', {'9' * 400})", "the width of within is too large (at column 1)", "0.7"),
        (f"1.5*{'9' * 400}*same('a')", "a number is too large", "0.7"),
        ("~" * 5000 + "same('a')", "the rule", ""),
        ("(" * 300 + "same('a')" + ")" * 300, "can't be read", ""),
        ("same('a') | " * 3000 + "same('a')", "more than 20000", "column"),
        ("same('\x00')", "can't be read", ""),
    ],
)
def test_mistakes_are_reported_with_their_column_and_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "same('a').__class__",
        "(lambda: same('a'))()",
        "[same(x) for x in 'ab'][0]",
        "same(open('x'))",
        "same('a') if True else same('b')",
        "same(f'{1}')",
        "(x := same('a'))",
        "same.__globals__['os']",
        "none.ignore.__func__(none, same('a'))",
    ],
)
def test_nothing_is_evaluated(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_text_only() -> None:
    with pytest.raises(TypeError, match="must be text, not int"):
        parse(3)  # type: ignore[arg-type]
