"""A pair sampler: a name, its parameters, and the objective they make."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler, parse_call


def region(by: str = "theta", n: int = 4) -> str:
    return f"same(bins({by!r}, {n}))"


REGION = PairSampler("region", "fisheye", "a region of the lens", region)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("region", ("region", {})),
        ("region()", ("region", {})),
        (" class ", ("class", {})),
        ("class(n = 3)", ("class", {"n": 3})),
        ("region(by='radius', n=3)", ("region", {"by": "radius", "n": 3})),
        (
            "clinical(columns=['a', 'b'], weights=(0.5, -1))",
            ("clinical", {"columns": ["a", "b"], "weights": (0.5, -1)}),
        ),
    ],
)
def test_a_call_is_a_name_and_literals(text, expected):
    assert parse_call(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "region(",
        "region('theta')",
        "region(n=open('/etc/passwd'))",
        "region(n=len('abc'))",
        "__import__('os').system('true')",
        "region(**{'n': 3})",
        "a.b",
        "1",
        "region; other",
        "region()()",
        "region(n=1)(m=2)",
        "region(n=" + "(" * 500 + ")" * 500 + ")",
    ],
)
def test_nothing_else_is_read_and_nothing_is_evaluated(text):
    with pytest.raises(UsageError) as caught:
        parse_call(text)
    assert "literal" in caught.value.hint


def test_the_signature_is_what_one_may_write():
    assert REGION.signature == "region(by='theta', n=4)"
    assert parse_call(REGION.signature) == ("region", {"by": "theta", "n": 4})


def test_parameters_make_the_rule():
    from ssl_domains.pairs import Composition, bins, same

    objective, composition = REGION.resolve(n=3)
    assert objective == 1 * same(bins("theta", 3))
    assert composition == Composition()


def test_an_objective_stays_one():
    from ssl_domains.pairs import same

    both = PairSampler("both", "fisheye", "", lambda alpha=0.5: alpha * same("a") + (1 - alpha) * same("b"))
    assert str(both.resolve(alpha=0.25)[0]) == str(0.25 * same("a") + 0.75 * same("b"))


def test_a_composition_may_depend_on_the_parameters():
    from ssl_domains.pairs import Composition

    sampler = PairSampler(
        "patient",
        "medical",
        "",
        lambda per_group=2: "same('patient')",
        composition=lambda per_group=2: Composition("groups", per_group=per_group),
    )
    assert sampler.resolve(per_group=4)[1] == Composition("groups", per_group=4)


def test_an_unknown_parameter_is_named_with_the_nearest_and_the_signature():
    with pytest.raises(UsageError) as caught:
        REGION.resolve(m=3, bye="theta")
    assert "'m'" in caught.value.message
    assert "region(by='theta', n=4)" in caught.value.hint
    with pytest.raises(UsageError, match="no parameter 'n'"):
        PairSampler("patient", "medical", "", "same('patient')").resolve(n=3)


def test_a_needed_parameter_is_asked_for():
    def clinical(column: str) -> str:
        return f"same({column!r})"

    with pytest.raises(UsageError, match="clinical needs column"):
        PairSampler("clinical", "medical", "", clinical).resolve()


def test_a_bad_value_is_a_usage_error_in_the_rules_own_words():
    with pytest.raises(UsageError):
        REGION.resolve(n="three")


def test_a_name_must_be_an_identifier():
    with pytest.raises(ValueError, match="identifier"):
        PairSampler("not a name", "fisheye", "", "same('a')")


def test_declaring_imports_nothing_heavy():
    code = (
        "import sys; from ssl_domains.extending import PairSampler, Domain, Registry; "
        "PairSampler('a', 'b', '', \"same('a')\").signature; "
        "print([m for m in ('torch', 'numpy', 'polars', 'pluggy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
