"""Build the result of a study from the results of its cells: sums by seed and group, and the list of contrasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ssl_domains.engine.loop.assembly import rule_text
from ssl_domains.pairs import parse
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.measures import measure_named
from ssl_domains.studies.design.plan import StudyPlan
from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec, NuisanceRow, Score
from ssl_domains.studies.evidence.sums import Evidence
from ssl_domains.studies.measuring.run import CellResults

__all__ = ["arm_results", "contrasts", "nuisance_rows", "scores_of"]


def arm_results(
    arms: Sequence[Arm], label: str, chosen: Mapping[str, Mapping[str, Any]], primary: ContrastSpec
) -> tuple[ArmResult, ...]:
    """One `ArmResult` for each arm, in the given order."""
    return tuple(
        ArmResult(
            name=arm.name,
            about=arm.about,
            kind=arm.kind,
            rule="" if arm.rule == "none" else rule_text(parse(arm.rule)),
            labels_read=arm.reads_label(label) and arm.kind != "supervised",
            chosen=dict(chosen.get(arm.name, {})),
            primary=arm.name in (primary.a, primary.b),
        )
        for arm in arms
    )


def scores_of(material: Material, plan: StudyPlan, results: CellResults) -> tuple[Score, ...]:
    """One `Score` for each arm, probe and fraction; the sums of a group come from the fold that tested it."""
    tested = material.groups.tested
    column = {int(code): place for place, code in enumerate(tested)}
    names = tuple(material.groups.names[code] for code in tested)
    scores = []
    for arm in plan.arms:
        cell_scores: dict[tuple[str, float], list[tuple[int, CellScore]]] = {}
        for (name, _, seed), cells in results.items():
            for _, result in cells if name == arm.name else ():
                for score in result.scores:
                    cell_scores.setdefault((score.probe, score.fraction), []).append((seed, score))
        for (probe, fraction), rows in cell_scores.items():
            evidence = {measure: _evidence(measure, rows, plan.seeds, column, names) for measure in rows[0][1].sums}
            labels = round(float(np.mean([score.labels for _, score in rows])))
            scores.append(Score(arm.name, probe, fraction, labels, evidence, _plain([score for _, score in rows])))
    return tuple(scores)


def _evidence(
    measure: str,
    rows: Iterable[tuple[int, CellScore]],
    seeds: tuple[int, ...],
    column: Mapping[int, int],
    names: tuple[str, ...],
) -> Evidence:
    width = max(len(score.sums[measure][0]) for _, score in rows)
    sums = np.full((len(seeds), len(names), width), np.nan)
    for seed, score in rows:
        for group, values in zip(score.groups, score.sums[measure], strict=True):
            sums[seeds.index(seed), column[group]] = values
    # A tested group without a labelled row has no sums in any arm.
    measured = ~np.isnan(sums).all(axis=(0, 2))
    kept = tuple(name for name, known in zip(names, measured, strict=True) if known)
    return Evidence(measure_named(measure), sums[:, measured], kept, seeds)


def _plain(scores: Sequence[CellScore]) -> dict[str, float | None]:
    """Mean over cells of scores that can't be summed over groups, such as AUROC; None when one cell has none."""
    means: dict[str, float | None] = {}
    for name in scores[0].values:
        values = [score.values.get(name) for score in scores]
        known = [value for value in values if value is not None]
        means[name] = float(np.mean(known)) if len(known) == len(values) else None
    return means


def contrasts(plan: StudyPlan, primary: ContrastSpec, further: Sequence[ContrastSpec] = ()) -> tuple[ContrastSpec, ...]:
    """The secondary contrasts: the primary one at other fractions, and every arm against its controls.

    At the primary fraction, each rule is compared with SimCLR, with SimCLR on the rule's batches, and with the rule on
    shuffled metadata; the primary arm also with random initialisation and with supervised training.

    Args:
        plan: The arms.
        primary: The primary contrast; not among those returned.
        further: Contrasts of the study file.
    """
    pairs: list[tuple[str, str, float]] = []
    pairs += [(primary.a, primary.b, fraction) for fraction in plan.fractions]
    pairs += [(primary.a, other, primary.fraction) for other in ("simclr", "random", "supervised")]
    for arm in plan.arms:
        if arm.of == "" and arm.kind in ("rule", "simclr") and arm.name != "simclr":
            pairs.append((arm.name, "simclr", primary.fraction))
        elif arm.kind in ("composed", "shuffled"):
            pairs.append((arm.of, arm.name, primary.fraction))
    specs = [ContrastSpec(a, b, primary.probe, fraction, primary.measure) for a, b, fraction in pairs if a != b]
    return tuple(spec for spec in dict.fromkeys([*specs, *further]) if spec != primary)


def nuisance_rows(plan: StudyPlan, results: CellResults) -> tuple[NuisanceRow, ...]:
    """Score of the linear probe on each nuisance column, mean over folds, first seed."""
    rows = []
    for arm in plan.arms:
        values_of: dict[tuple[str, str], list[float | None]] = {}
        for (name, _, _), cells in results.items():
            for _, result in cells if name == arm.name else ():
                for column, (measure, value, remark) in result.nuisance.items():
                    shown = f"{column} ({remark})" if value is not None and remark else column
                    values_of.setdefault((shown, measure), []).append(value)
        for (column, measure), values in values_of.items():
            known = [value for value in values if value is not None]
            rows.append(NuisanceRow(arm.name, column, measure, float(np.mean(known)) if known else None))
    return tuple(rows)
