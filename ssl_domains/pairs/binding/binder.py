"""Compiling rules over a table: each leaf becomes arrays, one value for each row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import PluginError, SslDomainsError, UsageError
from ssl_domains.pairs.binding import nodes
from ssl_domains.pairs.binding.bins import assign_bins, bins_per_group, fit_edges, width_edges, wrapped
from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.rules.algebra import AcrossParts, And, Leaf, Not, Or, Rule
from ssl_domains.pairs.rules.keys import Bins, Key
from ssl_domains.pairs.rules.registry import import_object
from ssl_domains.samples import SampleTable

__all__ = ["Binder"]

T = TypeVar("T")


class Binder:
    """Compiles rules over one table. A column that several leaves read becomes one array.

    The function that binds a leaf (`Leaf.bound_by`) takes a binder and reads the table through it.

    Args:
        table: The rows.
        fitted: Bin edges by the key's text; None fits them on ``table``.
        emitted: Names of numbers that views emit.
        edges: Edge tables by name.

    Attributes:
        table: The rows.
        emitted: Names of numbers that views emit.
        edges: Edge tables by name.
    """

    def __init__(
        self,
        table: SampleTable,
        fitted: Mapping[str, Sequence[float]] | None = None,
        emitted: frozenset[str] = frozenset(),
        edges: Mapping[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.emitted = emitted
        self.edges = {} if edges is None else edges
        self._fitted = fitted
        self._cache: dict[Hashable, Any] = {}

    def rule(self, rule: Rule) -> tuple[BoundRule, bool]:
        """The compiled rule of a relation, and whether it matches rows of different parts.

        It does with `Rule.across_parts`, and when it reads edges.
        """
        inner, across = (rule.term, True) if isinstance(rule, AcrossParts) else (rule, bool(rule.edge_files))
        return BoundRule.of(self.node(inner), str(inner)), across

    def node(self, rule: Rule) -> nodes.Node:
        """The bound form of a rule.

        Raises:
            UsageError: When a column is missing or of the wrong type.
        """
        match rule:
            case And(terms=terms):
                return nodes.And(tuple(self.node(term) for term in terms))
            case Or(terms=terms):
                return nodes.Or(tuple(self.node(term) for term in terms))
            case Not(term=term):
                return nodes.Not(self.node(term))
            case Leaf():
                return self._leaf(rule)
        raise UsageError(f"{type(rule).__name__} is no rule that can be bound", "make rules by same() and within()")

    def _leaf(self, rule: Leaf) -> nodes.Node:
        try:
            bound = import_object(rule.bound_by)(rule, self)
        except SslDomainsError:
            raise
        except Exception as error:
            cause = f"the rule {rule} can't be bound: {type(error).__name__}: {error}"
            raise PluginError(" ".join(cause.split()), f"see {rule.bound_by}") from error
        if not isinstance(bound, BoundLeaf | nodes.And | nodes.Or | nodes.Not):
            raise PluginError(
                f"{rule.bound_by} gives a {type(bound).__name__} for {rule}", "it must return a BoundLeaf"
            )
        return bound

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` returned for this key the first time."""
        if key not in self._cache:
            self._cache[key] = make()
        return cast("T", self._cache[key])

    def require_column(self, name: str, hint: str) -> None:
        """Refuse the name of a number that views emit, for a leaf that reads columns only.

        Raises:
            UsageError: With the hint, when ``name`` is emitted.
        """
        if name in self.emitted:
            raise UsageError(f"{name!r} is a number that views emit", hint)

    def codes(self, key: Key) -> NDArray[np.int64]:
        """Codes of a column or of `bins`, int64 ``[size]``: equal values share a code, −1 is missing."""
        return self.cached(("codes", key), lambda: self._bins(key) if isinstance(key, Bins) else self.table.codes(key))

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A column as float64 ``[size]``, NaN missing; dates count days."""
        return self.cached(("numbers", column), lambda: self.table.numbers(column))

    def _bins(self, key: Bins) -> NDArray[np.int64]:
        values = self.numbers(key.column)
        if key.per is not None:
            if key.per in self.emitted:
                raise UsageError(f"{key} is cut per {key.per!r}, which views emit", "per= takes a column of the table")
            return bins_per_group(values, self.table.codes(key.per), key.n, key.by)
        if key.range is not None:
            values = wrapped(values, *key.range) if key.wrap else values
            return assign_bins(values, width_edges(*key.range, key.n))
        if self._fitted is None:
            return assign_bins(values, fit_edges(values, key.n, key.by))
        if str(key) not in self._fitted:
            raise UsageError(f"no fitted edges for {key}", "take them from objective.fit(training rows)")
        return assign_bins(values, self._fitted[str(key)])
