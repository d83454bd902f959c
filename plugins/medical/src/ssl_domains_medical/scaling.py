"""From native unit to [0, 1]: by window for CT, by volume for MR, by type for 8-bit pictures."""

from __future__ import annotations

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.views import Scaling

__all__ = ["CT_WINDOW", "scaling_for"]

CT_WINDOW = (-1000.0, 1000.0)  # air to dense bone, HU: no anatomy is known here, so nothing of the body is cut off


def scaling_for(table: SampleTable) -> Scaling:
    """The scaling a table calls for.

    - CT is in Hounsfield units, which mean the same everywhere: one fixed window, never an image's own range.
    - 8-bit data (OCT, ultrasound, photographs) and plain pictures: the full range of the type.
    - Everything else (MR, PET, radiographs, NIfTI): no unit, so the percentiles of each volume. Without that, the
      scale alone would give the volume away.

    Raises:
        DataError: When CT is mixed with something else, which no one scaling serves.
    """
    modalities = _values(table, "modality")
    if "CT" in modalities:
        if modalities != {"CT"} or _values(table, "reader") - {"dicom"}:
            others = ", ".join(sorted(map(str, modalities - {"CT"}))) or "other files"
            raise DataError(
                f"CT is mixed with {others}: Hounsfield units and arbitrary units need different scaling",
                "scan or filter the modalities apart",
            )
        return Scaling("fixed", lo=CT_WINDOW[0], hi=CT_WINDOW[1])
    if _values(table, "dtype") == {"uint8"} or _values(table, "reader") == {"image"}:
        return Scaling("fixed")
    return Scaling("volume", percentiles=(0.5, 99.5), group="volume")


def _values(table: SampleTable, column: str) -> set[str | None]:
    return set(table.frame[column].unique().to_list()) if column in table.columns else set()
