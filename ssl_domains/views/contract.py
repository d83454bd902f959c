"""Protocols of a preprocess and of a recipe, which each kind of data provides together with its encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.inputs import Input, InputSpec, View

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore
    from ssl_domains.views.canvas import Canvas

__all__ = ["MapPreprocess", "Preprocess", "PreprocessSource", "PreprocessToFit", "Recipe", "RowInputs"]


@runtime_checkable
class Preprocess(Protocol):
    """Turns an array in native type and unit into the encoder's input; recorded with a run.

    Must have the members below. May also have:

    - ``compact(array, facts)``: the same `Input` in a smaller type (uint8 for [0, 1] in steps of 1/255), which datasets
      keep in their cache;
    - ``loaded`` and ``finish(x)``, for a preprocess whose last part runs on the device, for whole batches: ``compact``
      then gives inputs of the form ``loaded``, which worker processes load and caches keep, and ``finish`` turns a
      batch of them into a batch of the form ``spec``. The two forms have different kinds, such as ``"wave"`` and
      ``"mel"``. ``finish`` draws no random numbers, and what it makes of a sample doesn't depend on padding or on
      other samples. A recipe gets the form ``loaded``; it may call ``finish`` in one of its steps, and views that it
      leaves in this form are finished by the engine;
    - ``extend(table, store)``: returns a preprocess that is also fitted on the groups of another table;
    - ``require(table, store)``: raises `DataError` when the encoder can't take some arrays, before any array is read;
    - ``stored_form(dtypes)``: the type of its compact inputs, whether some may have a mask, and whether all do;
    - ``may_read``: further columns, whose values it gets where the table has them;
    - ``settings``: values of the section ``[input]`` of the configuration, by name, that give this preprocess for every
      table; a run records them in the place of defaults that follow from its table. A declaration may have it too;
    - ``fitted``: lines on what it was fitted to, which are printed when a training starts;
    - ``shown(x)``: the picture ``[C, h, w]`` of a batch of one, for thumbnails; without it, the input itself is shown;
    - ``many(arrays, facts, valid)`` and ``takes_many(shape)``: the inputs of several arrays of one shape and type,
      ``[n, *shape]``, as one batch, with the facts of each; the same bits as those of ``compact`` (or of the call) one
      by one, joined. It is called where ``takes_many`` says yes to the shape: patches at the size of the input, for
      which most of the time would go to Python;
    - ``joined(arrays, facts)``: the inputs of several arrays of any shapes, all of data, as one batch, with the facts
      of each; the same bits as one by one, joined. A tokenizer takes many texts at a time in less time;
    - ``beside``: number of further inputs that it returns for each sample;
    - ``sides(shape)`` or ``sides(shape, facts)``: the sides of the input (of the form ``loaded``, where it has one)
      that it makes of an array of this shape in a row of these facts. Ragged inputs are cached only with it, or with
      ``longest``;
    - ``longest``: largest length of its inputs, which have one side and no mask, where the length follows from what
      the array holds: as many tokens of a text as are not cut;
    - a keyword ``valid`` of ``__call__`` (and of ``compact``): bool in the shape of the array, false where it holds no
      data; None for all data. Without it, those places are false in the result, which must have the array's sides;
    - the members of `MapPreprocess`, so that samples can have label maps.

    Attributes:
        name: Its name in the registry of `register_preprocess`.
        spec: Kind, channels and sides of the inputs that it returns.
        columns: Columns of the table that it reads for each row.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def spec(self) -> InputSpec: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input | tuple[Input, ...]:
        """Turn one array into a batch of one sample.

        Args:
            array: As the reader gives it.
            facts: Values of `columns` for this row.

        Returns:
            The input; or a tuple of the input and further inputs of the sample that need the same geometric changes,
            such as label maps and block masks.

        Raises:
            DataError: When the array doesn't fit, for instance by its number of channels.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """Settings and fitted values, as JSON values."""
        ...


@runtime_checkable
class MapPreprocess(Protocol):
    """A preprocess whose samples can have label maps: it says how the map of an array lies in it, and on the canvas.

    The label map of a sample, ``[H, W]``, is one plane of its array. Two axes of the array become rows and columns of
    the map; along every other axis, the plane is in the middle of the sample. A picture ``[H, W, C]`` has the axes
    ``(0, 1)``; a section along inlines of a volume ``[inline, crossline, sample]`` has ``(2, 1)``: time runs down the
    rows, crosslines run to the right. The preprocess stretches or fits this plane to the canvas, and doesn't mirror it.

    Attributes:
        canvas: The canvas that pictures, and with them their label maps, are resized to.
    """

    @property
    def canvas(self) -> Canvas: ...  # noqa: D102

    def map_axes(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int, int]:
        """Axes of an array that run down the rows, and along the columns, of its label map.

        Args:
            shape: Sides of the array.
            facts: Values of the columns that `Preprocess.columns` names, for this row.

        Raises:
            DataError: When the row doesn't say which axes these are.
        """
        ...


@runtime_checkable
class PreprocessToFit(Protocol):
    """The declaration of a preprocess that has to be fitted on the training rows, as `Scaling` is for pictures.

    May also have ``for_crop(side)``, as a `Preprocess` may: the same declaration for crops of this side in places of
    the array (``views.crop``), usually for inputs of this size.

    Attributes:
        spec: Kind, channels and sides of the inputs that the fitted preprocess returns.
    """

    @property
    def spec(self) -> InputSpec: ...  # noqa: D102

    def fit(self, table: SampleTable, store: ArrayStore) -> Preprocess:
        """Fit it on the training rows of a table, ``table.rows_of("train")``."""
        ...


PreprocessSource = Preprocess | PreprocessToFit
"""What a domain gives: a preprocess that is ready, or a declaration that is fitted on the training rows."""


class RowInputs(Protocol):
    """Gives further inputs of the rows of a table: label maps, for instance `ssl_domains.views.LabelMaps`.

    For views that show crops it must also have ``of_part(row, slices)``: the further input, ``[1, …]``, of the part of
    a row's array that a crop shows.
    """

    def __call__(self, rows: Tensor) -> Input:
        """The further inputs of some rows, ``[B, …]``.

        Args:
            rows: int64 ``[B]``, positions in the table.
        """
        ...


@runtime_checkable
class Recipe(Protocol):
    """Makes the views of a batch on its device.

    May also have an attribute ``crop``, a `ssl_domains.views.Crop`: the part of a large array that a view shows. It is
    drawn in the worker processes, and `views_of` gets only this part.

    Attributes:
        views: Number of views of each sample.
        columns: Numeric columns of the table that it reads for each sample; missing values are NaN.
        emitted: Names of the numbers that it records with each view, such as the area of a crop.
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
        """Make the views of some samples: a pure function of the input, (seed, step, slot, view) and the recipe.

        Args:
            x: The samples.
            *beside: Further inputs of the same samples, which get the same geometric changes.
            seed: Seed of the run.
            step: Global step.
            slots: int64 ``[B]`` on the CPU: the samples' places in the global batch.
            columns: Values of the columns that `columns` names, float64 ``[B]`` each.
            only: Numbers of the views to make; None for all.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        ...
