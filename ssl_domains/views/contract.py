"""What the engine needs of a preprocess and of a recipe, which a kind of data brings beside its encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.inputs import Input, InputSpec, View

__all__ = ["Preprocess", "Recipe"]


@runtime_checkable
class Preprocess(Protocol):
    """From an array in native type and unit to what goes into the encoder. Recorded with a run.

    Must: what stands below. May: ``compact(array, facts)``, the same `Input` in a smaller type (uint8 for [0, 1] in
    steps of 1/255), which datasets keep; ``extend(table, store)``, a preprocess that also knows the groups of another
    table; ``require(table, store)``, which raises `DataError` for arrays that can't be taken, before any is read;
    ``beside``, how many further inputs it gives for each sample.

    Attributes:
        name: The name that `register_preprocess` knows it by.
        spec: Form of its inputs.
        columns: Columns of the table that it reads for each row.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def spec(self) -> InputSpec: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input | tuple[Input, ...]:
        """One array as a batch of one.

        Args:
            array: As the reader gives it.
            facts: Values of `columns` for this row.

        Returns:
            The input; where further inputs of the sample must move with it (label maps, block masks), a tuple with
            these behind it.

        Raises:
            DataError: When it can't be taken.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON values only."""
        ...


@runtime_checkable
class Recipe(Protocol):
    """Makes the views of a batch on its device.

    Attributes:
        views: Views of each sample.
        columns: Table numbers that it reads for each sample; missing values are NaN.
        emitted: Names of the numbers that views carry.
    """

    @property
    def views(self) -> int: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def emitted(self) -> tuple[str, ...]: ...  # noqa: D102

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
        """Views of some samples: a pure function of the input, (seed, step, slot, view) and the recipe.

        Args:
            x: The samples.
            *beside: Further inputs of the same samples that move with them.
            seed: Of the run.
            step: Global step.
            slots: int64 ``[B]`` on the CPU: the samples' places in the global batch.
            columns: What `columns` names, float64 ``[B]``.
            only: Numbers of the views to make; None for all.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        ...
