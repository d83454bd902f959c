"""The rules that rule text may name: the core's, and those of plugins.

A rule is registered by a `RuleEntry`: its name, and where the function is that makes it. Plugins hand entries over by
the hook ``ssl_domains_rules``; the parser imports no plugin unless a text names a rule that the core does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ssl_domains.errors import PluginError

__all__ = ["CORE", "RESERVED", "RuleEntry", "RuleSource", "find_rule", "import_object", "rule_names", "set_rule_source"]


@dataclass(frozen=True)
class RuleEntry:
    """A rule that can be written in text, as the hook ``ssl_domains_rules`` hands it over.

    Attributes:
        name: The function's name in rule text: ``prefix`` for ``prefix('case', 3)``.
        summary: One line for lists.
        factory: ``"module:function"``, imported when a text first names it. The function takes the arguments written in
            the text and returns a `Rule`, usually a `Leaf`.
    """

    name: str
    summary: str
    factory: str

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a rule's name must be an identifier, not {self.name!r}")
        module, _, function = self.factory.partition(":")
        if not module or not function:
            raise ValueError(f"the factory of the rule {self.name!r} must be 'module:function', not {self.factory!r}")

    def load(self) -> Callable[..., Any]:
        """Import the function that makes the rule.

        Raises:
            PluginError: When the module can't be imported or has no such function.
        """
        try:
            function: Callable[..., Any] = import_object(self.factory)
        except Exception as error:
            message = f"the rule {self.name!r} can't be loaded from {self.factory}: {type(error).__name__}: {error}"
            raise PluginError(" ".join(message.split()), "repair or uninstall the plugin that brings it") from error
        if not callable(function):
            raise PluginError(
                f"{self.factory} of the rule {self.name!r} is no function", "name a function that makes a rule"
            )
        return function


class RuleSource(Protocol):
    """Where rules of plugins come from; `ssl_domains.extending.Registry` is one."""

    def rule(self, name: str) -> RuleEntry | None:
        """The plugins' rule of that name, or None.

        Raises:
            PluginError: When two plugins bring it.
        """

    def rule_names(self) -> tuple[str, ...]:
        """Names of all rules that plugins bring."""


CORE = (
    RuleEntry("same", "equal values in every key", "ssl_domains.pairs.rules.same:same"),
    RuleEntry("within", "numbers at most a width apart", "ssl_domains.pairs.rules.within:within"),
    RuleEntry("overlap", "lists with members in common", "ssl_domains.pairs.rules.overlap:overlap"),
    RuleEntry("linked", "joined by an edge of a file or table", "ssl_domains.pairs.rules.linked:linked"),
)
RESERVED = frozenset({*(entry.name for entry in CORE), "bins", "none"})
"""Names that no plugin may bring: they mean something in rule text already."""

_core = {entry.name: entry for entry in CORE}
_source: RuleSource | None = None


def set_rule_source(source: RuleSource | None) -> None:
    """Ask this source for rules that the core does not have; it replaces the one before."""
    global _source
    _source = source


def find_rule(name: str) -> Callable[..., Any] | None:
    """The function that makes the named rule, or None.

    Raises:
        PluginError: When two plugins bring the name, or the rule can't be imported.
    """
    entry = _core.get(name)
    if entry is None and _source is not None:
        entry = _source.rule(name)
    return None if entry is None else entry.load()


def rule_names() -> tuple[str, ...]:
    """Names of all rules, the core's first."""
    return (*_core, *(() if _source is None else _source.rule_names()))


def import_object(path: str) -> Any:
    """The object that ``"module:name"`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
