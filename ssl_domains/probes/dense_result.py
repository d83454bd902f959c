"""The scores of a dense probe, from the pixels of each test group by true and predicted class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes.overlap import dice, iou, pooled_scores

__all__ = ["DenseResult", "mean_defined"]


@dataclass(frozen=True)
class DenseResult:
    """Scores of a dense probe on the test groups.

    Attributes:
        counts: int64 ``[G, C + 1, C + 1]``: pixels of each test group at native shape, row = truth, 0 = background;
            ``[G, C, C]`` without a background.
        groups: Values of the G groups, sorted.
        classes: Names of the C classes.
        chosen: Chosen hyper-parameters.
        labels: Number of labelled training pictures.
        trained_groups: Number of groups of these pictures.
        tested: Number of test pictures.
        notes: Remarks, one line each.
        background: Whether class 0 of ``counts`` is the background, which has no Dice.
    """

    counts: NDArray[np.int64]
    groups: NDArray[Any]
    classes: tuple[str, ...]
    chosen: dict[str, float]
    labels: int
    trained_groups: int
    tested: int
    notes: tuple[str, ...] = field(default=())
    background: bool = True

    @property
    def dice(self) -> NDArray[np.float64]:
        """``[G, C]``, Dice of each class over each whole group; NaN where it is in neither truth nor prediction."""
        return dice(self.counts, self.background)

    @property
    def iou(self) -> NDArray[np.float64]:
        """``[G, C]``, intersection over union, as `dice`."""
        return iou(self.counts, self.background)

    @property
    def per_class(self) -> dict[str, float | None]:
        """Dice of each class, mean over the groups where it is defined; None where it is in none."""
        return {name: mean_defined(self.dice[:, code]) for code, name in enumerate(self.classes)}

    @property
    def mean_dice(self) -> float | None:
        """Mean of `per_class`; None when a class is undefined in every group."""
        return _mean_of(self.per_class)

    @property
    def mean_iou(self) -> float | None:
        """Mean IoU, as `mean_dice`."""
        return _mean_of({name: mean_defined(self.iou[:, code]) for code, name in enumerate(self.classes)})

    def values(self) -> dict[str, float | None]:
        """The scores of a table by name: `mean_dice`, `mean_iou`, and `pooled_scores` of all pixels together."""
        return {"mean Dice": self.mean_dice, "mean IoU": self.mean_iou, **pooled_scores(self.counts)}

    def reasons(self) -> dict[str, str]:
        """Name of a score that is undefined → why."""
        lacking = [name for name, value in self.per_class.items() if value is None]
        return dict.fromkeys(("mean Dice", "mean IoU"), f"{', '.join(lacking)} is in no test group") if lacking else {}

    def remarks(self) -> list[str]:
        """The notes, and a line for each class whose Dice is undefined in some test groups."""
        out = list(self.notes)
        for code, name in enumerate(self.classes):
            absent = int(np.isnan(self.dice[:, code]).sum())
            if absent:
                whole = f"{absent} of {len(self.groups)} test groups"
                out.append(f"Dice of {name!r} is undefined in {whole}: neither there nor predicted")
        return out


def mean_defined(values: NDArray[np.float64]) -> float | None:
    """Mean of the values ``[n]`` that are not NaN; None when all are."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _mean_of(per_class: Mapping[str, float | None]) -> float | None:
    values = [value for value in per_class.values() if value is not None]
    return float(np.mean(values)) if values and len(values) == len(per_class) else None
