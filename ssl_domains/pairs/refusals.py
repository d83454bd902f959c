"""What the algebra of rules refuses, and how it says so."""

from __future__ import annotations

from typing import NoReturn

from ssl_domains.errors import UsageError

__all__ = ["RuleTypeError", "later"]


class RuleTypeError(UsageError, TypeError):
    """An operand of the wrong kind: a `TypeError` in Python, a usage error on the command line."""

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


def later(what: str, hint: str) -> NoReturn:
    """Refuse a part of the language that this release does not have yet.

    Raises:
        UsageError: Always.
    """
    raise UsageError(f"{what} comes with a later release", hint)
