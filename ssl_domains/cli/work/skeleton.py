"""Write the skeleton of a plugin that brings a domain."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Set
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from ssl_domains.errors import UsageError
from ssl_domains.extending import KNOWN_DOMAINS, Registry
from ssl_domains.samples import require_folder, write_errors, write_whole_folder

__all__ = ["write_skeleton"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_SUFFIX = ".template"


def write_skeleton(registry: Registry, name: str, out: Path | None, *, commands: Set[str]) -> Path:
    """Write the files of a plugin for a domain; nothing is overwritten.

    Args:
        registry: The plugins; their names are taken.
        name: Name of the domain.
        out: Folder to make; None for ``ssl-domains-NAME`` in the working directory.
        commands: Names of the core's commands, which are taken too.

    Returns:
        The folder.

    Raises:
        UsageError: When the name can't be used or is taken, or the folder exists or can't be made.
        ResourceError: When the disk is full.
    """
    _check_name(name)
    _check_free(registry, name, commands)
    folder = Path(f"ssl-domains-{name}") if out is None else out
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists already", f"name a new folder: ssl-domains plugins new {name} --out DIR")
    require_folder(folder, new=True)
    package = name.replace("-", "_")
    words = {"name": name, "package": package, "module": f"ssl_domains_{package}"}
    template = files("ssl_domains.cli") / "skeleton"
    with write_errors(str(folder)):
        write_whole_folder(folder, lambda part: _write(template, part, words))
    return folder


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.endswith(("-", "_")):
        near = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_0123456789") or "my-domain"
        raise UsageError(
            f"a domain's name is a lower-case word of letters, digits, - and _, not {name!r}",
            f"ssl-domains plugins new {near}",
        )
    if keyword.iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python", f"ssl-domains plugins new {name}-data")


def _check_free(registry: Registry, name: str, commands: Set[str]) -> None:
    other = f"ssl-domains plugins new {'my-' + name}"
    if name in commands:
        raise UsageError(f"{name!r} is a command of ssl-domains", other)
    if name in KNOWN_DOMAINS:
        raise UsageError(f"{name!r} is a domain of the project ssl-domains", other)
    module = f"ssl_domains_{name.replace('-', '_')}"
    for info in registry.infos:
        if name in info.names:
            raise UsageError(f"the name {name!r} is taken by {info.label}, which is installed", other)
    if importlib.util.find_spec(module) is not None:
        raise UsageError(f"there is an installed package {module!r} already", other)


def _write(template: Traversable, target: Path, words: dict[str, str]) -> None:
    if template.is_dir():
        target.mkdir(exist_ok=True)
        for child in template.iterdir():
            if child.is_dir():
                _write(child, target / child.name.replace("package", words["module"]), words)
            elif child.name.endswith(_SUFFIX):
                file = child.name.removesuffix(_SUFFIX).replace("package", words["package"])
                _write(child, target / file, words)
        return
    target.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
