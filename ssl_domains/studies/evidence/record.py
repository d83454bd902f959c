"""What the pages of a study say beyond its cells: kept in the file of cells, so that both make the pages anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ssl_domains.probes.scored_once import OVERLAP
from ssl_domains.studies.design.cells import StoredCell
from ssl_domains.studies.evidence.assemble import contrasts, nuisance_rows, scores_of
from ssl_domains.studies.evidence.levelling_notes import levelling_notes
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult

__all__ = ["StudyRecord", "overlap_notes"]


@dataclass(frozen=True)
class StudyRecord:
    """A study without its scores.

    Attributes:
        result: The result; its scores, nuisance rows and secondary contrasts are empty.
        groups: Code of each tested group → its name, by ascending code.
        further: Contrasts of the study file, beside those that every study makes.
        registered: The primary contrast that the study had when it first ran.
    """

    result: StudyResult
    groups: dict[int, str]
    further: tuple[ContrastSpec, ...]
    registered: ContrastSpec

    def complete(self, cells: Sequence[StoredCell]) -> StudyResult:
        """The result with the scores of the cells, and with all contrasts.

        Raises:
            KeyError: When a cell is of an arm that the study does not have.
        """
        result = self.result
        names = [arm.name for arm in result.arms]
        primary, first = result.primary, self.registered
        notes = list(result.notes)
        if first != primary:
            notes.append(f"The primary contrast was changed after results existed: it was first {_spelled(first)}.")
        scores = scores_of(cells, names, result.seeds, self.groups)
        after = [one for one in scores if one.probe == "finetune" and one.evidence]
        finetuned = [(one.fraction, next(iter(one.evidence))) for one in after if one.arm == primary.a]
        tuned = {(one.arm, one.fraction) for one in after}
        return replace(
            result,
            notes=(*notes, *levelling_notes(cells, names), *overlap_notes(cells)),
            scores=scores,
            nuisance=nuisance_rows(cells, names),
            secondary=contrasts(result.arms, result.fractions, primary, self.further, finetuned, tuned),
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "result": self.result.to_dict(),
            "groups": [[code, name] for code, name in self.groups.items()],
            "further": [asdict(one) for one in self.further],
            "registered": asdict(self.registered),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> StudyRecord:
        """The inverse of `to_dict`.

        Raises:
            KeyError: When a field is missing.
            TypeError: When a field is of another kind.
        """
        return cls(
            StudyResult.from_dict(stored["result"]),
            {int(code): str(name) for code, name in stored["groups"]},
            tuple(ContrastSpec(**one) for one in stored["further"]),
            ContrastSpec(**stored["registered"]),
        )


def overlap_notes(cells: Sequence[StoredCell]) -> list[str]:
    """A sentence where samples of some held-out groups overlap, with the probes that score them."""
    probes = sorted({score.probe for cell in cells for score in cell.result.scores if OVERLAP in score.note})
    if not probes:
        return []
    those = " and ".join(probes)
    return [f"Test samples overlap: {those} score each labelled voxel once, in the sample whose centre is nearest."]


def _spelled(spec: ContrastSpec) -> str:
    """A contrast with all that may have been changed in it."""
    return f"{spec.a} against {spec.b}, {spec.measure} of the {spec.probe} probe at {spec.fraction:.3g} of the labels"
