"""Build the scores of a study from its finished cells: sums by seed and group, and the list of contrasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ssl_domains.engine.loop.resolving import rule_text
from ssl_domains.pairs import parse
from ssl_domains.quantities import plural
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import CellScore, StoredCell
from ssl_domains.studies.design.measures import measure_named, with_whole
from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec, NuisanceRow, Score
from ssl_domains.studies.evidence.sums import Evidence

__all__ = ["arm_results", "contrasts", "nuisance_rows", "scores_of"]


def arm_results(
    arms: Sequence[Arm], label: str, chosen: Mapping[str, Sequence[Mapping[str, Any]]], primary: ContrastSpec
) -> tuple[ArmResult, ...]:
    """One `ArmResult` for each arm, in the given order.

    Args:
        arms: The arms.
        label: The probed column.
        chosen: Name of an arm → its grid point in each fold.
        primary: The primary contrast.
    """
    return tuple(
        ArmResult(
            name=arm.name,
            about=arm.about,
            kind=arm.kind,
            rule="" if arm.rule == "none" else rule_text(parse(arm.rule)),
            labels_read=arm.reads_label(label) and arm.kind != "supervised",
            chosen=_over_folds(chosen.get(arm.name, ())),
            primary=arm.name in (primary.a, primary.b),
            of=arm.of,
        )
        for arm in arms
    )


def _over_folds(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values that all folds chose, by key; where they differ, text with the number of folds that chose each."""
    over: dict[str, Any] = {}
    for key in dict.fromkeys(key for point in points for key in point):
        values = [point.get(key) for point in points]
        counts = Counter("unset" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
                         for value in values)  # fmt: skip
        said = ", ".join(f"{value} in {plural(count, 'fold')}" for value, count in counts.most_common())
        over[key] = values[0] if len(counts) == 1 else said
    return over


def scores_of(
    cells: Iterable[StoredCell], arms: Sequence[str], seeds: Sequence[int], groups: Mapping[int, str]
) -> tuple[Score, ...]:
    """One `Score` for each arm, probe and fraction; the sums of a group come from the fold that tested it.

    Args:
        cells: Finished cells; those that chose grid points are left out.
        arms: Names of the arms, in the order of the scores.
        seeds: The reported seeds.
        groups: Code of each tested group → its name, by ascending code.
    """
    column = {code: place for place, code in enumerate(groups)}
    names = tuple(groups.values())
    by_arm: dict[str, dict[tuple[str, float], list[tuple[int, CellScore]]]] = {name: {} for name in arms}
    for cell in cells:
        if cell.chooses:
            continue
        for score in cell.result.scores:
            by_arm[cell.arm].setdefault((score.probe, score.fraction), []).append((cell.seed, score))
    scores = []
    for arm, measured in by_arm.items():
        for (probe, fraction), rows in measured.items():
            # Further arms may have fewer seeds than the study.
            ran = tuple(seed for seed in seeds if any(seed == one for one, _ in rows))
            evidence = {
                measure: _evidence(measure, rows, ran, column, names) for measure in with_whole(rows[0][1].sums)
            }
            labels = round(float(np.mean([score.labels for _, score in rows])))
            scores.append(Score(arm, probe, fraction, labels, evidence, _plain([score for _, score in rows])))
    return tuple(scores)


def _evidence(
    measure: str,
    rows: Iterable[tuple[int, CellScore]],
    seeds: tuple[int, ...],
    column: Mapping[int, int],
    names: tuple[str, ...],
) -> Evidence:
    found = [(seed, score.groups, with_whole(score.sums)[measure]) for seed, score in rows]
    width = max(len(values[0]) for _, _, values in found)
    sums = np.full((len(seeds), len(names), width), np.nan)
    for seed, groups, of_groups in found:
        for group, values in zip(groups, of_groups, strict=True):
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


def contrasts(
    arms: Sequence[ArmResult],
    fractions: Sequence[float],
    primary: ContrastSpec,
    further: Sequence[ContrastSpec] = (),
    finetuned: Sequence[tuple[float, str]] = (),
    tuned: Collection[tuple[str, float]] | None = None,
) -> tuple[ContrastSpec, ...]:
    """The secondary contrasts: the primary one at other fractions, and every arm against its controls.

    At the primary fraction, each rule is compared with SimCLR, with SimCLR on the rule's batches, and with the rule on
    shuffled metadata; the primary arm also with random initialisation and with supervised training.

    Args:
        arms: All arms.
        fractions: Shares of labelled groups.
        primary: The primary contrast; not among those returned.
        further: Contrasts of the study file.
        finetuned: (fraction, measure) at which the primary arm was fine-tuned: it is compared with SimCLR, fine-tuned
            too, and with training from scratch at equal steps and at equal effort.
        tuned: (arm, fraction) that were fine-tuned: other arms and fractions are not compared after fine-tuning, unless
            the study file asks for it. None for all.
    """
    pairs: list[tuple[str, str, float]] = []
    pairs += [(primary.a, primary.b, fraction) for fraction in fractions]
    names = {arm.name for arm in arms}
    pairs += [(primary.a, other, primary.fraction) for other in ("simclr", "random", "supervised") if other in names]
    for arm in arms:
        if arm.of == "" and arm.kind in ("rule", "simclr") and arm.name != "simclr":
            pairs.append((arm.name, "simclr", primary.fraction))
        elif arm.kind in ("composed", "shuffled"):
            pairs.append((arm.of, arm.name, primary.fraction))
    specs = [ContrastSpec(a, b, primary.probe, fraction, primary.measure) for a, b, fraction in pairs if a != b]
    others = [arm.name for arm in arms if arm.kind == "scratch" or arm.name == "simclr"]
    specs += [
        ContrastSpec(primary.a, other, "finetune", fraction, measure)
        for fraction, measure in finetuned
        for other in others
        if other != primary.a
    ]
    if tuned is not None:
        specs = [
            spec
            for spec in specs
            if spec.probe != "finetune" or {(spec.a, spec.fraction), (spec.b, spec.fraction)} <= set(tuned)
        ]
    return tuple(spec for spec in dict.fromkeys([*specs, *further]) if spec != primary)


def nuisance_rows(cells: Iterable[StoredCell], arms: Sequence[str]) -> tuple[NuisanceRow, ...]:
    """Score of the linear probe on each nuisance column, mean over folds, first seed.

    Args:
        cells: Finished cells.
        arms: Names of the arms, in the order of the rows.
    """
    by_arm: dict[str, dict[tuple[str, str], list[float | None]]] = {name: {} for name in arms}
    for cell in cells:
        for column, (measure, value, remark) in cell.result.nuisance.items():
            shown = f"{column} ({remark})" if value is not None and remark else column
            by_arm[cell.arm].setdefault((shown, measure), []).append(value)
    rows = []
    for arm, values_of in by_arm.items():
        for (column, measure), values in values_of.items():
            known = [value for value in values if value is not None]
            rows.append(NuisanceRow(arm, column, measure, float(np.mean(known)) if known else None))
    return tuple(rows)
