"""`same`, bound: equal codes of a column or of bins, or equal numbers that views emit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.bins import assign_bins, width_edges, wrapped
from ssl_domains.pairs.binding.leaf import BatchValues, BoundLeaf
from ssl_domains.pairs.binding.nodes import And, Node, answer_for
from ssl_domains.pairs.binding.protocols import RowRule
from ssl_domains.pairs.binding.reason import Answer, Reason, ShownValues, missing_text, pair_text
from ssl_domains.pairs.rules import same as rules
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key

__all__ = ["EmittedSame", "EqualCodes", "Same", "bind"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class EqualCodes(BoundLeaf):
    """Base of leaves that say yes where codes are equal, and unknown where one is missing; subclasses explain it.

    Losses, group batches and drawing use the codes directly, so such a leaf is as fast as `same`.

    Attributes:
        codes: int64 ``[size]``, not negative; −1 where missing.
    """

    codes: Ints

    @property
    def equal_codes(self) -> Ints:
        """The codes."""
        return self.codes

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        a, b = self.codes[i], self.codes[j]
        answer: Bools = (a == b) & (a >= 0) if yes else (a != b) & (a >= 0) & (b >= 0)
        return answer

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        return rows.equal(rows.codes(self.codes))


@dataclass(frozen=True, eq=False)
class Same(EqualCodes):
    """Equal codes of one key.

    Attributes:
        key: The column or bins that the codes are of.
    """

    key: Key = SAMPLE

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        answer, key = answer_for(self, i, j), self.key
        if isinstance(key, Bins):
            return Reason(answer, self._bins_text(key, answer, i, j, shown))
        if answer == "unknown":
            return Reason(answer, missing_text(shown, key, i, j))
        if key == SAMPLE:
            return Reason(answer, "same sample" if answer == "yes" else "another sample")
        first, second = shown.text(key, i), shown.text(key, j)
        return Reason(answer, f"same {key} {first}" if answer == "yes" else f"other {key} ({first}, {second})")

    def _bins_text(self, key: Bins, answer: Answer, i: int, j: int, shown: ShownValues) -> str:
        if answer == "unknown":
            names = [name for name in (key.column, key.per) if name]
            missing = [name for name in names if shown.missing(name, i) or shown.missing(name, j)]
            return "; ".join(missing_text(shown, name, i, j) for name in missing) or f"{key.column} unknown"
        first, second = int(self.codes[i]) + 1, int(self.codes[j]) + 1
        per = f" of its {key.per}" if key.per is not None else ""
        values = "" if shown.coded(key.column) else f" {pair_text(shown, key.column, i, j)}"
        if answer == "yes":
            return f"{key.column}{values}: same bin {first} of {key.n}{per}"
        return f"{key.column}{values}: bins {first} and {second} of {key.n}{per}"


@dataclass(frozen=True, eq=False)
class EmittedSame(BoundLeaf):
    """Equal numbers emitted by views, or equal bins of them; unknown until the views exist.

    Attributes:
        name: Name of the emitted number.
        edges: Bin edges, or None for the number itself.
        wrap: Whether the edges are those of a full turn.
    """

    name: str
    edges: tuple[float, ...] | None
    wrap: bool = False

    reads_emitted = True

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        return np.zeros(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        return Reason("unknown", f"{self.name} is known only once the views are made")

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        values = rows.emitted(self.name)
        if self.edges is not None:
            values = wrapped(values, self.edges[0], self.edges[-1]) if self.wrap else values
            return rows.equal(assign_bins(values, self.edges))
        ranks = np.unique(values, return_inverse=True)[1].reshape(-1)
        return rows.equal(np.where(np.isnan(values), -1, ranks))


def bind(rule: rules.Same, binder: Binder) -> Node:
    """Bind a `same` rule: one leaf for each key, so that below ``~`` a missing key does not hide another key's no."""
    leaves = tuple(_bind_key(key, binder) for key in rule.keys)
    return leaves[0] if len(leaves) == 1 else And(leaves)


def _bind_key(key: Key, binder: Binder) -> BoundLeaf:
    column = key.column if isinstance(key, Bins) else key
    if column not in binder.emitted:
        return binder.cached(("same", key), lambda: Same(binder.codes(key), key))
    if not isinstance(key, Bins):
        return EmittedSame(column, None)
    if key.range is None:
        hint = f"write bins({column!r}, {key.n}, range=(lo, hi))"
        raise UsageError(f"{key} cuts a number that views emit, which has no range to fit", hint)
    return EmittedSame(column, tuple(width_edges(*key.range, key.n)), key.wrap)
