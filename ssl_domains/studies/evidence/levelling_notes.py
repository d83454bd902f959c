"""Remarks on supervised arms whose training loss still fell at the end: such an arm is no fair control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ssl_domains.studies.design.cells import NOT_LEVELLED, StoredCell

__all__ = ["levelling_notes"]


def levelling_notes(cells: Iterable[StoredCell], arms: Sequence[str]) -> list[str]:
    """One line for each arm, probe and fraction with a training that had not levelled.

    Args:
        cells: Finished cells.
        arms: Names of the arms, in the order of the lines.
    """
    counts: dict[tuple[int, str, float], list[bool]] = {}
    for cell in cells:
        if cell.chooses or cell.arm not in arms:
            continue
        for score in cell.result.scores:
            key = (arms.index(cell.arm), score.probe, score.fraction)
            counts.setdefault(key, []).append(NOT_LEVELLED in score.note)
    return [
        f"The training loss of {arms[place]} ({probe}, {fraction:.3g} of the labels) had not levelled in "
        f"{sum(flags)} of {len(flags)} trainings: it still learnt, and with more updates it might score better."
        for (place, probe, fraction), flags in sorted(counts.items())
        if any(flags)
    ]
