"""Registry of preprocesses by name (a run folder stores a name and settings, never code), and their optional parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.contract import Preprocess, PreprocessSource, PreprocessToFit
from ssl_domains.views.image_preprocess import ImagePreprocess
from ssl_domains.views.signal_preprocess import SignalPreprocess

__all__ = [
    "extended",
    "finished",
    "fitted_preprocess",
    "loaded_spec",
    "preprocess_from_dict",
    "preprocess_to_dict",
    "register_preprocess",
]

_BY_NAME: dict[str, Any] = {kind.name: kind for kind in (ImagePreprocess, SignalPreprocess)}


def register_preprocess(kind: type[Any]) -> type[Any]:
    """Register a preprocess class by its ``name``; a class decorator. The class must have ``from_dict``.

    Raises:
        UsageError: When another class has the name.
    """
    known = _BY_NAME.setdefault(kind.name, kind)
    if known.__qualname__ != kind.__qualname__ or known.__module__ != kind.__module__:
        raise UsageError(f"two preprocesses are named {kind.name!r}", "rename one of them")
    _BY_NAME[kind.name] = kind
    return kind


def fitted_preprocess(source: PreprocessSource, table: SampleTable, store: ArrayStore) -> Preprocess:
    """The preprocess that a domain declares, fitted on the training rows where it has to be fitted.

    Args:
        source: A preprocess, or a declaration with ``fit``.
        table: The rows; ``fit`` uses the training rows.
        store: Their arrays.
    """
    return source.fit(table, store) if isinstance(source, PreprocessToFit) else source


def extended(preprocess: Preprocess, table: SampleTable, store: ArrayStore) -> Preprocess:
    """The preprocess, also fitted on the new groups of a table; unchanged when it has no ``extend``."""
    if not hasattr(preprocess, "extend"):
        return preprocess
    made: Preprocess = preprocess.extend(table, store)
    return made


def preprocess_to_dict(preprocess: Preprocess) -> dict[str, Any]:
    """A preprocess as JSON values, with its name."""
    return {"name": preprocess.name, **preprocess.to_dict()}


def preprocess_from_dict(values: Mapping[str, Any]) -> Preprocess:
    """The reverse of `preprocess_to_dict`; values without a name are those of an `ImagePreprocess`.

    Raises:
        DataError: When no preprocess of this name is registered, also not by a domain's ``preprocess_classes``. Nothing
            is imported by the name that is read.
        PluginError: When a class that a domain names can't be imported.
    """
    values = dict(values)
    name = values.pop("name", ImagePreprocess.name)
    if name not in _BY_NAME:
        # Imported here, as `extending` imports this package; plugins are searched only for names that are unknown here.
        from ssl_domains.extending.current import current_registry

        current_registry().import_preprocesses()
    if name not in _BY_NAME:
        cause = f"the preprocess {name!r} isn't known here"
        raise DataError(cause, "install the plugin whose domain names it, or import the module that registers it")
    made: Preprocess = _BY_NAME[name].from_dict(values)
    return made


def loaded_spec(preprocess: Preprocess) -> InputSpec:
    """The form of the inputs that workers load and caches keep: ``loaded``, or ``spec`` of a preprocess without it."""
    spec: InputSpec = getattr(preprocess, "loaded", preprocess.spec)
    return spec


def finished(preprocess: Preprocess, x: Input) -> Input:
    """A batch in the form that the encoder takes, ``preprocess.spec``.

    Args:
        preprocess: The preprocess that loaded the batch.
        x: A batch of the form `loaded_spec`, on any device. A batch of the kind of ``spec`` is returned as it is.

    Raises:
        DataError: When ``finish`` gives another form than ``spec`` declares.
    """
    if not hasattr(preprocess, "finish") or x.kind == preprocess.spec.kind:
        return x
    made: Input = preprocess.finish(x)
    spec = preprocess.spec
    expected = spec.input(made.values, made.valid)
    if (made.kind, made.ragged, made.pad) != (expected.kind, expected.ragged, expected.pad):
        raise DataError(
            f"finish of the preprocess {preprocess.name!r} gives an input of kind {made.kind!r}, ragged {made.ragged}, "
            f"pad {made.pad:g}",
            f"its spec declares {spec.kind!r}, {spec.ragged}, {spec.pad:g}: return spec.input(values, valid)",
        )
    return made
