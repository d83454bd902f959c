"""The declaration of a method: its name, its paper, and where its class is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ssl_domains.errors import PluginError, UsageError

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
        command: Command that trains it, where ``pretrain`` doesn't: a method of other units than rows of a table, such
            as the words of a corpus, has a loop of its own. Its class needs nothing but `options`.
    """

    name: str
    summary: str
    paper: str
    method: str
    inputs: str = "any"
    command: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.method, str) or not all(self.method.partition(":")):
            raise ValueError(f"the method {self.name!r} must be named as 'module:Class', not {self.method!r}")

    def load(self) -> MethodSource:
        """The method's class.

        Raises:
            UsageError: When it has a command of its own.
            PluginError: When there is no such module or name, or it is no method.
        """
        from ssl_domains.methods import ViewPlan

        if self.command:
            cause = f"the method {self.name!r} is not trained by pretrain: it has a command of its own"
            raise UsageError(cause, f"{self.command} --method {self.name}")
        method = self._imported()
        wanted = "a method derives from ssl_domains.methods.Method"
        missing = [one for one in ("needs", "options", "build") if not hasattr(method, one)]
        if missing:
            raise PluginError(f"{self.method!r} has no {missing[0]!r}", wanted)
        if not isinstance(method.needs, ViewPlan):
            raise PluginError(f"`needs` of {self.method!r} is no ViewPlan", wanted)
        self._require_options(method)
        abstract = sorted(getattr(method, "__abstractmethods__", ()))
        if abstract:
            raise PluginError(f"{self.method!r} has no {abstract[0]!r}", wanted)
        source: MethodSource = method
        return source

    def load_options(self) -> type[BaseModel]:
        """The model of the method's options, also for a method with a command of its own.

        Raises:
            PluginError: When there is no such module or name, or it has no options.
        """
        if not self.command:
            return self.load().options
        method = self._imported()
        self._require_options(method)
        options: type[BaseModel] = method.options
        return options

    def _imported(self) -> Any:
        module, _, name = self.method.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            cause = f"the method {self.name!r} can't be loaded from {self.method!r}: {error}"
            raise PluginError(cause, "write it as 'package.module:Class'") from error

    def _require_options(self, method: Any) -> None:
        options = getattr(method, "options", None)
        if not (isinstance(options, type) and issubclass(options, BaseModel)):
            cause = f"`options` of {self.method!r} is no pydantic model"
            raise PluginError(cause, "a method derives from ssl_domains.methods.Method")
