"""The column ``scaled_by`` of a scan: which window maps a row to [0, 1]."""

from __future__ import annotations

import polars as pl

__all__ = ["COLUMN", "HOUNSFIELD", "TYPE", "VOLUME", "scaled_by"]

COLUMN = "scaled_by"
HOUNSFIELD, TYPE, VOLUME = "hounsfield", "type", "volume"


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
        .then(pl.lit(HOUNSFIELD))
        .when((pl.col("reader") == "image") | eight_bit | colour)
        .then(pl.lit(TYPE))
        .otherwise(pl.lit(VOLUME))
    )
    return frame.with_columns(kind.select(named.alias(COLUMN))[COLUMN])
