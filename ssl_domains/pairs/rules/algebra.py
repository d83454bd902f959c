"""Rules: yes, no or unknown for two rows, closed under ``& | ~`` in Kleene's three values.

Everything here is a frozen description; `ssl_domains.pairs.binding` turns it into arrays. Nothing heavy is imported, so
a plugin's hooks can name rules for free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key, column_name, finite_number, number_text

if TYPE_CHECKING:
    from ssl_domains.pairs.binding.binder import BoundObjective
    from ssl_domains.pairs.rules.objective import Objective

__all__ = ["AcrossParts", "And", "Not", "Or", "Rule", "Same", "Within", "same", "within"]


class Rule:
    """A symmetric question about two rows; only *yes* makes them a positive pair.

    A missing value (null, NaN) makes the answer unknown: ``unknown & no`` is no, ``unknown | yes`` is yes, ``~unknown``
    is unknown. Rules combine by ``& | ~``, and become an `Objective` by ``+``, ``*`` and `ignore`.

    A graded rule also weighs its matches: ``&`` multiplies weights, ``|`` takes the larger, a plain yes weighs 1, and
    ``~`` refuses it.
    """

    __array_ufunc__ = None  # np.float64(0.7) * rule is ours to answer, not NumPy's

    @property
    def columns(self) -> frozenset[str]:
        """Table columns it reads; the always-present ``sample`` is not listed."""
        raise RuleTypeError("Rule is abstract", "make rules by same() and within()")

    @property
    def operands(self) -> tuple[Rule, ...]:
        """The rules it is made of; empty for a leaf such as `Same`."""
        return ()

    @property
    def graded(self) -> bool:
        """Whether a match may weigh anything but 1."""
        return any(term.graded for term in self.operands)

    @property
    def edge_files(self) -> tuple[str, ...]:
        """The edge files that its `linked` terms name, in order, each once."""
        return tuple(dict.fromkeys(file for term in self.operands for file in term.edge_files))

    @property
    def edge_keys(self) -> frozenset[str]:
        """What its `linked` terms join rows by: columns, or ``sample``."""
        return frozenset().union(*(term.edge_keys for term in self.operands))

    def __and__(self, other: object) -> Rule:
        return And((self, _operand("&", other)))

    def __rand__(self, other: object) -> NoReturn:
        _operand("&", other)
        raise RuleTypeError("& takes two rules", "write same('a') & same('b')")

    def __or__(self, other: object) -> Rule:
        return Or((self, _operand("|", other)))

    def __ror__(self, other: object) -> NoReturn:
        _operand("|", other)
        raise RuleTypeError("| takes two rules", "write same('a') | same('b')")

    def __invert__(self) -> Rule:
        return Not(self)

    def __add__(self, other: object) -> Objective:
        return self._alone() + other

    def __radd__(self, other: object) -> Objective:
        return self._alone().__radd__(other)

    def __mul__(self, weight: object) -> Objective:
        return self._alone() * weight

    __rmul__ = __mul__

    def ignore(self, rule: Rule) -> Objective:
        """Leave pairs that match ``rule``, and no relation, out of the loss: neither positive nor negative."""
        return self._alone().ignore(rule)

    def across_parts(self) -> Rule:
        """Match rows of different parts too (wave and mel, query and document); outermost in its relation."""
        return AcrossParts(self)

    def fit(self, table: Any) -> dict[str, list[float]]:
        """As `Objective.fit`, for the rule alone."""
        return self._alone().fit(table)

    def bind(
        self,
        data: Any,
        fitted: Mapping[str, Sequence[float]] | None = None,
        *,
        emitted: Sequence[str] = (),
        edges: Mapping[str, Any] | None = None,
    ) -> BoundObjective:
        """As `Objective.bind`, for ``1*rule``."""
        return self._alone().bind(data, fitted, emitted=emitted, edges=edges)

    def _alone(self) -> Objective:
        from ssl_domains.pairs.rules.objective import Objective, Relation

        return Objective((Relation(1.0, self),))

    def __bool__(self) -> NoReturn:
        raise RuleTypeError("and, or, not do not combine rules", "write &, |, ~ with parentheses around each operand")

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Same(Rule):
    """Equal in every key; made by `same`."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise UsageError("same needs at least one column", "write same('patient')")
        for key in self.keys:
            if not isinstance(key, Bins):
                column_name(key, "same")

    @property
    def columns(self) -> frozenset[str]:
        """Table columns of its keys."""
        found = (key.columns if isinstance(key, Bins) else frozenset({key}) for key in self.keys)
        return frozenset().union(*found) - {SAMPLE}

    def __str__(self) -> str:
        return f"same({', '.join(str(key) if isinstance(key, Bins) else repr(key) for key in self.keys)})"


