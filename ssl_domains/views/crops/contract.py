"""Protocol of a crop, and what a recipe with a crop emits and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from ssl_domains.views.contract import Recipe
from ssl_domains.views.crops.registry import crop_to_dict
from ssl_domains.views.draws import Draws

__all__ = ["Crop", "crop_of", "emitted_names", "recipe_to_dict", "replaced_names"]


@runtime_checkable
class Crop(Protocol):
    """Chooses the part of a sample's array that a view shows; stateless and picklable.

    A recipe has a crop as its optional attribute ``crop``. The crop is placed in a worker process, once for each slot
    and view, and only this part of the array is read and preprocessed.

    Must have the members below. May also have:

    - ``centre(shape, facts)``: returns the slices that are shown at evaluation to an encoder of a fixed size. Without
      it, they are as long as those that `place` gives, and centred;
    - ``place_many(draws, shapes, facts)`` and ``emit_many(starts, stops, facts)``: the same as `place` and `emit` for
      all slots of a batch, to the same bits, in arrays: shapes int64 ``[n, rank]`` and facts float64 ``[n]`` by name
      come in, starts and stops int64 ``[n, rank]`` and emitted numbers float64 ``[n]`` by name go out;
    - ``numbers(table)``: returns further numbers of the rows that no column holds, name → float64 ``[n]``, such as the
      distance of two places in metres. It is called once for the rows of a training; `place` and `emit` then find them
      among their facts.

    Attributes:
        name: Its name in the registry of `register_crop`.
        columns: Numeric columns of the table that it reads for each row; missing values are NaN.
        emitted: Names of the numbers that it records with each view, usually the crop's origin in physical units. Rules
            read them like columns, and in the place of columns of the same names.
        shared: Whether all views of a slot use the same random numbers, so that the views of a sample show the same
            part of it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def emitted(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def shared(self) -> bool: ...  # noqa: D102

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        """Choose the part: a pure function of the random numbers, the shape and the facts.

        Args:
            draws: Random numbers of one slot: ``draws.uniform(n)`` is ``[1, n]``.
            shape: Sides of the sample's array.
            facts: Values of `columns` for this row, and in a training those of ``numbers``.

        Returns:
            One slice for each axis, with start and stop inside the array and without a step.
        """
        ...

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> Mapping[str, float]:
        """The numbers named by `emitted`, for a crop that was placed; NaN where a number is unknown."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        ...


def crop_of(recipe: Recipe) -> Crop | None:
    """The crop of a recipe; None when it has none."""
    crop: Crop | None = getattr(recipe, "crop", None)
    return crop


def emitted_names(recipe: Recipe) -> tuple[str, ...]:
    """Names of all numbers that are recorded with a view: those of the recipe's crop, then those of the recipe."""
    crop = crop_of(recipe)
    return tuple(dict.fromkeys((*(crop.emitted if crop is not None else ()), *recipe.emitted)))


def replaced_names(recipe: Recipe) -> tuple[str, ...]:
    """Numbers of a recipe that stand for the columns of their names: the place of a crop for that of its sample."""
    crop = crop_of(recipe)
    return () if crop is None else tuple(crop.emitted)


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """All settings of a recipe as JSON values, with those of its crop as ``crop``."""
    crop = crop_of(recipe)
    return recipe.to_dict() if crop is None else {**recipe.to_dict(), "crop": crop_to_dict(crop)}
