"""The sample table: one row for each sample, which all later stages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples.tables.types import usual_types

__all__ = ["SampleTable", "TableMeta", "as_frame"]


@dataclass(frozen=True)
class TableMeta:
    """Metadata of a table: the scan that made it. It stands in the Parquet file's metadata and in a sidecar beside it.

    Attributes:
        domain: Name of the domain that scanned it; empty for a table that was made otherwise.
        identifiers: Columns that hold keyed hashes of personal identifiers.
        options: Scan options, JSON values only.
        key: Fingerprint of the key that hashed the identifiers (`IdentifierKey.fingerprint`); empty without
            identifiers, and in tables whose ids also depended on the scanned folder.
        columns: Name → type of the columns that the reader's scan made; the others were joined later. Empty when that
            is not known.
        whole_groups: Columns of groups that are one recording, as the domain names them.
    """

    domain: str = ""
    identifiers: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    whole_groups: tuple[str, ...] = ()

    @property
    def group(self) -> str | None:
        """Column whose groups the split keeps whole (``scan --split-by``); None when that is not known."""
        recorded = self.options.get("split_by")
        return recorded if isinstance(recorded, str) else None

    @property
    def old_identifiers(self) -> bool:
        """Whether the identifiers were hashed by an earlier version, whose ids also depended on the scanned folder."""
        return bool(self.identifiers) and not self.key

    def made_by_reader(self, column: str) -> bool:
        """Whether a column comes from the reader's scan, and not from a joined table; true where that is not known."""
        return not self.columns or column in self.columns


@dataclass(frozen=True)
class SampleTable:
    """A polars frame with a unique, non-null string column ``sample``, and its `TableMeta`.

    Most tables also have ``path``. ``split`` is ``"train"``, ``"test"`` or null; training reads only
    the rows of ``"train"``.

    Raises:
        DataError: When ``sample`` has nulls or repeats.
    """

    frame: pl.DataFrame
    meta: TableMeta = field(default_factory=TableMeta)

    def __post_init__(self) -> None:
        if "sample" not in self.frame.columns:
            raise DataError("the sample table has no column 'sample'", "SampleTable.of(frame) adds one")
        ids = self.frame["sample"]
        if ids.null_count():
            raise DataError(
                f"{plural(ids.null_count(), 'row has', 'rows have')} no sample id", "fill the column 'sample'"
            )
        if ids.n_unique() != len(ids):
            twice = ids.filter(ids.is_duplicated())[0]
            hint = "a sample has one row: remove the others, in polars with frame.unique('sample', maintain_order=True)"
            raise DataError(f"sample id {twice!r} appears more than once", hint)

    @classmethod
    def of(cls, data: Any, meta: TableMeta | None = None) -> SampleTable:
        """Make a table from a polars or pandas frame, a mapping of columns, or a `SampleTable`.

        Without a column ``sample``, the row number is the id.
        """
        if isinstance(data, SampleTable):
            return data
        frame = as_frame(data)
        if "sample" not in frame.columns:
            frame = frame.with_row_index("sample")
        if frame.schema["sample"] != pl.String:
            frame = frame.with_columns(pl.col("sample").cast(pl.String))
        return cls(frame, meta or TableMeta())

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return self.frame.columns

    def column(self, name: str) -> pl.Series:
        """The named column.

        Raises:
            UsageError: When there is no such column, with the nearest name as a hint.
        """
        if name not in self.frame.columns:
            raise UsageError(f"the sample table has no column {name!r}", did_you_mean(name, self.columns))
        return self.frame[name]

    def label(self, name: str) -> pl.Series:
        """The named column, which a user's own table of labels may add.

        Raises:
            UsageError: When there is no such column; the hint says how labels are joined.
        """
        try:
            return self.column(name)
        except UsageError as error:
            joined = "labels of your own are added by `ssl-domains tables join TABLE LABELS --on COLUMN`"
            raise UsageError(error.message, f"{error.hint}; {joined}") from None

    def text(self, name: str) -> pl.Series:
        """The named column as text, null where it is missing.

        Raises:
            UsageError: When the column is missing, or holds lists.
        """
        column = self.column(name)
        if column.dtype.is_nested():
            raise UsageError(f"column {name!r} holds lists, not one value a row", "give a column of single values")
        return column.cast(pl.String)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """The named column as float64 ``[n]``, NaN where missing; dates count days.

        Raises:
            UsageError: When the column is missing or holds no numbers.
        """
        column = self.column(name)
        if column.dtype == pl.Date:
            column = column.cast(pl.Int32)
        elif isinstance(column.dtype, pl.Datetime):
            column = column.dt.epoch("us") / 86_400e6
        elif not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
            raise UsageError(f"column {name!r} holds {column.dtype}, not numbers", "use same() for text columns")
        return column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)

    def codes(self, name: str) -> NDArray[np.int64]:
        """The named column as integer codes ``[n]``: equal values have equal codes; −1 for missing (null or NaN)."""
        column = self.column(name)
        if column.dtype.is_nested():
            raise UsageError(f"column {name!r} holds lists, which same() can't compare", f"use overlap({name!r})")
        if column.dtype.is_float():
            column = column.fill_nan(None)
        ranks = column.rank("dense").cast(pl.Int64) - 1
        return ranks.fill_null(-1).to_numpy().astype(np.int64)

    def take(self, rows: NDArray[Any] | Sequence[int] | pl.Series) -> SampleTable:
        """A table of the rows at integer positions, or where a boolean mask is true."""
        chosen = np.asarray(rows)
        if chosen.dtype == np.bool_:
            if len(chosen) == len(self) and chosen.all():
                return self  # a copy of a million rows takes 150 MB
            chosen = np.flatnonzero(chosen)
        return replace(self, frame=self.frame[chosen.astype(np.int64)])

    def with_columns(self, **columns: Any) -> SampleTable:
        """A table with columns added or replaced; arrays and sequences must have ``len(self)`` values."""
        series = [pl.Series(name, values) for name, values in columns.items()]
        return replace(self, frame=self.frame.with_columns(series))

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """Positions of the rows whose ``split`` is the given one; every row when there is no such column.

        Raises:
            DataError: When ``split`` holds numbers, dates or lists.
        """
        if "split" not in self.frame.columns:
            return np.arange(len(self), dtype=np.int64)
        column = self.frame["split"]
        if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
            hint = "give it the values train and test, or another name"
            raise DataError(f"the column 'split' holds {column.dtype}, not the names of sides", hint)
        return np.flatnonzero((column.cast(pl.String) == split).fill_null(False).to_numpy())


def as_frame(data: Any) -> pl.DataFrame:
    """A polars or pandas frame, or a mapping of columns, as polars.

    Raises:
        UsageError: When the data is none of these.
    """
    if isinstance(data, pl.DataFrame):
        return usual_types(data)
    return usual_types(pl.DataFrame(dict(data), strict=False) if isinstance(data, Mapping) else _from_pandas(data))


def _from_pandas(data: Any) -> pl.DataFrame:
    """A pandas frame as polars, without the package pyarrow that `polars.from_pandas` needs for text columns."""
    if not hasattr(data, "columns"):
        raise UsageError(f"{type(data).__name__} is no table", "hand over a frame or a mapping of columns")
    columns = []
    for name in data.columns:
        column = data[name]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufMm":
            values = column.to_numpy()
        else:
            values = column.astype(object).where(column.notna(), None).tolist()
        columns.append(pl.Series(str(name), values, strict=False, nan_to_null=True))
    return pl.DataFrame(columns)
