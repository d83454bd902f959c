"""Columns and edge tables that a method computes while training, and replaces at every refresh.

A method that clusters its embeddings or mines neighbours has an objective such as ``same("cluster")`` or
``linked("mined")``, and replaces the column or edge table of that name between two epochs::

    binding = Binding.of(objective, table, fitted, columns=("cluster",), edges=("mined",))
    sampler = BatchSampler(binding.bound, composition, 256, seed=0)
    ...
    binding.refresh(columns={"cluster": codes}, edges={"mined": edges_between(table, i, j, similarity)})
    sampler.rebind(binding.bound)             # for the epochs planned from now on
    batch = binding.bound.pairs(rows)         # for the loss
    ...
    checkpoint["computed"] = binding.computed.to_state()          # tensors and plain values: weights_only=True
    binding.restore(Computed.from_state(checkpoint["computed"]))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.samples import SampleTable

__all__ = ["Binding", "Computed", "edges_between"]

_EDGES = {"a": pl.String, "b": pl.String, "grade": pl.Float64}


@dataclass(frozen=True, eq=False)
class Computed:
    """The computed columns and edge tables of one version; never changed in place.

    Attributes:
        columns: By name, int64 codes (negative: missing) or float64 numbers (NaN: missing) ``[size]``.
        edges: By name, frames with the columns that the rule's `linked` reads, usually ``a``, ``b`` and ``grade``.
        version: Number of refreshes; 0 before the first one.
    """

    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    edges: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def nothing(cls, size: int, columns: Sequence[str] = (), edges: Sequence[str] = ()) -> Computed:
        """The version before the first refresh: columns of ``size`` missing values, edge tables without edges."""
        return cls(
            {name: np.full(size, -1, dtype=np.int64) for name in columns},
            {name: pl.DataFrame(schema=_EDGES) for name in edges},
        )

    def rewritten(self, columns: Mapping[str, Any] | None = None, edges: Mapping[str, Any] | None = None) -> Computed:
        """The next version, in which the given columns and tables replace those of the same name.

        Raises:
            UsageError: When a name was not declared, or a column does not hold numbers.
        """
        new_columns = {name: _values(name, values) for name, values in (columns or {}).items()}
        new_edges = {name: _frame(values) for name, values in (edges or {}).items()}
        for replaced, declared in ((new_columns, self.columns), (new_edges, self.edges)):
            for name in replaced:
                if name not in declared:
                    raise UsageError(f"nothing computed is named {name!r}", did_you_mean(name, declared))
        return Computed({**self.columns, **new_columns}, {**self.edges, **new_edges}, self.version + 1)

    def table(self, table: SampleTable) -> SampleTable:
        """The table with the computed columns; missing codes and numbers become nulls.

        Raises:
            DataError: When a column has another length than the table.
        """
        series = {}
        for name, values in self.columns.items():
            if len(values) != len(table):
                message = f"the computed column {name!r} has {len(values)} values for {len(table)} rows"
                raise DataError(message, "compute one value for each row of the table, in its order")
            column = pl.Series(name, values)
            series[name] = column.set(column < 0, None) if values.dtype == np.int64 else column.fill_nan(None)
        return table.with_columns(**series)

    def to_state(self) -> dict[str, Any]:
        """The state for a checkpoint loaded with ``weights_only=True``: tensors, text and whole numbers only."""
        return {
            "version": self.version,
            "columns": {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in self.columns.items()},
            "edges": {name: _packed(frame) for name, frame in self.edges.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Computed:
        """The version that `to_state` was called on."""
        return cls(
            {name: values.cpu().numpy() for name, values in state["columns"].items()},
            {name: _unpacked(columns) for name, columns in state["edges"].items()},
            int(state["version"]),
        )


@dataclass(eq=False)
class Binding:
    """An objective, its table, and the computed columns and edges; it is bound again at each refresh.

    Attributes:
        objective: The rule; it names computed columns in `same` or `within`, computed edge tables in `linked`.
        base: The table without computed columns.
        fitted: Bin edges, fitted once. No edges are fitted on a computed column: its bins need ``range=`` or ``per=``.
        emitted: Names of numbers that views emit.
        computed: The current version.
        bound: The objective over ``base`` and ``computed``, for sampler and loss.
    """

    objective: Objective
    base: SampleTable
    fitted: Mapping[str, Sequence[float]] | None
    emitted: tuple[str, ...]
    computed: Computed
    bound: BoundObjective

    @classmethod
    def of(
        cls,
        objective: Objective | Rule,
        data: Any,
        fitted: Mapping[str, Sequence[float]] | None = None,
        *,
        columns: Sequence[str] = (),
        edges: Sequence[str] = (),
        emitted: Sequence[str] = (),
    ) -> Binding:
        """Bind before the first refresh: the named columns hold missing values, the named edge tables are empty.

        Args:
            objective: The rule.
            data: `SampleTable`, polars or pandas frame, or mapping of columns.
            fitted: As in `Objective.bind`.
            columns: Names of the columns that will be computed.
            edges: Names of the edge tables that will be computed.
            emitted: As in `Objective.bind`.

        Raises:
            UsageError: When the table has a column of that name already, or the objective can't be bound.
        """
        table = SampleTable.of(data)
        for name in columns:
            if name in table.columns:
                raise UsageError(f"the table has a column {name!r}, which is to be computed", "rename one of them")
        objective = Objective.of(objective)
        computed = Computed.nothing(len(table), columns, edges)
        bound = _bind(objective, table, fitted, tuple(emitted), computed)
        return cls(objective, table, fitted, tuple(emitted), computed, bound)

    @property
    def table(self) -> SampleTable:
        """The table with the current computed columns."""
        return self.computed.table(self.base)

    def refresh(
        self, *, columns: Mapping[str, Any] | None = None, edges: Mapping[str, Any] | None = None
    ) -> BoundObjective:
        """Replace columns or edge tables and bind again; when that fails, nothing changes.

        Args:
            columns: Codes (negative: missing) or numbers (NaN: missing) ``[size]`` by name: arrays or tensors.
            edges: Frames by name, see `edges_between`.

        Returns:
            The new ``bound``: the same as a first bind to these columns and edges.

        Raises:
            UsageError: When a name was not declared.
            DataError: When a column's length is wrong.
        """
        return self.restore(self.computed.rewritten(columns, edges))

    def restore(self, computed: Computed) -> BoundObjective:
        """Bind to a version from a checkpoint, see `Computed.from_state`."""
        self.bound = _bind(self.objective, self.base, self.fitted, self.emitted, computed)
        self.computed = computed
        return self.bound


def edges_between(data: SampleTable, a: Any, b: Any, grade: Any | None = None, key: str = "sample") -> pl.DataFrame:
    """An edge table for `linked` from positions of rows.

    Args:
        data: The table that the objective is bound to.
        a: Positions ``[n]``, array or tensor.
        b: Positions ``[n]``.
        grade: Weights ``[n]``, at most 0 for no edge; None for 1.
        key: Column by which the rule's `linked` matches.
    """
    ids = data.column(key)
    i, j = (np.asarray(_array(side), dtype=np.int64) for side in (a, b))
    weights = np.ones(len(i)) if grade is None else np.asarray(_array(grade), dtype=np.float64)
    return pl.DataFrame({"a": ids.gather(i), "b": ids.gather(j), "grade": weights})


def _bind(
    objective: Objective,
    table: SampleTable,
    fitted: Mapping[str, Sequence[float]] | None,
    emitted: tuple[str, ...],
    computed: Computed,
) -> BoundObjective:
    edges: dict[str, Any] = {"edges": computed.edges} if computed.edges else {}
    return objective.bind(computed.table(table), fitted, emitted=emitted, **edges)


def _array(values: Any) -> NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _values(name: str, values: Any) -> NDArray[Any]:
    """The values as a new int64 or float64 array ``[n]``, which later changes of the caller's array don't reach."""
    array = _array(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        shown = f"{array.dtype} of {array.ndim} dimensions"
        raise UsageError(f"the computed column {name!r} is {shown}", "compute one number a row")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def _frame(values: Any) -> pl.DataFrame:
    return values if isinstance(values, pl.DataFrame) else pl.DataFrame(values)


def _packed(frame: pl.DataFrame) -> dict[str, Any]:
    """Columns as tensors; a text column as its bytes and the start of each value."""
    packed: dict[str, Any] = {}
    for column in frame:
        if column.dtype == pl.String:
            encoded = [value.encode() for value in column.to_list()]
            starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
            text = np.frombuffer(b"".join(encoded), dtype=np.uint8).copy()
            packed[column.name] = {"text": torch.from_numpy(text), "starts": torch.from_numpy(starts)}
        else:
            packed[column.name] = torch.from_numpy(column.to_numpy().copy())
    return packed


def _unpacked(columns: Mapping[str, Any]) -> pl.DataFrame:
    series: dict[str, Any] = {}
    for name, values in columns.items():
        if isinstance(values, torch.Tensor):
            series[name] = pl.Series(name, values.cpu().numpy())
        else:
            text, starts = values["text"].cpu().numpy().tobytes(), values["starts"].tolist()
            pieces = [text[a:b].decode() for a, b in pairwise(starts)]
            series[name] = pl.Series(name, pieces, dtype=pl.String)
    return pl.DataFrame(series)
