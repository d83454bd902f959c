"""The file ``training_samples.parquet`` of a run: what it was trained on, and which recordings that is of."""

from __future__ import annotations

import hashlib
import os

import polars as pl

from ssl_domains.samples import SampleTable
from ssl_domains.views.crops.tiles import WHOLE

__all__ = ["hashed_path", "training_rows"]

_PARTS = ("array", "region")
_CONTENT = "content"


def training_rows(table: SampleTable) -> pl.DataFrame:
    """What a run keeps of its training rows, so that they and other parts of their recordings are known again.

    ===================  ==============================================================================================
    ``sample``           id of the sample; of tiles, the ids of their samples stand below, without the other values
    ``array, region``    which part of which array it is; where the table has these columns
    ``file``             hash of the absolute path of its file (`hashed_path`); where the table has paths
    ``content``          equal for equal decoded contents; where the scan has written it
    ``recording``, …     groups that are one recording, as the domain names them (``Domain.whole_groups``)
    ===================  ==============================================================================================
    """
    kept = [*_PARTS, _CONTENT, *table.meta.whole_groups]
    made = table.frame.select("sample", *(name for name in dict.fromkeys(kept) if name in table.columns))
    if "path" in table.columns:
        made = made.with_columns(hashed_path(table.frame["path"]).alias("file"))
    if WHOLE not in table.columns:
        return made
    wholes = table.frame.select(sample=WHOLE)
    return pl.concat([made, wholes], how="diagonal").unique("sample", keep="first", maintain_order=True)


def hashed_path(paths: pl.Series) -> pl.Series:
    """Hash of each absolute path, 16 hexadecimal digits; null for null. The run folder so names no folder of the user.

    Args:
        paths: Paths as a table in memory has them.
    """
    texts = paths.cast(pl.String)
    made = {
        path: hashlib.blake2b(os.path.abspath(path).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        for path in texts.drop_nulls().unique()
    }
    return pl.Series(paths.name, [None if path is None else made[path] for path in texts], dtype=pl.String)
