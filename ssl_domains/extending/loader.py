"""Load plugins in isolation: a broken plugin is recorded as broken, and everything else keeps working."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from ssl_domains.extending.discovery import API_VERSION, PluginInfo
from ssl_domains.extending.domain import Domain
from ssl_domains.extending.encoder_entry import EncoderEntry
from ssl_domains.extending.failure import HookResultError, cure_of, module_name, reason_of
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.pair_sampler import PairSampler
from ssl_domains.extending.settings import PluginSettings
from ssl_domains.extending.time_limit import time_limit
from ssl_domains.pairs.rules.registry import RESERVED, RuleEntry

__all__ = ["Plugin", "import_command", "load_plugin", "refusal"]

T = TypeVar("T")
Status = Literal["active", "blocked", "broken", "incompatible"]


@dataclass(frozen=True)
class Plugin:
    """A plugin after the attempt to load it.

    Attributes:
        info: Metadata of the plugin.
        status: ``active``, or ``blocked``, ``broken`` or ``incompatible``.
        reason: Why it is not active, in one line; empty when active.
        cure: What to do about it, in one line; empty when active.
        error: The exception that it raised, for ``--debug``.
        domains: Domains that its hooks returned; likewise ``pair_samplers``, ``methods``, ``encoders``
            and ``rules``.
    """

    info: PluginInfo
    status: Status = "active"
    reason: str = ""
    cure: str = ""
    error: BaseException | None = None
    domains: tuple[Domain, ...] = ()
    pair_samplers: tuple[PairSampler, ...] = ()
    methods: tuple[MethodEntry, ...] = ()
    encoders: tuple[EncoderEntry, ...] = ()
    rules: tuple[RuleEntry, ...] = ()


def refusal(info: PluginInfo, settings: PluginSettings) -> Plugin | None:
    """The plugin with status blocked or incompatible, by its metadata alone; None when it may be imported."""
    if not info.is_file and (why := settings.refuses(*info.names)):
        return Plugin(info, "blocked", why, "leave that option or variable out to load it")
    if API_VERSION in info.api:
        return None
    declared = f"written for API {', '.join(sorted(info.api))}" if info.api else "declares no API version"
    return Plugin(
        info,
        "incompatible",
        f"{info.label} {declared}; this is API {API_VERSION}",
        f"install a version of {info.distribution} for API {API_VERSION} "
        f"(entry point '{API_VERSION}' in the group ssl_domains.api)",
    )


def load_plugin(info: PluginInfo, limit: float | None = None) -> Plugin:
    """Import the hooks of a plugin and call each once. Errors are stored in the result; only Ctrl-C is raised.

    Args:
        info: The plugin.
        limit: Seconds after which the import is given up; None for no limit. See `time_limit`.
    """
    made, error = _isolated(lambda: _collect(info), limit)
    if error is None and made is not None:
        return made
    return _broken(info, error)


def import_command(info: PluginInfo, command: str, limit: float | None = None) -> tuple[Any, Plugin | None]:
    """Import the typer app of a command: (app, None), or (None, the plugin with status broken)."""
    app, error = _isolated(lambda: _resolve(info.commands[command]), limit)
    if error is None and not hasattr(app, "registered_commands"):
        error = TypeError(f"{info.commands[command]} is {type(app).__name__}, not a typer app")
    return (None, _broken(info, error)) if error else (app, None)


def _isolated(act: Callable[[], T], limit: float | None) -> tuple[T | None, BaseException | None]:
    try:
        # Output of a plugin during import must not mix with the answer of --json.
        with contextlib.redirect_stdout(sys.stderr), time_limit(limit):
            return act(), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a plugin that exits on import must not end the command
        return None, error


def _collect(info: PluginInfo) -> Plugin:
    import pluggy

    from ssl_domains.extending import hookspecs

    class Manager(pluggy.PluginManager):
        def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
            # Functions are hooks by their prefix, so that a plugin need not import pluggy; modules are not.
            is_hook = name.startswith(hookspecs.PREFIX) and inspect.isfunction(getattr(plugin, name))
            return {} if is_hook else None

    manager = Manager("ssl_domains")
    manager.add_hookspecs(hookspecs)
    for name, value in info.hooks.items():
        module = _from_file(Path(value)) if info.is_file else _resolve(value)
        if not manager.is_registered(module):  # one module may be named once for each domain that it brings
            _require_functions(module, hookspecs)
            manager.register(module, name)
    manager.check_pending()  # raises for a misspelt hook, which would never be called
    return Plugin(
        info,
        domains=_returned(manager, "domains", Domain),
        pair_samplers=_returned(manager, "pair_samplers", PairSampler),
        methods=_returned(manager, "methods", MethodEntry),
        encoders=_returned(manager, "encoders", EncoderEntry),
        rules=_rules(manager),
    )


def _require_functions(plugin: Any, hookspecs: ModuleType) -> None:
    """Refuse a hook that is no function, such as a list of domains: it would never be called."""
    for name in vars(hookspecs):
        value = getattr(plugin, name, None) if name.startswith(hookspecs.PREFIX) else None
        if value is not None and not inspect.isfunction(value):
            raise HookResultError(f"the hook {name} is {type(value).__name__}, not a function that returns a list")


def _rules(manager: Any) -> tuple[RuleEntry, ...]:
    entries = _returned(manager, "rules", RuleEntry)
    for entry in entries:
        if entry.name in RESERVED:
            raise ValueError(f"the rule {entry.name!r} is the core's, so a plugin can't bring one of that name")
    return entries


def _returned(manager: Any, kind_name: str, kind: type[T]) -> tuple[T, ...]:
    hook = f"ssl_domains_{kind_name}"
    made: list[T] = []
    caller = getattr(manager.hook, hook)
    returned = caller()
    if len(returned) < len(caller.get_hookimpls()):  # pluggy leaves None out, which a forgotten `return` gives
        raise HookResultError(f"the hook {hook} returned None instead of a list of {kind.__name__}")
    for items in returned:
        if isinstance(items, kind | str | bytes) or not isinstance(items, Iterable):
            expected = f"a list of {kind.__name__}"
            raise HookResultError(f"the hook {hook} returned {type(items).__name__} instead of {expected}")
        for item in items:
            if not isinstance(item, kind):
                raise HookResultError(f"the hook {hook} returned {type(item).__name__} instead of {kind.__name__}")
            made.append(item)
    return tuple(made)


def _resolve(value: str) -> Any:
    module, _, attribute = value.partition(":")
    target: Any = importlib.import_module(module.strip())
    for part in filter(None, attribute.strip().split(".")):
        target = getattr(target, part)
    return target


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module_name(path), path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # needed to pickle its classes and to resolve its annotations
    spec.loader.exec_module(module)
    return module


def _broken(info: PluginInfo, error: BaseException | None) -> Plugin:
    assert error is not None
    return Plugin(info, "broken", reason_of(info, error), cure_of(info, error), error)
