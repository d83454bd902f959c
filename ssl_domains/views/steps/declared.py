"""Base class of the built-in steps: reason, settings as JSON values, and checks of ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["Declared", "check_range", "check_share"]


@dataclass(frozen=True)
class Declared:
    """Base class of a step's settings. The reason has no default, so each recipe must state one for each step.

    Attributes:
        reason: Why this domain uses the step, in one sentence.
    """

    name: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...]] = ()
    reason: str = field(kw_only=True)

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise UsageError(f"the view step {self.name!r} has no reason", "say in a sentence why this domain uses it")

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """No numbers; a step that records some overrides this."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Name, reason and settings."""
        settings = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {"name": self.name, **settings}


def check_range(step: str, what: str, values: tuple[float, float], low: float, high: float) -> None:
    """Raise `UsageError` unless low ≤ values[0] ≤ values[1] ≤ high."""
    if not low <= values[0] <= values[1] <= high:
        raise UsageError(
            f"{step}: {what} {values[0]} to {values[1]}", f"give two numbers in order, from {low} to {high}"
        )


def check_share(step: str, p: float) -> None:
    """Raise `UsageError` unless p is a probability."""
    if not 0 <= p <= 1:
        raise UsageError(f"{step}: p={p} is no probability", "give a number from 0 to 1")
