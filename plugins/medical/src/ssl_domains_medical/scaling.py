"""From native unit to [0, 1]: by window for CT, by volume for MR, by type for 8-bit data and pictures."""

from __future__ import annotations

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.views import Scaling
from ssl_domains_medical.scaled_by import COLUMN, HOUNSFIELD, TYPE

__all__ = ["CT_WINDOW", "scaling_for"]

CT_WINDOW = (-1000.0, 1000.0)  # air to dense bone, HU: no anatomy is known here, so nothing of the body is cut off


def scaling_for(table: SampleTable) -> Scaling:
    """The scaling of a table: that of its rows where all are scaled alike, else one for each kind of row.

    Raises:
        DataError: When a table without the column ``scaled_by``, made by an earlier version or by hand, mixes CT with
            something else.
    """
    if COLUMN not in table.columns:
        return _scaling_by_columns(table)
    kinds = _values(table, COLUMN)
    if kinds <= {HOUNSFIELD}:
        return Scaling("fixed", lo=CT_WINDOW[0], hi=CT_WINDOW[1])
    if kinds <= {TYPE}:
        return Scaling("fixed")
    windows = {HOUNSFIELD: CT_WINDOW, TYPE: None}
    chosen = {name: window for name, window in windows.items() if name in kinds}
    if not chosen:
        return Scaling("volume", percentiles=(0.5, 99.5), group="volume")
    if kinds <= set(chosen):
        return Scaling("fixed", column=COLUMN, windows=chosen)
    return Scaling("volume", percentiles=(0.5, 99.5), group="volume", column=COLUMN, windows=chosen)


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
