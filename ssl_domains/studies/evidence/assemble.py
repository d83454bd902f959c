"""From the results of cells to the result of a study: evidence by seed and group, and the contrasts to be drawn."""

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
from ssl_domains.studies.evidence.statistics import Evidence
from ssl_domains.studies.measuring.run import CellResults

__all__ = ["arm_results", "contrasts", "nuisance_rows", "scores_of"]


def arm_results(
    arms: Sequence[Arm], label: str, chosen: Mapping[str, Mapping[str, Any]], primary: ContrastSpec
) -> tuple[ArmResult, ...]:
    """The arms as the result lists them."""
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
    """Every arm's evidence by probe and fraction: each group's sums from the one fold that tested it."""
    tested = material.groups.tested
    column = {int(code): place for place, code in enumerate(tested)}
    names = tuple(material.groups.names[code] for code in tested)
    made = []
    for arm in plan.arms:
        found: dict[tuple[str, float], list[tuple[int, CellScore]]] = {}
        for (name, _, seed), cells in results.items():
            for _, result in cells if name == arm.name else ():
                for score in result.scores:
                    found.setdefault((score.probe, score.fraction), []).append((seed, score))
        for (probe, fraction), rows in found.items():
            evidence = {measure: _evidence(measure, rows, plan.seeds, column, names) for measure in rows[0][1].sums}
            seen = round(float(np.mean([score.labels for _, score in rows])))
            made.append(Score(arm.name, probe, fraction, seen, evidence, _plain([score for _, score in rows])))
    return tuple(made)


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
    # A tested group without a labelled row says nothing, in any arm.
    there = ~np.isnan(sums).all(axis=(0, 2))
    kept = tuple(name for name, known in zip(names, there, strict=True) if known)
    return Evidence(measure_named(measure), sums[:, there], kept, seeds)


def _plain(scores: Sequence[CellScore]) -> dict[str, float | None]:
    """Means over cells of what does not add over groups; undefined as soon as one is."""
    means: dict[str, float | None] = {}
    for name in scores[0].values:
        values = [score.values.get(name) for score in scores]
        known = [value for value in values if value is not None]
        means[name] = float(np.mean(known)) if len(known) == len(values) else None
    return means


def contrasts(plan: StudyPlan, primary: ContrastSpec, further: Sequence[ContrastSpec] = ()) -> tuple[ContrastSpec, ...]:
    """The secondary contrasts: the primary one at other fractions, and every named arm against what explains it away.

    At the primary fraction each rule stands against SimCLR, against its own batches without relations, against its
    shuffled self; the primary arm also against random initialisation and supervised training.

    Args:
        plan: The arms.
        primary: Not among them.
        further: Those that the study names itself.
    """
    asked: list[tuple[str, str, float]] = []
    asked += [(primary.a, primary.b, fraction) for fraction in plan.fractions]
    asked += [(primary.a, other, primary.fraction) for other in ("simclr", "random", "supervised")]
    for arm in plan.arms:
        if arm.of == "" and arm.kind in ("rule", "simclr") and arm.name != "simclr":
            asked.append((arm.name, "simclr", primary.fraction))
        elif arm.kind in ("composed", "shuffled"):
            asked.append((arm.of, arm.name, primary.fraction))
    made = [ContrastSpec(a, b, primary.probe, fraction, primary.measure) for a, b, fraction in asked if a != b]
    return tuple(spec for spec in dict.fromkeys([*made, *further]) if spec != primary)


def nuisance_rows(plan: StudyPlan, results: CellResults) -> tuple[NuisanceRow, ...]:
    """Means over folds of what a linear probe reads of each nuisance column, first seed."""
    rows = []
    for arm in plan.arms:
        found: dict[tuple[str, str], list[float | None]] = {}
        for (name, _, _), cells in results.items():
            for _, result in cells if name == arm.name else ():
                for column, (measure, value, remark) in result.nuisance.items():
                    shown = f"{column} ({remark})" if value is not None and remark else column
                    found.setdefault((shown, measure), []).append(value)
        for (column, measure), values in found.items():
            known = [value for value in values if value is not None]
            rows.append(NuisanceRow(arm.name, column, measure, float(np.mean(known)) if known else None))
    return tuple(rows)
