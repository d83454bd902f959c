"""One speaker under two ids, as near copies on two sides of a split show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssl_domains.errors import DataError

__all__ = ["Twin", "find_twin"]

_COLUMNS = ("speaker", "session")


@dataclass(frozen=True)
class Twin:
    """Two ids that near copies show to be one.

    Attributes:
        ids: Column → (id of the copies on the test side, id of their originals in training).
        copies: Number of near copies.
    """

    ids: dict[str, tuple[str, str]]
    copies: int

    def sentence(self) -> str:
        """What was found, in words."""
        second, first = self.ids["speaker"]
        return (
            f"{self.copies} clips of {second} (test) are near copies of clips of {first} (train): "
            "one speaker under two ids"
        )


def find_twin(audit: Mapping[str, Any], rows: Mapping[str, Mapping[str, str]]) -> Twin:
    """The two ids that an audit's near copies show to be one speaker.

    Args:
        audit: The document of ``splits audit --json``.
        rows: Sample → its columns ``speaker`` and ``session``.

    Raises:
        DataError: When it found no near copies, or they don't agree on the ids.
    """
    found = [one for one in audit["findings"] if one["check"] == "near" and one["leak"]]
    if not found:
        raise DataError("the audit found no near copies", "this is a fault of the demonstration")
    ids = {}
    for column in _COLUMNS:
        seen = Counter((rows[one["b"]][column], rows[one["a"]][column]) for one in found[0]["examples"])
        if len(seen) > 1:
            raise DataError(f"near copies of several pairs of {column}: {dict(seen)}", "they can't be united at once")
        ids[column] = next(iter(seen))
    return Twin(ids, int(found[0]["found"]))
