"""Steps of a recipe: keys of their draws, columns that they read, removal by name, and reading from JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["keyed", "moving_steps", "require_columns", "steps_from", "without_step"]


class _Step(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...


Step = TypeVar("Step", bound=_Step)


def keyed(steps: Sequence[Step]) -> Iterator[tuple[str, Step]]:
    """Each step with the key of its draws: its name, and ``blur 2`` for the second step named ``blur``."""
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.name] = counts.get(step.name, 0) + 1
        yield (step.name if counts[step.name] == 1 else f"{step.name} {counts[step.name]}"), step


def require_columns(step: _Step, columns: Mapping[str, Any]) -> None:
    """Check that all columns that a step reads are there.

    Raises:
        UsageError: When one is missing.
    """
    missing = sorted(set(step.columns) - set(columns))
    if missing:
        cause = f"the view step {step.name!r} reads the column {missing[0]!r}, which isn't there"
        raise UsageError(cause, did_you_mean(missing[0], columns))


def moving_steps(recipe: Any) -> tuple[str, ...]:
    """Names of the steps behind which equal places of two views show different places of the sample.

    A crop of the recipe that is drawn for each view on its own is one of them, ``views.crop``. A recipe of variants has
    the steps of all.
    """
    crop = getattr(recipe, "crop", None)
    names = [] if crop is None or crop.shared else ["views.crop"]
    for variant in getattr(recipe, "recipes", (recipe,)):
        names += [step.name for step in getattr(variant, "steps", ()) if getattr(step, "moves", False)]
    return tuple(dict.fromkeys(names))


def without_step(steps: Sequence[Step], name: str) -> tuple[Step, ...]:
    """The steps but those of that name.

    Raises:
        UsageError: When there is no such step.
    """
    names = [step.name for step in steps]
    if name not in names:
        raise UsageError(f"the recipe has no step {name!r}", did_you_mean(name, names))
    return tuple(step for step in steps if step.name != name)


def steps_from(described: Sequence[Mapping[str, Any]], classes: Mapping[str, Any]) -> tuple[Any, ...]:
    """Steps from their settings as JSON values.

    Args:
        described: Name and settings of each step.
        classes: Class of a step by its name. Nothing is imported by name.

    Raises:
        UsageError: When the class of a step isn't among them.
    """
    steps = []
    for one in described:
        if one["name"] not in classes:
            cause = f"the recipe's step {one['name']!r} isn't one of the built-in ones"
            raise UsageError(cause, "take the recipe from the domain's plugin")
        settings = {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
        del settings["name"]
        steps.append(classes[one["name"]](**settings))
    return tuple(steps)
