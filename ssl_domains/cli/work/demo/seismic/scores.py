"""The scores of the seismic demonstration, read from the reports of its probes and fine-tunings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ssl_domains.cli.work.demo.seismic.lines import ARMS, PICTURED, TUNED, SeismicLines

if TYPE_CHECKING:
    from ssl_domains.evaluation import ProbeRow
    from ssl_domains.finetuning import FineTuneRow

__all__ = ["SeismicScores", "trained_lines"]

METRIC = "pooled mean IoU"
_ENCODER = "frozen encoder"


@dataclass(frozen=True)
class SeismicScores:
    """The lines of the table.

    Attributes:
        rows: Description of each arm, and its scores frozen and fine-tuned, empty where it was not.
        numbers: Numbers of labelled lines, in words.
    """

    CAPTION: ClassVar[str] = f"{METRIC} of five facies over the held-out block, each voxel counted once:"
    rows: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...]
    numbers: tuple[str, ...]

    @classmethod
    def read(cls, lines: SeismicLines) -> SeismicScores:
        """Read the reports in the run folders.

        Args:
            lines: The command lines, which know the folders.
        """
        from ssl_domains.evaluation import MASKS, read_probe_reports
        from ssl_domains.finetuning import read_finetune_reports
        from ssl_domains.finetuning.report import FINE_TUNED, FROZEN
        from ssl_domains.probes import POSITION

        rows: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = []
        floor: tuple[float, ...] = ()
        numbers: tuple[str, ...] = ()
        for arm in ARMS:
            if arm.name in TUNED:
                (tuned,) = read_finetune_reports(lines.tuned_folder(arm.name))
                scores = {kind: [row for row in tuned.rows if row.arm == kind] for kind in (FROZEN, FINE_TUNED)}
                rows.append((arm.about, _values(scores[FROZEN]), _values(scores[FINE_TUNED])))
                numbers = tuple(str(row.groups) for row in scores[FROZEN])
            else:
                probed = next(one for one in read_probe_reports(lines.run_folder(arm.name)) if one.label == MASKS)
                rows.append((arm.about, _values([row for row in probed.rows if row.arm.startswith(_ENCODER)]), ()))
                floor = _values([row for row in probed.rows if row.arm == POSITION])
        rows.append((f"{POSITION}, no picture", floor, ()))
        return cls(tuple(rows), numbers)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table."""
        headings = ["features", *(f"{kind}, {number}" for kind in ("frozen", "fine-tuned") for number in self.numbers)]
        headings[1] += " lines"
        none = ("–",) * len(self.numbers)
        return headings, [
            [about, *(f"{value:.3f}" for value in frozen), *([f"{value:.3f}" for value in tuned] or none)]
            for about, frozen, tuned in self.rows
        ]


def trained_lines(lines: SeismicLines) -> list[str]:
    """The lines whose labels the pictured fine-tunings saw, such as ``["il:262"]``."""
    import polars as pl

    from ssl_domains.engine import Run
    from ssl_domains.samples import read_table

    saw = Run.open(lines.tuned_folder(PICTURED[0], one_line=True)).training_samples
    frame = read_table(lines.samples).frame.filter(pl.col("sample").is_in(sorted(saw)))
    return [f"il:{number:.0f}" for number in frame["inline"].unique().sort().to_list()]


def _values(rows: Sequence[ProbeRow | FineTuneRow]) -> tuple[float, ...]:
    """The score of each row; every facies is in the held-out block, so that it is defined."""
    scores = [row.values[METRIC] for row in rows]
    assert None not in scores
    return tuple(score for score in scores if score is not None)
