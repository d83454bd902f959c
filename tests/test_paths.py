"""Public functions take a path as text or as a `Path`: what has a parameter of type `Path` alone is listed here."""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType

import pytest

ROOMS = (
    "audit", "encoders", "engine", "evaluation", "extending", "losses", "methods", "pairs", "probes", "reports",
    "samples", "stores", "studies", "testing", "views",
)  # fmt: skip
OF_THE_CALLER = {
    "Reader.scan": "called by the core, which passes a Path",
    "MaskReader.scan": "called by the core, which passes a Path",
    "FileReader.scan": "called by the core, which passes a Path",
    "OpenReader.scan": "called by the core, which passes a Path",
    "SizedReader.scan": "called by the core, which passes a Path",
}
"""Methods that an author writes, and that the core calls."""


def path_alone(annotation: object) -> bool:
    """Whether an annotation, as text, names `Path` but not `str`."""
    text = str(annotation)
    return bool(re.search(r"\bPath\b", text)) and not re.search(r"\bstr\b|Callable|Sequence", text)


def parameters(room: ModuleType) -> list[str]:
    found = []
    for name in room.__all__:
        value = getattr(room, name)
        members = {name: value}
        if inspect.isclass(value):
            members = {
                f"{name}.{key}": getattr(value, key)
                for key, member in vars(value).items()
                if not key.startswith("_") and isinstance(member, classmethod | staticmethod | type(parameters))
            }
        for label, member in members.items():
            if inspect.isfunction(member) or inspect.ismethod(member):
                for parameter in inspect.signature(member).parameters.values():
                    if path_alone(parameter.annotation) and label not in OF_THE_CALLER:
                        found.append(f"{label}({parameter.name})")
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_take_text_and_paths(room: str) -> None:
    assert parameters(importlib.import_module(f"ssl_domains.{room}")) == []


def test_a_parameter_of_type_path_alone_is_noticed() -> None:
    assert [path_alone(text) for text in ("Path", "Path | None", "str | Path", "str")] == [True, True, False, False]
