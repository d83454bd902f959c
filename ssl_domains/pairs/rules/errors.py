"""The error for operands of the wrong kind."""

from __future__ import annotations

from ssl_domains.errors import UsageError

__all__ = ["RuleTypeError"]


class RuleTypeError(UsageError, TypeError):
    """An operand of the wrong kind: a `TypeError` in Python, a usage error on the command line."""

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message
