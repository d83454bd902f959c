"""From native unit to [0, 1]: by window for CT, by volume for MR, by type for 8-bit data and pictures."""

from __future__ import annotations

import polars as pl

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.views import Scaling

__all__ = ["CT_WINDOW", "scaled_by", "scaling_for"]

CT_WINDOW = (-1000.0, 1000.0)  # air to dense bone, HU: no anatomy is known here, so nothing of the body is cut off

_COLUMN = "scaled_by"
_HOUNSFIELD, _TYPE, _VOLUME = "hounsfield", "type", "volume"


def scaled_by(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the column ``scaled_by`` to scanned rows: what the window of a row is.

    - ``hounsfield``: DICOM of modality CT. Hounsfield units mean the same everywhere: one fixed window.
    - ``type``: pictures, 8-bit colours, and data that is 8-bit in all rows of its reader and modality (OCT,
      ultrasound): the range of the type.
    - ``volume``: everything else (MR, PET, radiographs, NIfTI), which has no unit: the percentiles of each volume.
      Without that, the scale alone would give the volume away.

    The column is written by every scan and never null, so that no joined table can change the scaling.
    """
    modality = pl.col("modality") if "modality" in frame.columns else pl.lit(None, pl.String)
    kind = frame.with_columns(modality.alias("modality")).select("reader", "modality", "dtype", "channels")
    eight_bit = (pl.col("dtype") == "uint8").all().over("reader", "modality")
    colour = (pl.col("dtype") == "uint8") & (pl.col("channels") == 3)
    named = (
        pl.when((pl.col("reader") == "dicom") & (pl.col("modality") == "CT").fill_null(False))
        .then(pl.lit(_HOUNSFIELD))
        .when((pl.col("reader") == "image") | eight_bit | colour)
        .then(pl.lit(_TYPE))
        .otherwise(pl.lit(_VOLUME))
    )
    return frame.with_columns(kind.select(named.alias(_COLUMN))[_COLUMN])


def scaling_for(table: SampleTable) -> Scaling:
    """The scaling of a table: that of its rows where all are scaled alike, else one for each kind of row.

    Raises:
        DataError: When a table without the column ``scaled_by``, made by an earlier version or by hand, mixes CT with
            something else.
    """
    if _COLUMN not in table.columns:
        return _scaling_by_columns(table)
    kinds = _values(table, _COLUMN)
    if kinds <= {_HOUNSFIELD}:
        return Scaling("fixed", lo=CT_WINDOW[0], hi=CT_WINDOW[1])
    if kinds <= {_TYPE}:
        return Scaling("fixed")
    windows = {_HOUNSFIELD: CT_WINDOW, _TYPE: None}
    chosen = {name: window for name, window in windows.items() if name in kinds}
    if not chosen:
        return Scaling("volume", percentiles=(0.5, 99.5), group="volume")
    if kinds <= set(chosen):
        return Scaling("fixed", column=_COLUMN, windows=chosen)
    return Scaling("volume", percentiles=(0.5, 99.5), group="volume", column=_COLUMN, windows=chosen)


def _scaling_by_columns(table: SampleTable) -> Scaling:
    readers = _values(table, "reader")
    if readers == {"image"}:
        return Scaling("fixed")
    modalities = _values(table, "modality")
    if "CT" in modalities:
        if modalities != {"CT"} or readers - {"dicom"}:
            others = ", ".join(sorted(map(str, modalities - {"CT"}))) or "other files"
            raise DataError(
                f"CT is mixed with {others}, and the table doesn't say which row is scaled how",
                "scan the files again: the scan writes a column scaled_by",
            )
        return Scaling("fixed", lo=CT_WINDOW[0], hi=CT_WINDOW[1])
    if _values(table, "dtype") == {"uint8"}:
        return Scaling("fixed")
    return Scaling("volume", percentiles=(0.5, 99.5), group="volume")


def _values(table: SampleTable, column: str) -> set[str | None]:
    return set(table.frame[column].unique().to_list()) if column in table.columns else set()
