"""The form in which inputs are loaded, and the last part of a preprocess, which runs on the device."""

from __future__ import annotations

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.views.contract import Preprocess

__all__ = ["finished", "loaded_spec"]


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
