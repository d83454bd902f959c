"""Rules: yes, no or unknown for two rows, combined by ``& | ~`` in Kleene's three-valued logic.

A rule here is a frozen description. `ssl_domains.pairs.binding` turns it into arrays over the rows of a table. This
module imports neither NumPy nor torch, so a plugin's hooks can name rules without delay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import Bins

if TYPE_CHECKING:
    from ssl_domains.pairs.bound_objective import BoundObjective
    from ssl_domains.pairs.rules.objective import Objective

__all__ = ["AcrossParts", "And", "Leaf", "Not", "Or", "Rule"]


class Rule:
    """A symmetric relation between two rows. Only the answer *yes* makes them a positive pair.

    A missing value (null, NaN) makes the answer unknown: ``unknown & no`` is no, ``unknown | yes`` is yes, ``~unknown``
    is unknown. Rules combine by ``& | ~``, and become an `Objective` by ``+``, ``*`` and `ignore`.

    A graded rule also gives each match a weight: ``&`` multiplies weights, ``|`` takes the larger one, an ungraded yes
    weighs 1, and ``~`` of a graded rule is an error.

    The properties below describe a rule by the rules that it is made of. A `Leaf` overrides those that apply to it.
    """

    __array_ufunc__ = None  # so that np.float64(0.7) * rule calls __rmul__ below instead of NumPy's own product

    @property
    def operands(self) -> tuple[Rule, ...]:
        """The rules that it is made of; empty for a leaf such as ``same('patient')``."""
        return ()

    @property
    def columns(self) -> frozenset[str]:
        """Table columns that it reads; ``sample``, which every table has, is not listed."""
        if not self.operands:
            name = type(self).__name__
            raise RuleTypeError(f"{name} is abstract: it names no columns", "make rules by same() and within()")
        return frozenset().union(*(term.columns for term in self.operands))

    @property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""
        return any(term.graded for term in self.operands)

    @property
    def bins(self) -> tuple[Bins, ...]:
        """The `bins` keys that it compares, in order."""
        return tuple(key for term in self.operands for key in term.bins)

    @property
    def measured_columns(self) -> frozenset[str]:
        """Columns that it reads as quantities, by a window or cut into bins."""
        return frozenset().union(*(term.measured_columns for term in self.operands))

    @property
    def equal_columns(self) -> frozenset[str]:
        """Columns in which two matching rows always have equal values."""
        return frozenset()

    @property
    def edge_files(self) -> tuple[str, ...]:
        """Files, or names of tables, that its edges come from, in order, each once."""
        return tuple(dict.fromkeys(file for term in self.operands for file in term.edge_files))

    @property
    def edge_keys(self) -> frozenset[str]:
        """Columns whose values its edges name; may contain ``sample``."""
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
        """Leave pairs that match ``rule`` and no relation out of the loss: they are neither positive nor negative."""
        return self._alone().ignore(rule)

    def across_parts(self) -> Rule:
        """Also match rows of different parts, such as wave and mel, or query and document.

        It must be the outermost operation of its relation: ``(a & b).across_parts()``.
        """
        return AcrossParts(self)

    def fit(self, table: Any) -> dict[str, list[float]]:
        """`Objective.fit` of ``1*rule``."""
        return self._alone().fit(table)

    def bind(
        self,
        data: Any,
        fitted: Mapping[str, Sequence[float]] | None = None,
        *,
        emitted: Sequence[str] = (),
        edges: Mapping[str, Any] | None = None,
    ) -> BoundObjective:
        """`Objective.bind` of ``1*rule``."""
        return self._alone().bind(data, fitted, emitted=emitted, edges=edges)

    def _alone(self) -> Objective:
        from ssl_domains.pairs.rules.objective import Objective

        return Objective.of(self)

    def __bool__(self) -> NoReturn:
        raise RuleTypeError("and, or, not do not combine rules", "write &, |, ~ with parentheses around each operand")

    def __repr__(self) -> str:
        return str(self)


class Leaf(Rule):
    """A rule that compares values of two rows, and is not made of other rules.

    A leaf is two files. The first has the frozen dataclass that describes it: a subclass of `Leaf` with ``columns`` and
    ``__str__``, whose text `parse` reads back. The second has its bound form, a
    `ssl_domains.pairs.binding.leaf.BoundLeaf`, which compares rows of a table.

    Attributes:
        bound_by: ``"module:function"`` of the second file, imported when the leaf is bound. The function takes the leaf
            and a `ssl_domains.pairs.binding.binder.Binder`, and returns the bound form.
    """

    bound_by: ClassVar[str]

    def words(self) -> str:
        """What two matching rows share, as a reader would say it: "same patient"."""
        return str(self)

    def negated_words(self) -> str:
        """What two rows are when this leaf says no: "another patient"."""
        return f"not ({self.words()})"


@dataclass(frozen=True, repr=False)
class _Joined(Rule):
    """Two or more rules under one associative operator. Nested ones are flattened: ``(a & b) & c`` has three terms."""

    terms: tuple[Rule, ...]

    def __post_init__(self) -> None:
        flat: list[Rule] = []
        for term in self.terms:
            flat.extend(term.terms if isinstance(term, type(self)) else (_inner(term),))
        object.__setattr__(self, "terms", tuple(flat))

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its terms."""
        return self.terms


class And(_Joined):
    """Yes when every term says yes; no when any term says no. Weights multiply."""

    @property
    def equal_columns(self) -> frozenset[str]:
        """Those of all its terms."""
        return frozenset().union(*(term.equal_columns for term in self.terms))

    def __str__(self) -> str:
        return " & ".join(f"({term})" if isinstance(term, Or) else str(term) for term in self.terms)


class Or(_Joined):
    """Yes when any term says yes; no when every term says no. The largest weight counts."""

    def __str__(self) -> str:
        return " | ".join(str(term) for term in self.terms)


@dataclass(frozen=True, repr=False)
class Not(Rule):
    """Yes where its term says no, no where it says yes, unknown where it is unknown."""

    term: Rule

    def __post_init__(self) -> None:
        if _inner(self.term).graded:
            raise RuleTypeError(
                "~ takes a yes or no, not a graded rule", "leave out decay=, weight= and grade= under ~"
            )

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its term."""
        return (self.term,)

    def __str__(self) -> str:
        return f"~({self.term})" if isinstance(self.term, _Joined) else f"~{self.term}"


@dataclass(frozen=True, repr=False)
class AcrossParts(Rule):
    """The rule of a relation, or the ignore rule, that also matches rows of different parts."""

    term: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.term, Rule):
            raise RuleTypeError(
                f"across_parts takes a rule, not {type(self.term).__name__}", "write same('a').across_parts()"
            )
        if isinstance(self.term, AcrossParts):
            object.__setattr__(self, "term", self.term.term)

    @property
    def operands(self) -> tuple[Rule, ...]:
        """Its rule."""
        return (self.term,)

    @property
    def equal_columns(self) -> frozenset[str]:
        """Those of its rule."""
        return self.term.equal_columns

    def __str__(self) -> str:
        return f"{self.term}.across_parts()" if not self.term.operands else f"({self.term}).across_parts()"


def _inner(value: object) -> Rule:
    if isinstance(value, AcrossParts):
        raise RuleTypeError("across_parts() is outermost in its relation", "write (a & b).across_parts()")
    if not isinstance(value, Rule):
        raise RuleTypeError(f"& | ~ take rules, not {type(value).__name__}", "write same('a') & ~same('b')")
    return value


def _operand(operator: str, value: object) -> Rule:
    """Returns ``value`` when it is a rule, else raises an error with the right way to write ``operator``."""
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
