"""The augmentation recipe of signals, and of other inputs with any number of sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views.crops import Crop, crop_from_dict, crop_to_dict
from ssl_domains.views.draws import Draws
from ssl_domains.views.recipe_steps import keyed, require_columns, steps_from, without_step
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
        crop: Chooses the part of a large array that a view shows, before the preprocess and the steps; None for the
            whole. In contrast to the step `CropLength`, only this part is read from the store.

    Raises:
        UsageError: Without any view.
    """

    steps: tuple[SequenceStep, ...]
    views: int = 2
    crop: Crop | None = None

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
        flags: dict[str, Tensor] = {}
        for operation, step in keyed(self.steps):
            require_columns(step, columns)
            drawn = step.parameters(Draws(seed, at, slots, view, operation), inputs[0].values.shape[1])
            device = inputs[0].device
            parameters = {name: values.to(device, non_blocking=True) for name, values in drawn.items()}
            inputs, numbers = step.apply(inputs, parameters, {name: columns[name] for name in step.columns})
            emitted.update(numbers)
            columns.update(numbers)
            if hasattr(step, "flags"):
                flags.update(step.flags(inputs[0]))
        return View(inputs[0], emitted, beside=inputs[1:], flags=flags)

    def without(self, name: str) -> SequenceRecipe:
        """The recipe without the steps of that name; the other steps draw the same numbers as before.

        Raises:
            UsageError: When there is no such step.
        """
        return replace(self, steps=without_step(self.steps, name))

    def variant(self, name: str, size: int | None = None) -> SequenceRecipe:
        """A variant of the recipe, for methods that compare views of several lengths (multi-crop, Caron et al. 2020).

        ``"global"`` is the recipe itself. In ``"local"``, a crop by share keeps from 5 % of a sample up to the smallest
        share of this recipe, and a crop by length keeps half of its length.

        Args:
            name: Name of the variant.
            size: Length of the crops of ``"local"`` in places; None for the above.

        Raises:
            UsageError: For another name, a length above that of this recipe, or when there is no crop to make shorter.
        """
        if name == "global":
            return self
        crops = [step for step in self.steps if isinstance(step, CropLength)]
        if name != "local" or not crops:
            cause = f"the recipe has no variant {name!r}"
            raise UsageError(cause, "known: global, and local for recipes with a crop")
        return replace(self, steps=tuple(_shorter(s, size) if isinstance(s, CropLength) else s for s in self.steps))

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        made = {"views": self.views, "steps": [step.to_dict() for step in self.steps]}
        return made if self.crop is None else {**made, "crop": crop_to_dict(self.crop)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> SequenceRecipe:
        """The reverse of `to_dict`, for the built-in steps and those in ``known`` (a class by the step's name).

        Raises:
            UsageError: When a step is in neither. Nothing is imported by name.
        """
        crop = crop_from_dict(values["crop"]) if "crop" in values else None
        return cls(steps_from(values["steps"], {**BUILT_IN, **(known or {})}), int(values["views"]), crop)


def _shorter(step: CropLength, size: int | None) -> CropLength:
    if size is not None:
        if step.length is not None and size > step.length:
            cause = f"local crops of {size} places are longer than those of the recipe, {step.length}"
            raise UsageError(cause, "make the local crops shorter")
        return replace(step, length=size)
    if step.length is not None:
        return replace(step, length=max(1, step.length // 2))
    return replace(step, share=(min(0.05, step.share[0]), max(step.share[0], 0.05)))
