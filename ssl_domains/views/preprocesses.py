"""Preprocesses by name, so that a run can be opened without code from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.contract import Preprocess
from ssl_domains.views.image_preprocess import ImagePreprocess

__all__ = ["extended", "preprocess_from_dict", "preprocess_to_dict", "register_preprocess"]

_BY_NAME: dict[str, Any] = {ImagePreprocess.name: ImagePreprocess}


def register_preprocess(kind: type[Any]) -> type[Any]:
    """Make a preprocess known by its ``name``; use it as a decorator of the class, which also has ``from_dict``.

    Raises:
        UsageError: When another class has the name.
    """
    known = _BY_NAME.setdefault(kind.name, kind)
    if known.__qualname__ != kind.__qualname__ or known.__module__ != kind.__module__:
        raise UsageError(f"two preprocesses are named {kind.name!r}", "rename one of them")
    _BY_NAME[kind.name] = kind
    return kind


def extended(preprocess: Preprocess, table: SampleTable, store: ArrayStore) -> Preprocess:
    """The preprocess fitted also on the groups of a table that it doesn't know; itself where nothing is fitted."""
    if not hasattr(preprocess, "extend"):
        return preprocess
    made: Preprocess = preprocess.extend(table, store)
    return made


def preprocess_to_dict(preprocess: Preprocess) -> dict[str, Any]:
    """A preprocess as JSON values, with its name."""
    return {"name": preprocess.name, **preprocess.to_dict()}


def preprocess_from_dict(values: Mapping[str, Any]) -> Preprocess:
    """The reverse of `preprocess_to_dict`; without a name it is that of pictures.

    Raises:
        DataError: When the name isn't known. Nothing is imported by name.
    """
    values = dict(values)
    name = values.pop("name", ImagePreprocess.name)
    if name not in _BY_NAME:
        raise DataError(f"the preprocess {name!r} isn't known here", "import the plugin that registers it first")
    made: Preprocess = _BY_NAME[name].from_dict(values)
    return made
