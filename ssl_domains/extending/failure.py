"""Where and why a plugin failed to load: one line for the user, and what to do about it."""

from __future__ import annotations

import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType

from ssl_domains.errors import did_you_mean
from ssl_domains.extending.discovery import PluginInfo
from ssl_domains.extending.time_limit import ImportTimeout

__all__ = ["HookResultError", "cure_of", "module_name", "reason_of"]

_HOOKS = tuple(f"ssl_domains_{kind}" for kind in ("domains", "encoders", "methods", "pair_samplers", "rules"))
_LONGEST = 120  # characters of a line of code that a message shows
_HOOK = re.compile(r"\bssl_domains_[a-z_]+")


class HookResultError(TypeError):
    """A hook returned something of a wrong type."""


def module_name(path: Path) -> str:
    """Name of the module that a plugin file becomes."""
    return f"ssl_domains_plugin_file_{path.stem}"


def reason_of(info: PluginInfo, error: BaseException) -> str:
    """What went wrong, in one line: the plugin, for a plugin file the line, and the error."""
    return f"{_place(info, error)}{_description(error)}"


def cure_of(info: PluginInfo, error: BaseException) -> str:
    """What to do about it, in one line that can be pasted where there is a command for it."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = f"install the package with the module {error.name.partition('.')[0]!r}"
        wants = f"{missing}, which {info.distribution} needs" if not info.is_file else missing
        return f"{wants}, or {_block(info)}"
    unknown = _HOOK.search(str(error)) if "unknown hook" in str(error) else None
    if unknown is not None:
        near = did_you_mean(unknown.group(), _HOOKS)
        return near if info.is_file else f"in {info.distribution}: {near}"
    if isinstance(error, ImportTimeout):
        return _block(info)
    if not info.is_file:
        return f"pip install --force-reinstall {info.distribution}, or {_block(info)}"
    if isinstance(error, SyntaxError):
        return f"python -m py_compile {info.distribution}"
    if isinstance(error, HookResultError):
        return "python -m pydoc ssl_domains.extending.hookspecs shows an example of each hook"
    return "ssl-domains --debug … shows the traceback; or leave --plugin-file out"


def _block(info: PluginInfo) -> str:
    return "leave --plugin-file out" if info.is_file else f"block it: SSL_DOMAINS_BLOCK={info.name}"


def _place(info: PluginInfo, error: BaseException) -> str:
    if not info.is_file:
        return f"{info.label} is broken: "
    line = _line(Path(info.distribution), error)
    return f"the plugin file {info.distribution} is broken{'' if line is None else f', line {line}'}: "


def _description(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        text = f"SystemExit: it called sys.exit({error.code!r})"
    elif isinstance(error, SyntaxError):
        text = f"{type(error).__name__}: {error.msg}" + _code(error.text or "")
    elif isinstance(error, HookResultError):
        text = f"TypeError: {error}"
    elif isinstance(error, ImportTimeout):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _code(text: str) -> str:
    """The line of code that can't be parsed; nothing for the bytes of a file that isn't text."""
    line = text.strip()
    return f": {line[:_LONGEST]}" if line and line.isprintable() else ""


def _line(path: Path, error: BaseException) -> int | None:
    """The line of a plugin file where an error was raised, or of the hook that its message names."""
    if isinstance(error, SyntaxError) and _is_file(error.filename, path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_file(frame.filename, path)]
    if lines:
        return lines[-1]
    module: ModuleType | None = sys.modules.get(module_name(path))
    for name in _HOOK.findall(str(error)):
        code = getattr(getattr(module, name, None), "__code__", None)
        if code is not None:
            return int(code.co_firstlineno)
    return None


def _is_file(name: str | None, path: Path) -> bool:
    # Compiled code names its file by an absolute path, the user often by a relative one.
    return name is not None and os.path.abspath(name) == os.path.abspath(path)
