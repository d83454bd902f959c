"""What is settled before a study runs: batches of the arms, checks of their pairs, the primary contrast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.probes import HEADLINE
from ssl_domains.probes.transcripts import Transcripts
from ssl_domains.samples import write_errors, write_whole
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.entries import ContrastEntry
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import pairs_of, pin_composition
from ssl_domains.studies.evidence.result import ContrastSpec, InformationRow

__all__ = ["contrast_spec", "first_primary", "inspect_pairs", "pinned_arms"]


def contrast_spec(entry: ContrastEntry, task: str, arms: Sequence[str], *, masks: bool = False) -> ContrastSpec:
    """The contrast that an entry of the study file names, with the default measure of its probe filled in.

    Args:
        entry: The entry.
        task: ``classification`` or ``regression``.
        arms: Names of all arms.
        masks: Whether masks are predicted; fine-tuning is then of masks too.

    Raises:
        UsageError: When it names an arm that does not exist.
    """
    if entry.against not in arms:
        raise UsageError(f"there is no arm {entry.against!r} to compare with", did_you_mean(entry.against, arms))
    on_masks = entry.probe == "dense" or (entry.probe == "finetune" and masks)
    default = "mean Dice" if on_masks else HEADLINE[task]
    return ContrastSpec(entry.arm, entry.against, entry.probe, entry.fraction, entry.measure or default)


def pinned_arms(material: Material, arms: Sequence[Arm]) -> list[Arm]:
    """The arms, each rule with a fixed composition of batches, which its controls share."""
    pinned: dict[str, Arm] = {}
    for arm in arms:
        if arm.of:
            config = {**arm.config, **{k: v for k, v in pinned[arm.of].config.items() if k.startswith("pairs.comp")}}
            pinned[arm.name] = Arm(**{**arm.__dict__, "config": config})
        else:
            pinned[arm.name] = pin_composition(material, arm) if arm.kind == "rule" else arm
    return list(pinned.values())


def inspect_pairs(material: Material, arms: Sequence[Arm]) -> tuple[tuple[InformationRow, ...], list[str]]:
    """Inspect the pairs of every rule before training: how well positives agree on label and nuisance, and warnings.

    Raises:
        DataError: When a rule has pairs that can't be used, with the name of the arm.
    """
    rows: dict[tuple[str, str], InformationRow] = {}
    warnings: list[str] = []
    for arm in arms:
        if arm.kind != "rule":
            continue
        plan = pairs_of(material, arm)
        placed = None if material.place_regions is None else material.place_regions([plan.table])
        # Transcripts are no classes: that two lines have equal ones says nothing of a pair.
        label = None if isinstance(material.labels, Transcripts) else material.label or None
        report = plan.inspect(label, material.nuisance, None if placed is None else placed[0])
        try:
            report.check()
        except DataError as error:
            raise DataError(f"{arm.name}: {error.message}", error.hint) from error
        warnings += [f"{arm.name}: {warning}" for warning in report.warnings]
        for relation in report.relations:
            for one in relation.sharing:
                row = InformationRow(relation.text, one.column, one.role, one.agreement, one.chance, one.nmi)
                # Arms may share a relation: it gets one row, computed on the batches of the first such arm.
                rows.setdefault((row.rule, row.column), row)
    return tuple(rows.values()), warnings


def first_primary(out: Path, primary: ContrastSpec, archived: ContrastSpec | None = None) -> ContrastSpec:
    """The primary contrast that the study had when it first ran; stored in its folder on the first run.

    Args:
        out: Folder of the study.
        primary: The primary contrast of the study file.
        archived: The one that a file of cells was first made with; it counts where the folder is new.
    """
    path = out / "primary.json"
    try:
        return ContrastSpec(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        first = archived or primary
        text = json.dumps(first.__dict__)
        with write_errors(str(path)):
            write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
        return first
