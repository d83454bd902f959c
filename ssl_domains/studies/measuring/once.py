"""Values that are the same with every seed, computed once in a process: features and floors without a training."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ssl_domains.studies.design.material import Material

__all__ = ["once"]

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Material, dict[Hashable, Any]] = WeakKeyDictionary()


def once(material: Material, key: Hashable, compute: Callable[[], T]) -> T:
    """The value of a key, computed when it is first asked for in this process, and kept as long as the material.

    Args:
        material: What all cells share.
        key: What the value depends on, beside the material.
        compute: Computes it.
    """
    kept = _KEPT.setdefault(material, {})
    if key not in kept:
        kept[key] = compute()
    value: T = kept[key]
    return value
