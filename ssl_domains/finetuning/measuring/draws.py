"""The labelled groups that are compared: fractions and draws, each trained on once where draws are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes import LabelDraw, Labels, label_draws

__all__ = ["ComparedDraw", "compared_draws"]

_INNER = 0.75


@dataclass(frozen=True)
class ComparedDraw:
    """A draw of labelled groups, the same for every arm.

    Attributes:
        number: Number of the draw; also the seed of its probes and trainings.
        labels: The drawn rows; see `LabelDraw`.
        whole: Whether all labelled training groups are drawn, so that every number draws the same.
    """

    number: int
    labels: LabelDraw
    whole: bool

    @property
    def name(self) -> str:
        """Name of its folder: two fractions that draw the same groups share their trainings."""
        return f"{self.labels.groups}-groups-draw-{self.number}"

    def inner(self, labels: Labels, groups: NDArray[Any]) -> NDArray[np.bool_]:
        """bool ``[n]``: rows of about three quarters of the drawn groups, in which every class of the draw occurs.

        The other drawn groups are for validation. All drawn rows where no group is left for it.

        Args:
            labels: ``n`` labels.
            groups: Group of each row ``[n]``.
        """
        return label_draws(labels, groups, self.labels.rows, [_INNER], self.number)[0].rows


def compared_draws(
    labels: Labels, groups: NDArray[Any], train: NDArray[np.bool_], fractions: Sequence[float], draws: int
) -> list[ComparedDraw]:
    """Draws ``0 … draws − 1`` of each fraction; only draw 0 where a fraction takes all labelled training groups.

    Draw ``k`` is `label_draws` with seed ``k``, as in `probe_run` and in a study.

    Args:
        labels: ``n`` labels.
        groups: Group of each row ``[n]``.
        train: bool ``[n]``, training rows.
        fractions: Shares of the labelled training groups, each in (0, 1].
        draws: Number of draws of each fraction.

    Returns:
        By fraction as given, then by number.

    Raises:
        UsageError: When ``draws`` is below 1, or a fraction is not in (0, 1] or given twice.
    """
    if draws < 1:
        raise UsageError(f"--draws {draws} averages over nothing", "give 1 or more")
    if len(set(fractions)) < len(fractions):
        raise UsageError("a fraction is given twice", "leave one of them out")
    all_groups = len(np.unique(groups[train & labels.known]))
    by_number = [label_draws(labels, groups, train, fractions, number) for number in range(draws)]
    out = []
    for place in range(len(fractions)):
        for number in range(draws):
            drawn = by_number[number][place]
            whole = drawn.groups == all_groups
            if number == 0 or not whole:
                out.append(ComparedDraw(number, drawn, whole))
    return out
