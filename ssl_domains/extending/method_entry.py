"""The declaration of a method: its name, its paper, and where its class is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ssl_domains.errors import PluginError

if TYPE_CHECKING:
    from ssl_domains.methods import MethodSource

__all__ = ["MethodEntry"]


@dataclass(frozen=True)
class MethodEntry:
    """A method, as the hook ``ssl_domains_methods`` returns it.

    Attributes:
        name: Name of the method, for ``--method``.
        summary: One line for lists.
        paper: Authors, year and title.
        method: Import path of the class: ``"my_package.my_method:MyMethod"``; imported when it is used.
        inputs: Inputs that it makes sense for, in words, such as ``"pictures, with a ViT"``.
    """

    name: str
    summary: str
    paper: str
    method: str
    inputs: str = "any"

    def __post_init__(self) -> None:
        if not isinstance(self.method, str) or not all(self.method.partition(":")):
            raise ValueError(f"the method {self.name!r} must be named as 'module:Class', not {self.method!r}")

    def load(self) -> MethodSource:
        """The method's class.

        Raises:
            PluginError: When there is no such module or name, or it is no method.
        """
        from ssl_domains.methods import ViewPlan

        module, _, name = self.method.partition(":")
        try:
            method = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            cause = f"the method {self.name!r} can't be loaded from {self.method!r}: {error}"
            raise PluginError(cause, "write it as 'package.module:Class'") from error
        wanted = "a method derives from ssl_domains.methods.Method"
        missing = [one for one in ("needs", "options", "build") if not hasattr(method, one)]
        if missing:
            raise PluginError(f"{self.method!r} has no {missing[0]!r}", wanted)
        if not isinstance(method.needs, ViewPlan):
            raise PluginError(f"`needs` of {self.method!r} is no ViewPlan", wanted)
        if not (isinstance(method.options, type) and issubclass(method.options, BaseModel)):
            raise PluginError(f"`options` of {self.method!r} is no pydantic model", wanted)
        abstract = sorted(getattr(method, "__abstractmethods__", ()))
        if abstract:
            raise PluginError(f"{self.method!r} has no {abstract[0]!r}", wanted)
        source: MethodSource = method
        return source
