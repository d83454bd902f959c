"""`same`: rows with equal values in one or several keys."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.errors import UsageError
from ssl_domains.pairs.rules.algebra import Leaf, Rule
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key, column_name

__all__ = ["Same", "same"]


@dataclass(frozen=True, repr=False)
class Same(Leaf):
    """Equal in every key; made by `same`."""

    keys: tuple[Key, ...]

    bound_by = "ssl_domains.pairs.leaves.same:bind"

    def __post_init__(self) -> None:
        if not self.keys:
            raise UsageError("same needs at least one column", "write same('patient')")
        for key in self.keys:
            if not isinstance(key, Bins):
                column_name(key, "same")

    @property
    def columns(self) -> frozenset[str]:
        """Table columns of its keys."""
        columns = (key.columns if isinstance(key, Bins) else frozenset({key}) for key in self.keys)
        return frozenset().union(*columns) - {SAMPLE}

    @property
    def bins(self) -> tuple[Bins, ...]:
        """Its keys that are bins."""
        return tuple(key for key in self.keys if isinstance(key, Bins))

    @property
    def measured_columns(self) -> frozenset[str]:
        """Columns that are cut into bins."""
        return frozenset(key.column for key in self.bins)

    @property
    def equal_columns(self) -> frozenset[str]:
        """Its keys that are columns."""
        return frozenset(key for key in self.keys if isinstance(key, str)) - {SAMPLE}

    def words(self) -> str:
        """See `Leaf.words`."""
        return "same " + " and ".join(_key_words(key) for key in self.keys)

    def negated_words(self) -> str:
        """See `Leaf.negated_words`."""
        return f"another {_key_words(self.keys[0])}" if len(self.keys) == 1 else super().negated_words()

    def __str__(self) -> str:
        return f"same({', '.join(str(key) if isinstance(key, Bins) else repr(key) for key in self.keys)})"


def same(*keys: Key) -> Rule:
    """Rows whose keys are all equal: ``same(a, b)`` means ``same(a) & same(b)``.

    Args:
        keys: Columns, the always-present ``"sample"``, or `bins`.

    Raises:
        UsageError: Without keys, or when one is neither a column name nor `bins`.

    Example:
        >>> same("patient") & same("study")
        same('patient') & same('study')
    """
    return Same(keys)


def _key_words(key: Key) -> str:
    if not isinstance(key, Bins):
        return key
    kind = "bins" if key.by == "width" else "bins of equal counts"
    per = "" if key.per is None else f", each {key.per} on its own"
    return f"bin of {key.column} ({key.n} {kind}{per})"
