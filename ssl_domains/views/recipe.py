"""The augmentation recipe of a domain: the steps that make a view of a picture, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views.crops import Crop, crop_from_dict, crop_to_dict
from ssl_domains.views.draws import Draws
from ssl_domains.views.geometry import PlannedStep, move, places, runs_of
from ssl_domains.views.recipe_steps import keyed, require_columns, steps_from, without_step
from ssl_domains.views.steps import (
    Blur,
    ColorJitter,
    Geometric,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewStep,
    nearest,
)

__all__ = ["ViewRecipe", "Viewed"]

BUILT_IN: dict[str, Any] = {
    step.name: step
    for step in (RandomResizedCrop, HorizontalFlip, VerticalFlip, Rotate, Intensity, ColorJitter, Blur, Noise)
}


@dataclass(frozen=True)
class Viewed:
    """One view of a batch (or, from `ViewRecipe.cpu_view`, of one picture).

    Attributes:
        images: float32 ``[B, C, S, S]`` in [0, 1].
        mask: bool ``[B, 1, S, S]``, false where there is padding or no data; None where all is data. Where it is false,
            the picture holds its reflection, or the augmented values of missing data.
        emitted: Numbers recorded with this view (such as ``crop_area``), float64 ``[B]`` on the CPU, by name.
    """

    images: Tensor
    mask: Tensor | None
    emitted: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class ViewRecipe:
    """Augmentation steps in the order they are applied. Neighbouring geometric steps become one interpolation.

    A view is a pure function of the canvas, (seed, step, slot, view) and the recipe. It doesn't depend on the number of
    workers, the rank, the device or the other samples of the batch. Random numbers are keyed by a step's name, so the
    other steps draw the same numbers when one step is removed.

    Attributes:
        steps: The steps, first to last.
        size: Side of the views in pixels; canvases may be larger, if a geometric step comes first.
        views: Number of views of each sample.
        crop: Chooses the part of a large array that a view shows, before the preprocess and the steps; None for the
            whole array.

    Raises:
        UsageError: Without any view, or with a size below 1.
    """

    steps: tuple[ViewStep, ...]
    size: int
    views: int = 2
    crop: Crop | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.views < 1 or self.size < 1:
            raise UsageError(f"a recipe of {self.views} views of {self.size} pixels", "both must be at least 1")

    @property
    def columns(self) -> tuple[str, ...]:
        """Numeric columns of the table that the steps read, but for numbers that an earlier step emits."""
        return self._numbers()[0]

    @property
    def emitted(self) -> tuple[str, ...]:
        """Names of the numbers that the steps record with each view; a rule can read them like columns."""
        return self._numbers()[1]

    def _numbers(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        # The names that a step emits are known only from its result, so each step is run for one sample of NaNs.
        unknown, slot = torch.full((1,), torch.nan, dtype=torch.float64), torch.zeros(1, dtype=torch.int64)
        read: dict[str, None] = {}
        emitted: dict[str, None] = {}
        for operation, step in keyed(self.steps):
            read.update((name, None) for name in step.columns if name not in emitted)
            parameters = step.parameters(Draws(0, 0, slot, 0, operation), self.size)
            emitted.update((name, None) for name in step.emits(parameters, dict.fromkeys(step.columns, unknown)))
        return tuple(read), tuple(emitted)

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
        """Make the views of pictures; called by the engine, see `Recipe.views_of`.

        Args:
            x: Pictures, values ``[B, C, S, S]``.
            *beside: Label maps or block masks, values ``[B, 1, S, S]``. They get the same geometric steps as the
                pictures, by the nearest pixel, and hold their ``pad`` where a view shows no pixel of the picture.
            seed: Seed of the run.
            step: Global step.
            slots: int64 ``[B]``.
            columns: Values of the columns that `columns` names, float64 ``[B]`` each.
            only: Numbers of the views to make; None for all.

        Raises:
            UsageError: When the input isn't a batch of square pictures.
        """
        if x.values.ndim != 4 or x.space[0] != x.space[1]:
            cause = f"this recipe changes square pictures, not inputs {list(x.values.shape)} of kind {x.kind!r}"
            raise UsageError(cause, "give the domain a recipe for this kind of data")
        made = self.device_views(x.values, x.valid, seed=seed, step=step, slots=slots, columns=columns, only=only)
        numbers = range(self.views) if only is None else only
        views = []
        for number, one in zip(numbers, made, strict=True):
            moved = tuple(self._carry(input_, seed, step, slots, number, dict(columns or {})) for input_ in beside)
            views.append(View(Input(one.images, one.mask, x.kind), one.emitted, beside=moved))
        return views

    def _carry(self, x: Input, seed: int, at: int, slots: Tensor, view: int, columns: dict[str, Tensor]) -> Input:
        """Apply the geometric steps of a view to a further input of the same samples, by the nearest pixel."""
        values, valid = x.values, x.with_valid()
        planned, _ = self._plan(values.shape[-1], seed, at, slots.cpu(), view, columns)
        for geometric, steps in runs_of(planned, x.device):
            if geometric:
                column, row, inside = places(values.shape[-1], x.device, steps, self.size)
                values, valid = nearest(values, valid, column, row, size=self.size, pad=x.pad, inside=inside)
        return replace(x, values=values, valid=valid)

    def device_views(
        self,
        images: Tensor,
        mask: Tensor | None = None,
        *,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[Viewed]:
        """Make all views of a batch, on the device of the batch.

        Args:
            images: float32 in [0, 1] or uint8, ``[B, C, S, S]``, finite also where the mask is false. Padding gets the
                same steps as the picture; it is never set to a constant.
            mask: bool ``[B, 1, S, S]``, false where there is padding or no data; None for all data.
            seed: Seed of the run.
            step: Global step.
            slots: int64 ``[B]``: the samples' places in the global batch. Slots that are not on the CPU cost a wait for
                the device.
            columns: Values of the columns that `columns` names, float64 ``[B]`` each.
            only: Numbers of the views to make; None for all.

        Raises:
            UsageError: When a column is missing, or a step refuses the number of channels.
        """
        if images.dtype == torch.uint8:
            images = images.to(torch.float32) / 255
        return [
            self._view(images, mask, seed, step, slots.cpu(), view, dict(columns or {}))
            for view in (range(self.views) if only is None else only)
        ]

    def _view(
        self,
        images: Tensor,
        mask: Tensor | None,
        seed: int,
        at: int,
        slots: Tensor,
        view: int,
        columns: dict[str, Tensor],
    ) -> Viewed:
        planned, emitted = self._plan(images.shape[-1], seed, at, slots, view, columns)
        for geometric, steps in runs_of(planned, images.device):
            if geometric:
                images, mask = move(images, mask, steps, self.size)
                continue
            for one in steps:
                images, mask = one.step.device(images, mask, one.parameters, one.columns)
        if images.shape[-1] != self.size:
            raise UsageError(
                f"views have {images.shape[-1]} pixels, the recipe says {self.size}",
                "make the canvas as large as the views, or start the recipe with a crop",
            )
        return Viewed(images, mask, emitted)

    def _plan(
        self, size: int, seed: int, at: int, slots: Tensor, view: int, columns: dict[str, Tensor]
    ) -> tuple[list[PlannedStep], dict[str, Tensor]]:
        """Each step with its parameters and columns, on the CPU, and the numbers that the view emits.

        Parameters are computed on the CPU, because functions such as the logarithm differ between devices in the last
        bit.
        """
        planned, emitted = [], {}
        for operation, step in keyed(self.steps):
            require_columns(step, columns)
            values = {name: columns[name].to("cpu", torch.float64) for name in step.columns}
            parameters = step.parameters(Draws(seed, at, slots, view, operation), size)
            numbers = step.emits(parameters, values)
            emitted.update(numbers)
            columns.update(numbers)
            planned.append(PlannedStep(step, parameters, values))
            if isinstance(step, Geometric):
                size = self.size
        return planned, emitted

    def cpu_view(
        self,
        image: NDArray[np.float32],
        mask: NDArray[np.bool_] | None = None,
        *,
        seed: int,
        step: int,
        slot: int,
        view: int = 0,
        columns: Mapping[str, float] | None = None,
    ) -> Viewed:
        """Make one view of one picture with each step's ``cpu``: for figures, and as the reference in tests.

        Equal to `device_views` up to interpolation: here each geometric step interpolates on its own.

        Args:
            image: float32 ``[S, S, C]`` in [0, 1], S the size of the views.
            mask: bool ``[S, S]`` or None.
            seed: Seed of the run.
            step: Global step.
            slot: The sample's place in the global batch.
            view: Number of the view.
            columns: Values of the columns that `columns` names.

        Returns:
            A batch of one.
        """
        given = {name: torch.tensor([value], dtype=torch.float64) for name, value in (columns or {}).items()}
        planned, emitted = self._plan(image.shape[0], seed, step, torch.tensor([slot]), view, given)
        valid = None if mask is None else torch.from_numpy(mask)[None, None]
        for one in planned:
            parameters = {name: value[0].item() for name, value in one.parameters.items()}
            row = {name: float(value[0]) for name, value in one.columns.items()}
            image = one.step.cpu(image, parameters, row)
            if isinstance(one.step, Geometric) and (valid is not None or one.step.exposes):
                # `cpu` gives no mask for the places that it fills by reflection, so `source` gives it.
                nothing = torch.zeros((1, 1, *image.shape[:2]))
                _, valid = one.step.device(nothing, valid, one.parameters, one.columns)
        images = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        return Viewed(images, valid, emitted)

    def without(self, name: str) -> ViewRecipe:
        """The recipe without the steps of that name; the other steps draw the same numbers as before.

        Raises:
            UsageError: When there is no such step.
        """
        return replace(self, steps=without_step(self.steps, name))

    def variant(self, name: str, size: int | None = None) -> ViewRecipe:
        """A variant of the recipe, for methods that compare views of several sizes (multi-crop, Caron et al. 2020).

        ``"global"`` is the recipe itself. The crops of ``"local"`` cover from 5 % of the picture up to the smallest
        area of this recipe's crops.

        Args:
            name: Name of the variant.
            size: Side of its views in pixels; None for half the side of this recipe.

        Raises:
            UsageError: For another name, a size above that of this recipe, or when there is no crop to make smaller.
        """
        if name == "global":
            return self
        crops = [step for step in self.steps if isinstance(step, RandomResizedCrop)]
        if name != "local" or not crops:
            cause = f"the recipe has no variant {name!r}"
            raise UsageError(cause, "known: global, and local for recipes with a crop")
        steps = tuple(
            replace(step, scale=(min(0.05, step.scale[0]), max(step.scale[0], 0.05))) if step in crops else step
            for step in self.steps
        )
        if size is not None and size > self.size:
            cause = f"local crops of {size} pixels are larger than the canvas of {self.size}"
            raise UsageError(cause, f"make the canvas larger: --set views.size={2 * size}, or the local crops smaller")
        return replace(self, steps=steps, size=max(1, self.size // 2) if size is None else size)

    def rows(self) -> list[tuple[str, str, str]]:
        """(step, settings, reason) of each step, for a table."""
        rows = []
        for step in self.steps:
            settings = {key: value for key, value in step.to_dict().items() if key not in ("name", "reason")}
            rows.append(
                (step.name, ", ".join(f"{key} {_short(value)}" for key, value in settings.items()), step.reason)
            )
        return rows

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        steps = [step.to_dict() for step in self.steps]
        made = {"size": self.size, "views": self.views, "outside": "reflected", "steps": steps}
        return made if self.crop is None else {**made, "crop": crop_to_dict(self.crop)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> ViewRecipe:
        """The reverse of `to_dict`, for the built-in steps and those in ``known`` (a class by the step's name).

        Raises:
            UsageError: When a step is in neither. Nothing is imported by name.
        """
        steps = steps_from(values["steps"], {**BUILT_IN, **(known or {})})
        crop = crop_from_dict(values["crop"]) if "crop" in values else None
        return cls(steps, int(values["size"]), int(values["views"]), crop)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return " to ".join(_short(item) for item in value)
    return str(value)
