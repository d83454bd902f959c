"""Does pre-training help on these labels? Fine-tuned beside its frozen probe and training from scratch, over draws.

A comparison is many trainings. Each finished one is kept as scores, so that a comparison may be killed at any moment
and resumed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.durations import duration
from ssl_domains.engine import Run
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.engine.record.events import Event, Stepped, Warned
from ssl_domains.finetuning.measuring.draws import ComparedDraw, compared_draws
from ssl_domains.finetuning.measuring.frozen import frozen_scores
from ssl_domains.finetuning.measuring.identity import material_hash, require_same_plan, write_plan
from ssl_domains.finetuning.measuring.initial import InitialWeights
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.finetuning.measuring.outcome import Outcome, outcome_of, read_outcome, write_outcome
from ssl_domains.finetuning.measuring.remarks import comparison_remarks, views_remark
from ssl_domains.finetuning.measuring.trainings import NO_VIEWS, RECIPE, Plan, RecipeOf, Training
from ssl_domains.finetuning.parts import engine_parts
from ssl_domains.finetuning.report import (
    EQUAL_EFFORT,
    EQUAL_STEPS,
    FINE_TUNED,
    FROZEN,
    FineTuneReport,
    FineTuneRow,
    finetune_path,
)
from ssl_domains.finetuning.training import finetune
from ssl_domains.probes import HEADLINE
from ssl_domains.probes.transcripts import TranscriptFit
from ssl_domains.samples import require_target

__all__ = ["Comparison", "compare"]

Progress = Callable[[str, int, int], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        material: The labelled rows, see `label_material`, `mask_material` and `transcript_material`.
        initial: The weights that are fine-tuned.
        recipe: Makes the views of training rows.
        fractions: Shares of the labelled training groups.
        draws: Draws of each share below 1.
        scratch: Whether training from scratch stands beside.
        sets: Values of the configuration, by dotted key, such as ``{"method.layers": "head", "train.max_steps": 500}``.
        head: Head of masks: ``conv`` or ``deeplab``.
        supervised: Number of labels that the rule of the pre-training read.
        notes: Further remarks for the report.
    """

    material: Material
    initial: InitialWeights
    recipe: RecipeOf
    fractions: Sequence[float] = (1.0,)
    draws: int = 5
    scratch: bool = True
    sets: Mapping[str, Any] = field(default_factory=dict)
    head: str = "conv"
    supervised: int = 0
    notes: tuple[str, ...] = ()

    @property
    def compared(self) -> list[ComparedDraw]:
        """The draws; see `compared_draws`."""
        material = self.material
        groups = material.split.groups
        return compared_draws(material.labels, groups, material.split.train, self.fractions, self.draws)

    @property
    def largest(self) -> ComparedDraw:
        """The first draw of the largest share; its fine-tuning is what is kept."""
        largest = max(self.fractions)
        return next(draw for draw in self.compared if draw.labels.asked == largest)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are trained."""
        if not self.scratch:
            return (FINE_TUNED,)
        return (FINE_TUNED, EQUAL_STEPS, *([] if self.initial.effort is None else [EQUAL_EFFORT]))

    def plan(self, processes: int = 1) -> Plan:
        """Makes the trainings."""
        return Plan(self.material, self.initial, self.recipe, self.sets, self.head, processes)

    def trainings(self, plan: Plan) -> list[Training]:
        """All trainings, each once."""
        out: dict[str, Training] = {}
        for arm in self.arms:
            for draw in self.compared:
                one = plan.training(arm, draw)
                out.setdefault(one.name, one)
            if arm == EQUAL_EFFORT and plan.chooses_views(self.largest):
                for inner in self.view_choices(plan).values():
                    out.setdefault(inner.name, inner)
        return list(out.values())

    def view_choices(self, plan: Plan) -> dict[str, Training]:
        """Trainings by which the views of *scratch, equal effort* are chosen.

        They are chosen once, where most groups are labelled: of few labelled groups, one or none is left to choose by.
        For the smaller shares this favours scratch, whose views are chosen by labels that the other arms don't see.
        """
        draw = self.largest
        return {views: plan.training(EQUAL_EFFORT, draw, views=views, inner=True) for views in (RECIPE, NO_VIEWS)}

    def require_trainable(self, plan: Plan) -> None:
        """Make every configuration, and build the method once: what does not fit is said before the first training.

        Raises:
            UsageError: For a configuration, layers or a head that don't fit.
            DataError: When a draw has fewer than two rows.
        """
        self.trainings(plan)
        training = plan.training(FINE_TUNED, self.compared[0])
        config, made = engine_parts(training.config, plan.parts(training))
        made.method.build(self.initial.encoder(), {**config.head.model_dump(), **config.method.model_dump()})

    def identity(self) -> dict[str, Any]:
        """What a resumed comparison must have in common with the one that was started, as JSON values."""
        return {
            "label": self.material.label,
            "group": self.material.split.group,
            "fractions": list(self.fractions),
            "draws": self.draws,
            "scratch": self.scratch,
            "settings": dict(self.sets),
            "head": self.head,
            "samples or labels": material_hash(self.material),
            "weights": self.initial.fingerprint(),
        }


def compare(
    comparison: Comparison,
    out: str | Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    warn: Say | None = None,
) -> FineTuneReport:
    """Fine-tune, train the comparison from scratch, and write ``finetune-LABEL.json`` into the run folder ``out``.

    ``out`` becomes the run folder of the fine-tuning on draw 0 of the largest fraction. The other trainings lie below
    ``out/comparison`` and keep their scores and configuration, but no weights.

    Args:
        comparison: What is compared.
        out: The run folder.
        resume: Go on with the comparison in ``out``; finished trainings are not done again.
        progress: Called with what is being done, and how much of it is done and to do.
        say: Called with a line of text for each finished training.
        warn: Called with each warning of a training.

    Raises:
        UsageError: When ``out`` holds a run and ``resume`` is False, when there is nothing to resume or it was started
            with other settings, and in the cases of `finetune`.
        DataError: In the cases of `finetune`.
        ResourceError: When disk or memory run out.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; the training saves a checkpoint first.
    """
    out = Path(out)
    with ExitStack() as stack:
        world = stack.enter_context(processes())
        with world.together():
            if world.first:
                stack.enter_context(Run.alone(out))
            identity = comparison.identity()
            require_same_plan(out, identity, resume)
            plan = comparison.plan(world.size)
            comparison.require_trainable(plan)
            if world.first:
                require_target(finetune_path(out, comparison.material.label))
        with world.together():  # only once all processes have looked into the folder
            if world.first:
                write_plan(out, identity)
        return _Comparing(comparison, plan, out, world, progress, say, warn).report()


@dataclass
class _Comparing:
    """The trainings of a comparison, one after the other, and the report."""

    comparison: Comparison
    plan: Plan
    out: Path
    world: World
    progress: Progress | None
    say: Say | None
    warn: Say | None
    done: dict[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0
    trained: int = 0

    def __post_init__(self) -> None:
        self.draws = self.comparison.compared
        self.main = self.comparison.largest.name
        self.planned = {one.name: one for one in self.comparison.trainings(self.plan)}

    def report(self) -> FineTuneReport:
        """Do what is missing, and write the report."""
        frozen = self.frozen()
        rows: dict[tuple[float, str], list[FineTuneRow]] = {}
        remarks: list[str] = []
        # The fine-tuning that `out` is the run folder of comes first.
        order = sorted(self.draws, key=lambda draw: draw.name != self.main)
        for arm in self.comparison.arms:
            views, remark = self.chosen_views() if arm == EQUAL_EFFORT else (RECIPE, "")
            remarks += [remark] if remark else []
            for draw in order:
                training = self.plan.training(arm, draw, views=views)
                rows.setdefault((draw.labels.asked, arm), []).append(_row(draw, training, self.outcome(training)))
        for draw in self.draws:
            rows.setdefault((draw.labels.asked, FROZEN), []).append(_row(draw, None, frozen[draw.name]))
        material, comparison = self.comparison.material, self.comparison
        report = FineTuneReport(
            label=material.label,
            task=material.task,
            classes=material.labels.classes,
            group=material.split.group,
            test_groups=material.split.test_groups,
            transductive=material.split.transductive,
            supervised=comparison.supervised,
            pretraining_views=None if comparison.initial.effort is None else comparison.initial.effort.views,
            dropped=material.dropped,
            rows=tuple(
                row
                for fraction in comparison.fractions
                for arm in (FROZEN, *comparison.arms)
                for row in sorted(rows[fraction, arm], key=lambda one: one.draw)
            ),
            notes=(
                *comparison.notes,
                *material.notes,
                *comparison_remarks(self.plan, self.draws, comparison.arms, comparison.draws),
                *remarks,
            ),
        )
        with self.world.together():
            if self.world.first:
                report.write(self.out)
        return report

    def frozen(self) -> dict[str, Outcome]:
        """Outcomes of the frozen probe, by the name of the draw."""
        return self.world.from_first(self._frozen)

    def _frozen(self) -> dict[str, Outcome]:
        unique = list({draw.name: draw for draw in self.draws}.values())
        folders = {draw.name: self.out / "comparison" / f"frozen-probe-{draw.name}" for draw in unique}
        found = {name: read_outcome(folder) for name, folder in folders.items()}
        if any(one is None for one in found.values()):
            comparison = self.comparison
            scores = frozen_scores(
                comparison.material, comparison.initial, unique, head=comparison.head,
                fit=TranscriptFit(steps=int(comparison.sets.get("method.probe_steps", TranscriptFit.steps))),
                progress=self.progress,
            )  # fmt: skip
            for draw, one in zip(unique, scores, strict=True):
                found[draw.name] = Outcome(one)
                write_outcome(folders[draw.name], Outcome(one))
        return {name: one for name, one in found.items() if one is not None}

    def chosen_views(self) -> tuple[str, str]:
        """Views of *scratch, equal effort*, chosen on validation groups; and a remark that says so."""
        draw = self.comparison.largest
        if not self.plan.chooses_views(draw):
            return RECIPE, views_remark(draw, None, "")
        choices = self.comparison.view_choices(self.plan)
        outcomes = {views: self.outcome(training) for views, training in choices.items()}
        best = max(outcomes, key=lambda views: outcomes[views].selection)  # the recipe where both are equal
        return best, views_remark(draw, {views: one.selection for views, one in outcomes.items()}, best)

    def outcome(self, training: Training) -> Outcome:
        """Outcome of a training, which is done now when it has none."""
        if training.name not in self.done:
            folder = self.out / "comparison" / training.name
            stored = self.world.from_first(lambda: read_outcome(folder))
            self.done[training.name] = stored or self._train(training, folder)
            if self.world.first and not self._is_main(training):
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        return self.done[training.name]

    def _is_main(self, training: Training) -> bool:
        return training.arm == FINE_TUNED and training.draw.name == self.main

    def _train(self, training: Training, folder: Path) -> Outcome:
        material, before = self.comparison.material, time.monotonic()
        run_folder = self.out if self._is_main(training) else folder
        title = f"[{len(self.done) + 1}/{len(self.planned)}] {training.title}"
        resume = self.world.from_first(lambda: bool(Run(run_folder).checkpoints.paths()))
        run = finetune(
            training.config, self.plan.parts(training), run_folder, resume=resume, on_event=self._listener(title)
        )
        held = training.draw.labels.rows & ~training.rows
        rows = np.flatnonzero(held) if training.inner else material.test

        def measured() -> Outcome:
            outcome = outcome_of(material, training, run, rows)
            write_outcome(folder, outcome)
            return outcome

        outcome = self.world.from_first(measured)
        self.seconds += time.monotonic() - before
        self.trained += training.steps
        self._tell(title, training, outcome, "validation" if training.inner else "test")
        return outcome

    def _listener(self, title: str) -> Callable[[Event], None]:
        def listen(event: Event) -> None:
            if isinstance(event, Stepped) and self.progress is not None:
                self.progress(title, event.step, event.total_steps)
            if isinstance(event, Warned) and self.warn is not None:
                self.warn(f"{title}: {event.text}")

        return listen

    def _tell(self, title: str, training: Training, outcome: Outcome, groups: str) -> None:
        if self.say is None or not self.world.first:
            return
        name = HEADLINE[self.comparison.material.task]
        value = outcome.scores.values.get(name)
        shown = "undefined" if value is None else f"{value:.3f}"
        left = sum(one.steps for key, one in self.planned.items() if key not in self.done and key != training.name)
        time_left = f" · {duration(self.seconds / max(1, self.trained) * left)} left" if left else ""
        self.say(f"{title}: {name} {shown} on {groups} groups{time_left}")


def _row(draw: ComparedDraw, training: Training | None, outcome: Outcome) -> FineTuneRow:
    scores, drawn = outcome.scores, draw.labels
    return FineTuneRow(
        arm=FROZEN if training is None else training.arm,
        fraction=drawn.asked,
        used=drawn.used,
        draw=draw.number,
        groups=drawn.groups,
        labels=int(drawn.rows.sum()),
        tested=scores.tested,
        steps=0 if training is None else training.steps,
        values=scores.values,
        reasons=scores.reasons,
        per_class=scores.per_class,
        per_group=scores.per_group,
        chosen=scores.chosen,
        views="" if training is None else training.views,
        levelled=outcome.levelled,
        notes=tuple(one for one in (drawn.note, *scores.notes) if one),
    )
