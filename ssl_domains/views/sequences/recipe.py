"""The augmentation recipe of signals, and of other inputs with any number of sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.inputs import Input, View
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.add_noise import AddNoise
from ssl_domains.views.sequences.crop_length import CropLength
from ssl_domains.views.sequences.drop_channels import DropChannels
from ssl_domains.views.sequences.gain import Gain
from ssl_domains.views.sequences.mask_stretches import MaskStretches
from ssl_domains.views.sequences.step import SequenceStep

__all__ = ["SequenceRecipe"]

BUILT_IN: dict[str, Any] = {step.name: step for step in (CropLength, Gain, AddNoise, MaskStretches, DropChannels)}


@dataclass(frozen=True)
class SequenceRecipe:
    """Augmentation steps in the order they are applied, for inputs ``[B, C, *space]`` of any number of sides.

    A view is a pure function of the sample, (seed, step, slot, view) and the recipe. It doesn't depend on the padding
    of the batch, the number of workers, the rank, the device or the other samples. Random numbers are keyed by a step's
    name, so the other steps draw the same numbers when one step is removed.

    Example:
        >>> SequenceRecipe((CropLength((0.5, 1.0), reason="a part shows the same patient"),))    # doctest: +SKIP

    Attributes:
        steps: The steps, first to last.
        views: Number of views of each sample.

    Raises:
        UsageError: Without any view.
    """

    steps: tuple[SequenceStep, ...]
    views: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.views < 1:
            raise UsageError(f"a recipe of {self.views} views", "give at least 1")

    @property
    def columns(self) -> tuple[str, ...]:
        """Numeric columns of the table that the steps read, but for numbers that an earlier step emits."""
        read: dict[str, None] = {}
        known: set[str] = set()
        for step in self.steps:
            read.update(dict.fromkeys(name for name in step.columns if name not in known))
            known.update(step.emitted)
        return tuple(read)

    @property
    def emitted(self) -> tuple[str, ...]:
        """Names of the numbers that the steps record with each view; a rule can read them like columns."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.emitted))

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        """Make the views of a batch on its device; called by the engine, see `Recipe.views_of`.

        Raises:
            UsageError: When the input holds token ids, a column is missing, or a step doesn't fit the sides.
        """
        x = x.unit() if x.values.dtype == torch.uint8 else x
        if not x.values.is_floating_point() or not x.space:
            cause = f"this recipe changes numbers with sides, not {x.values.dtype} {list(x.values.shape)} ({x.kind!r})"
            raise UsageError(cause, "give the domain a recipe for this kind of data")
        numbers = range(self.views) if only is None else only
        known = {name: values.to("cpu", torch.float64) for name, values in (columns or {}).items()}
        return [self._view((x, *beside), seed, step, slots.cpu(), number, dict(known)) for number in numbers]

    def _view(
        self, inputs: tuple[Input, ...], seed: int, at: int, slots: Tensor, view: int, columns: dict[str, Tensor]
    ) -> View:
        emitted: dict[str, Tensor] = {}
        for operation, step in self._operations():
            missing = sorted(set(step.columns) - set(columns))
            if missing:
                cause = f"the view step {step.name!r} reads the column {missing[0]!r}, which isn't there"
                raise UsageError(cause, did_you_mean(missing[0], columns))
            drawn = step.parameters(Draws(seed, at, slots, view, operation), inputs[0].values.shape[1])
            device = inputs[0].device
            parameters = {name: values.to(device, non_blocking=True) for name, values in drawn.items()}
            inputs, numbers = step.apply(inputs, parameters, {name: columns[name] for name in step.columns})
            emitted.update(numbers)
            columns.update(numbers)
        return View(inputs[0], emitted, beside=inputs[1:])

    def _operations(self) -> Iterator[tuple[str, SequenceStep]]:
        """Each step with the key of its draws: its name, and ``noise 2`` for the second step named ``noise``."""
        counts: dict[str, int] = {}
        for step in self.steps:
            counts[step.name] = counts.get(step.name, 0) + 1
            yield (step.name if counts[step.name] == 1 else f"{step.name} {counts[step.name]}"), step

    def without(self, name: str) -> SequenceRecipe:
        """The recipe without the steps of that name; the other steps draw the same numbers as before.

        Raises:
            UsageError: When there is no such step.
        """
        names = [step.name for step in self.steps]
        if name not in names:
            raise UsageError(f"the recipe has no step {name!r}", did_you_mean(name, names))
        return replace(self, steps=tuple(step for step in self.steps if step.name != name))

    def variant(self, name: str) -> SequenceRecipe:
        """A variant of the recipe, for methods that compare views of several lengths (multi-crop, Caron et al. 2020).

        ``"global"`` is the recipe itself. In ``"local"``, a crop by share keeps from 5 % of a sample up to the smallest
        share of this recipe, and a crop by length keeps half of its length.

        Raises:
            UsageError: For another name, or when there is no crop to make shorter.
        """
        if name == "global":
            return self
        crops = [step for step in self.steps if isinstance(step, CropLength)]
        if name != "local" or not crops:
            cause = f"the recipe has no variant {name!r}"
            raise UsageError(cause, "known: global, and local for recipes with a crop")
        return replace(self, steps=tuple(_shorter(s) if isinstance(s, CropLength) else s for s in self.steps))

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        return {"views": self.views, "steps": [step.to_dict() for step in self.steps]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> SequenceRecipe:
        """The reverse of `to_dict`, for the built-in steps and those in ``known`` (a class by the step's name).

        Raises:
            UsageError: When a step is in neither. Nothing is imported by name.
        """
        classes = {**BUILT_IN, **(known or {})}
        steps = []
        for described in values["steps"]:
            if described["name"] not in classes:
                cause = f"the recipe's step {described['name']!r} isn't one of the built-in ones"
                raise UsageError(cause, "take the recipe from the domain's plugin")
            settings = {key: tuple(v) if isinstance(v, list) else v for key, v in described.items() if key != "name"}
            steps.append(classes[described["name"]](**settings))
        return cls(tuple(steps), int(values["views"]))


def _shorter(step: CropLength) -> CropLength:
    if step.length is not None:
        return replace(step, length=max(1, step.length // 2))
    return replace(step, share=(min(0.05, step.share[0]), max(step.share[0], 0.05)))
