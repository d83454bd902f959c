"""What a user asks for with ``--labels``, ``--label-names``, ``--cover`` and ``--horizon``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssl_domains.errors import UsageError
from ssl_domains_seismic.interpretation.class_names import ClassNames, parse_names

__all__ = ["OPTIONS", "InterpretationRequest", "request_of"]

OPTIONS = ("cover", "horizon", "label_names", "labels")
"""Options of `request_of`."""

_COVER = 0.05


@dataclass(frozen=True)
class InterpretationRequest:
    """Files of interpreters, and how they are read.

    Attributes:
        labels: Files and folders of labels, each also as ``SURVEY=PATH``.
        names: Names of the classes; None when none were given.
        cover: Least share of a sample's labelled voxels from which a class stands in the column ``classes``.
        horizon: File of the horizon from which times are counted, also as ``SURVEY=PATH``.
    """

    labels: tuple[str, ...] = ()
    names: ClassNames | None = None
    cover: float = _COVER
    horizon: str | None = None


def request_of(options: Mapping[str, Any]) -> InterpretationRequest:
    """Read the options of the command line; an option that is missing or None has its default.

    Args:
        options: Values by the names of `OPTIONS`; other names are left alone.

            - ``labels``: A file or folder of labels, or a list of them.
            - ``label_names``: Names of classes, ``"1=faults,2=channels"``.
            - ``cover``: Least share of a class in the column ``classes``; 0.05.
            - ``horizon``: A file of horizon picks.

    Raises:
        UsageError: For a value that can't be read, or names without labels.
    """
    given: dict[str, Any] = {name: options[name] for name in OPTIONS if options.get(name) is not None}
    labels = given.get("labels", ())
    labels = tuple(map(str, labels if isinstance(labels, list | tuple) else (labels,)))
    for name in ("label_names", "cover"):
        if name in given and not labels:
            raise UsageError(f"--{name.replace('_', '-')} without --labels", "add --labels FILE")
    cover = given.get("cover", _COVER)
    if not 0 <= cover <= 1:
        raise UsageError(f"--cover {cover:g} is no share", "give a share from 0 to 1, such as 0.05")
    names = parse_names(given["label_names"]) if "label_names" in given else None
    horizon = str(given["horizon"]) if "horizon" in given else None
    return InterpretationRequest(labels, names, cover, horizon)
