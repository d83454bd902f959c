"""What a part of the scan found, before it becomes a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems

__all__ = ["Found", "counted", "plural"]


@dataclass
class Found:
    """Rows as dictionaries of columns, with what was left out and what is worth knowing."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)


def counted(names: list[str], most: int = 4) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
