"""Objectives: a weighted sum of relations, and which pairs the loss leaves out.

``Σ α_r · Rule_r``, where each relation has its own mean over positives, and at most one `ignore` at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ssl_domains.errors import UsageError
from ssl_domains.pairs.rules.algebra import And, Not, Or, Rule
from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import Bins, finite_number, number_text

if TYPE_CHECKING:
    from ssl_domains.pairs.bound_objective import BoundObjective

__all__ = ["Objective", "Relation", "refuse_objective"]


@dataclass(frozen=True)
class Relation:
    """One term of an objective.

    Attributes:
        weight: α_r > 0; weights are not normalised.
        rule: Which pairs are positives.
    """

    weight: float
    rule: Rule

    def __post_init__(self) -> None:
        weight = finite_number(self.weight, "the weight of a relation")
        if weight <= 0:
            raise UsageError(
                f"the weight of a relation must be positive, not {number_text(weight)}",
                "leave the relation out instead",
            )
        object.__setattr__(self, "weight", weight)
        if not isinstance(self.rule, Rule):
            raise RuleTypeError(f"a relation is a rule, not {type(self.rule).__name__}", "write 0.7*same('class')")


@dataclass(frozen=True, repr=False)
class Objective:
    """``Σ α_r · Rule_r`` with at most one ignore rule; ``Objective()`` is plain SimCLR, in text ``none``.

    Equality is structural, ``c*(a + b)`` is ``c*a + c*b``, and ``str`` gives text that `parse` reads back.

    Attributes:
        relations: The relations in order.
        ignored: Pairs that match this rule, and no relation, are neither positive nor negative.
    """

    relations: tuple[Relation, ...] = ()
    ignored: Rule | None = None

    __array_ufunc__ = None  # so that np.float64(0.7) * objective calls __rmul__ below instead of NumPy's own product

    @classmethod
    def of(cls, value: Rule | Objective) -> Objective:
        """A rule as the objective ``1*rule``; an objective as it is.

        Raises:
            RuleTypeError: When it is neither.
        """
        if isinstance(value, Objective):
            return value
        return cls((Relation(1.0, value),))

    @property
    def columns(self) -> frozenset[str]:
        """Every table column it reads; ``sample``, which every table has, is not listed."""
        return frozenset().union(*(rule.columns for rule in self.rules))

    @property
    def edge_files(self) -> tuple[str, ...]:
        """Files, or names of tables, that its edges come from, in order, each once."""
        return tuple(dict.fromkeys(file for rule in self.rules for file in rule.edge_files))

    @property
    def edge_keys(self) -> frozenset[str]:
        """Columns whose values its edges name; may contain ``sample``."""
        return frozenset().union(*(rule.edge_keys for rule in self.rules))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every relation's rule in order, the ignore rule last."""
        rules = tuple(relation.rule for relation in self.relations)
        return rules if self.ignored is None else (*rules, self.ignored)

    def ignore(self, rule: Rule) -> Objective:
        """Leave pairs that match ``rule`` and no relation out of the loss.

        Raises:
            RuleTypeError: When ``rule`` is not a rule, or the objective has an ignore rule already.
        """
        self._refuse_after_ignore("ignore()")
        if isinstance(rule, Objective):
            raise RuleTypeError("ignore takes a rule, not an objective", "join rules by |: ignore(a | b)")
        if not isinstance(rule, Rule):
            raise RuleTypeError(f"ignore takes a rule, not {type(rule).__name__}", "write ignore(same('patient'))")
        return Objective(self.relations, rule)

    def across_parts(self) -> NoReturn:
        """Not allowed: `Rule.across_parts` belongs to one relation.

        Raises:
            RuleTypeError: Always.
        """
        self._refuse_after_ignore("across_parts()")
        raise RuleTypeError("across_parts belongs to one rule, not to an objective", "write 0.7*rule.across_parts()")

    def fit(self, table: Any) -> dict[str, list[float]]:
        """Fit the edges of every `bins` key that has neither ``per`` nor ``range``.

        Args:
            table: The training rows: `SampleTable`, polars or pandas frame, or mapping of columns.

        Returns:
            Ascending edges by the key's text, as JSON values; empty where the column has no finite value.

        Raises:
            UsageError: When a column is missing or holds no numbers.
        """
        from ssl_domains.pairs.bound_objective import fit_objective

        return fit_objective(self, table)

    def bind(
        self,
        data: Any,
        fitted: Mapping[str, Sequence[float]] | None = None,
        *,
        emitted: Sequence[str] = (),
        edges: Mapping[str, Any] | None = None,
    ) -> BoundObjective:
        """Compile the objective over the rows of a table.

        Args:
            data: `SampleTable`, polars or pandas frame, or mapping of columns.
            fitted: What `fit` returned for the training rows; None fits on ``data``.
            emitted: Names of numbers that views emit for each row; the rule reads them like columns.
            edges: Edge tables by the name written in `linked`, in place of files: frames or mappings of columns.

        Returns:
            A picklable `BoundObjective` that holds NumPy arrays only.

        Raises:
            UsageError: When a column or edge file is missing, holds the wrong type, or lacks fitted edges.
            DataError: When an edge file can't be read, or an edge has no finite grade.
        """
        from ssl_domains.pairs.bound_objective import bind_objective

        return bind_objective(self, data, fitted, emitted, edges)

    def __add__(self, other: object) -> Objective:
        self._refuse_after_ignore("+")
        if isinstance(other, Rule):
            other = Objective.of(other)
        if not isinstance(other, Objective):
            raise RuleTypeError(f"+ takes rules or objectives, not {type(other).__name__}", _sum_hint(other))
        other._refuse_after_ignore("+")
        return Objective(self.relations + other.relations)

    def __radd__(self, other: object) -> NoReturn:
        self._refuse_after_ignore("+")
        raise RuleTypeError(f"+ takes rules or objectives, not {type(other).__name__}", _sum_hint(other))

    def __mul__(self, weight: object) -> Objective:
        self._refuse_after_ignore("*")
        if isinstance(weight, (Rule, Objective)):
            raise RuleTypeError("* takes a number and a rule, not two rules", "write a & b for both, a + b for a sum")
        factor = finite_number(weight, "the weight of a relation")
        return Objective(tuple(Relation(factor * relation.weight, relation.rule) for relation in self.relations))

    __rmul__ = __mul__

    def __and__(self, other: object) -> NoReturn:
        refuse_objective("&", self)

    def __or__(self, other: object) -> NoReturn:
        refuse_objective("|", self)

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> NoReturn:
        self._refuse_after_ignore("~")
        raise RuleTypeError("~ takes a rule, not an objective", "negate the rules one by one: 0.7*~a + 0.3*~b")

    def __bool__(self) -> NoReturn:
        raise RuleTypeError("and, or, not do not combine objectives", "write + between relations, & | ~ between rules")

    def _refuse_after_ignore(self, operation: str) -> None:
        if self.ignored is not None:
            raise RuleTypeError(f"{operation} after ignore()", "ignore comes last: (0.7*a + 0.3*b).ignore(c)")

    def __str__(self) -> str:
        if self.ignored is None:
            return self._sum(lone_weight=True)
        total = self._sum(lone_weight=False)
        plain = not self.relations or (self._one_whole and not isinstance(self.relations[0].rule, (And, Or, Not)))
        return f"{total if plain else f'({total})'}.ignore({self.ignored})"

    __repr__ = __str__

    @property
    def _one_whole(self) -> bool:
        return len(self.relations) == 1 and self.relations[0].weight == 1

    def _sum(self, lone_weight: bool) -> str:
        """The relations as text. A single one of weight 1 is written ``1*rule`` if ``lone_weight``, else ``rule``."""
        if not self.relations:
            return "none"
        if self._one_whole and not lone_weight:
            return str(self.relations[0].rule)
        terms = []
        for relation in self.relations:
            rule = f"({relation.rule})" if isinstance(relation.rule, (And, Or)) else str(relation.rule)
            bare = relation.weight == 1 and len(self.relations) > 1
            terms.append(rule if bare else f"{number_text(relation.weight)}*{rule}")
        return " + ".join(terms)


def refuse_objective(operator: str, value: Objective) -> NoReturn:
    """Raise the error for an objective as an operand of ``& |``.

    Raises:
        RuleTypeError: Always.
    """
    value._refuse_after_ignore(operator)
    if len(value.relations) == 1:
        raise RuleTypeError(
            f"{operator} takes two rules, not an objective",
            f"* binds tighter than {operator}: write 0.7*(a {operator} b)",
        )
    raise RuleTypeError(
        f"{operator} takes two rules, not an objective", f"+ binds tighter than {operator}: write a + (b {operator} c)"
    )


def _sum_hint(other: object) -> str:
    if isinstance(other, str):
        return f"write same({other!r})"
    if isinstance(other, Bins):
        return f"write same({other})"
    return "write 0.7*same('a') + 0.3*same('b'); a Python sum() needs start=Objective()"
