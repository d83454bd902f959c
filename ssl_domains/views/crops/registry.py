"""Registry of crops by name: a run folder stores a name and settings, never code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ssl_domains.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssl_domains.views.crops.contract import Crop

__all__ = ["crop_from_dict", "crop_to_dict", "register_crop"]

_BY_NAME: dict[str, Any] = {}


def register_crop(kind: type[Any]) -> type[Any]:
    """Register a crop class by its ``name``; a class decorator. The class must have ``from_dict``.

    Raises:
        UsageError: When another class has the name.
    """
    known = _BY_NAME.setdefault(kind.name, kind)
    if known.__qualname__ != kind.__qualname__ or known.__module__ != kind.__module__:
        raise UsageError(f"two crops are named {kind.name!r}", "rename one of them")
    _BY_NAME[kind.name] = kind
    return kind


def crop_to_dict(crop: Crop) -> dict[str, Any]:
    """A crop as JSON values, with its name."""
    return {"name": crop.name, **crop.to_dict()}


def crop_from_dict(values: Mapping[str, Any]) -> Crop:
    """The reverse of `crop_to_dict`.

    Raises:
        DataError: When no crop of this name is registered, also not by a domain's ``crop_classes``. Nothing is imported
            by the name that is read.
        PluginError: When a class that a domain names can't be imported.
    """
    values = dict(values)
    name = values.pop("name", None)
    if name not in _BY_NAME:
        # Imported here, as `extending` imports this package; plugins are searched only for names that are unknown here.
        from ssl_domains.extending.current import current_registry

        current_registry().import_crops()
    if name not in _BY_NAME:
        cause = f"the crop {name!r} isn't known here"
        raise DataError(cause, "install the plugin whose domain names it, or import the module that registers it")
    made: Crop = _BY_NAME[name].from_dict(values)
    return made