@dataclass(frozen=True, repr=False)
class Within(Rule):
    """``abs(x_i − x_j) <= width`` in float64; made by `within`."""

    column: str
    width: float
    decay: str | None = None

    def __post_init__(self) -> None:
        column_name(self.column, "within")
        width = finite_number(self.width, "the width of within")
        if width < 0:
            raise UsageError(f"within needs a width of at least 0, not {number_text(width)}", "write within('mm', 4)")
        object.__setattr__(self, "width", width)
        if self.decay not in (None, "linear"):
            raise UsageError(f"within knows no decay={self.decay!r}", did_you_mean(str(self.decay), ("linear",)))
        if self.decay is not None and width == 0:
            raise UsageError("within has no room to decay in a width of 0", "write within('mm', 4, decay='linear')")

    @property
    def columns(self) -> frozenset[str]:
        """The one column it reads."""
        return frozenset({self.column}) - {SAMPLE}

    @property
    def graded(self) -> bool:
        """Whether a match weighs less the farther apart."""
        return self.decay is not None

    def __str__(self) -> str:
        decay = "" if self.decay is None else f", decay={self.decay!r}"
        return f"within({self.column!r}, {number_text(self.width)}{decay})"


@dataclass(frozen=True, repr=False)
class _Joined(Rule):
    """Two or more rules under one associative operator, flat: ``(a & b) & c`` is ``a & (b & c)``."""

    terms: tuple[Rule, ...]

    def __post_init__(self) -> None:
        flat: list[Rule] = []
        for term in self.terms:
            flat.extend(term.terms if isinstance(term, type(self)) else (_inner(term),))
        object.__setattr__(self, "terms", tuple(flat))

    @property
    def columns(self) -> frozenset[str]:
        """Table columns of all its terms."""
        return frozenset().union(*(term.columns for term in self.terms))

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its terms."""
        return self.terms


class And(_Joined):
    """Yes when every term is; no when any is. Weights multiply."""

    def __str__(self) -> str:
        return " & ".join(f"({term})" if isinstance(term, Or) else str(term) for term in self.terms)


class Or(_Joined):
    """Yes when any term is; no when every term is. The largest weight counts."""

    def __str__(self) -> str:
        return " | ".join(str(term) for term in self.terms)


@dataclass(frozen=True, repr=False)
class Not(Rule):
    """Yes for no, no for yes, unknown stays unknown."""

    term: Rule

    def __post_init__(self) -> None:
        if _inner(self.term).graded:
            raise RuleTypeError(
                "~ takes a yes or no, not a graded rule", "leave out decay=, weight= and grade= under ~"
            )

    @property
    def columns(self) -> frozenset[str]:
        """Table columns of its term."""
        return self.term.columns

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its term."""
        return (self.term,)

    def __str__(self) -> str:
        return f"~({self.term})" if isinstance(self.term, _Joined) else f"~{self.term}"


@dataclass(frozen=True, repr=False)
class AcrossParts(Rule):
    """A whole relation, or ignore rule, that also matches rows of different parts."""

    term: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.term, Rule):
            raise RuleTypeError(
                f"across_parts takes a rule, not {type(self.term).__name__}", "write same('a').across_parts()"
            )
        if isinstance(self.term, AcrossParts):
            object.__setattr__(self, "term", self.term.term)

    @property
    def columns(self) -> frozenset[str]:
        """Table columns of its rule."""
        return self.term.columns

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its rule."""
        return (self.term,)

    def __str__(self) -> str:
        return f"{self.term}.across_parts()" if not self.term.operands else f"({self.term}).across_parts()"


def same(*keys: Key) -> Rule:
    """Rows whose keys are all equal: ``same(a, b)`` means ``same(a) & same(b)``.

    Args:
        keys: Columns, the always-present ``"sample"``, or `bins`.

    Raises:
        UsageError: Without keys, or with something that is none.

    Example:
        >>> same("patient") & same("study")
        same('patient') & same('study')
    """
    return Same(keys)


def within(column: str, width: float, *, decay: str | None = None) -> Rule:
    """Rows whose numbers differ by at most ``width``: ``abs(x_i − x_j) <= width``, inclusive, in float64.

    Args:
        column: Numeric column (dates count days), or a number that views emit.
        width: In the column's unit, at least 0; above 0 with ``decay``.
        decay: ``"linear"`` weighs a match ``1 − abs(x_i − x_j) / width``, so that rows ``width`` apart match no more;
            None weighs every match 1.

    Raises:
        UsageError: On a width that is no finite number ≥ 0, or another decay.

    Example:
        >>> same("volume") & within("position_mm", 4)
        same('volume') & within('position_mm', 4)
    """
    return Within(column, width, decay)


def _inner(value: object) -> Rule:
    if isinstance(value, AcrossParts):
        raise RuleTypeError("across_parts() is outermost in its relation", "write (a & b).across_parts()")
    if not isinstance(value, Rule):
        raise RuleTypeError(f"& | ~ take rules, not {type(value).__name__}", "write same('a') & ~same('b')")
    return value


def _operand(operator: str, value: object) -> Rule:
    """``value`` if it is a rule, else the error that says how ``operator`` was meant."""
    from ssl_domains.pairs.rules.objective import Objective, refuse_objective

    if isinstance(value, Objective):
        refuse_objective(operator, value)
    if isinstance(value, Bins):
        raise RuleTypeError(f"{operator} takes two rules, not a key", f"write same({value})")
    if isinstance(value, str):
        raise RuleTypeError(f"{operator} takes two rules, not text", f"write same({value!r})")
    if not isinstance(value, Rule):
        kind = type(value).__name__
        raise RuleTypeError(f"{operator} takes two rules, not {kind}", f"write same('a') {operator} same('b')")
    return value
