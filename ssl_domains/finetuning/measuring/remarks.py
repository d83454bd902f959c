"""Sentences of a report on how a comparison was made: settings, effort, draws, and the chosen views of scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssl_domains.finetuning.measuring.draws import ComparedDraw
from ssl_domains.finetuning.measuring.trainings import NO_VIEWS, RECIPE, Plan
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.report import EQUAL_EFFORT, EQUAL_STEPS, FINE_TUNED
from ssl_domains.finetuning.whole_views import left_out_steps
from ssl_domains.probes.transcripts import TRANSCRIPTION
from ssl_domains.quantities import plural

__all__ = ["comparison_remarks", "views_remark"]


def comparison_remarks(plan: Plan, draws: Sequence[ComparedDraw], arms: Sequence[str], number: int) -> list[str]:
    """Settings of the arms, effort, and draws.

    Args:
        plan: Makes the trainings.
        draws: The draws.
        arms: The arms that were trained.
        number: Draws of a share below 1.
    """
    lines = [_fine_tuned(plan, draws[0]), *_whole(plan)]
    if EQUAL_STEPS in arms:
        lines.append(_scratch(plan, draws[0]))
    effort = plan.initial.effort
    if EQUAL_EFFORT in arms and effort is not None:
        lines.append(
            f"scratch, equal effort: the fine-tuning's steps, and the {effort.views:,} views of the pre-training "
            "(steps × samples in a batch × views of a sample) divided by the samples in a batch"
        )
        lines += [effort.note] if effort.note else []
    elif EQUAL_STEPS in arms:
        lines.append(
            "there is no scratch at equal effort: the weights do not say how long they were pre-trained, so only equal "
            "steps can be compared"
        )
    if number > 1 and any(draw.whole for draw in draws):
        lines.append("a fraction that takes all labelled groups has one draw: every draw would be the same")
    return lines


def _whole(plan: Plan) -> list[str]:
    """A sentence on steps that are left out of the views, as they would cut or mirror a text."""
    if plan.material.task != TRANSCRIPTION:
        return []
    names = left_out_steps(plan.recipe(plan.material.table, plan.initial.base))
    if not names:
        return []
    return [f"the views go without {' and '.join(repr(name) for name in names)}: a transcript is of the whole sample"]


def _fine_tuned(plan: Plan, draw: ComparedDraw) -> str:
    config = plan.training(FINE_TUNED, draw).config
    options = FineTuneOptions.model_validate(
        {name: value for name, value in config.method.model_dump().items() if name != "name"}
    )
    layers = {"all": "all layers move", "head": "only the head moves"}.get(
        options.layers, f"the head and the last {_stages(options.layers)}"
        if options.layers.isdecimal() else options.layers,
    )  # fmt: skip
    decay = f", {options.layer_decay:g} times that for each stage below" if options.layer_decay != 1 else ""
    head = "starts as that of the frozen probe" if options.head_start == "probe" else "starts fresh"
    return (
        f"fine-tuned: {layers}, {config.train.optimizer} at {config.train.lr:g}{decay}; the head {head}; BatchNorm "
        f"statistics are {options.batch_norm}"
    )


def _stages(number: str) -> str:
    return "stage move" if number == "1" else f"{number} stages move"


def _scratch(plan: Plan, draw: ComparedDraw) -> str:
    config = plan.training(EQUAL_STEPS, draw).config
    head_lr = config.method.model_dump().get("head_lr")
    head = "" if head_lr is None else f" (its head at {head_lr:g})"
    return (
        f"scratch: random weights, all layers, {config.train.optimizer} at {config.train.lr:g}{head}; the same batches "
        "and, at equal steps, the same views"
    )


def views_remark(draw: ComparedDraw, selections: Mapping[str, float] | None, best: str) -> str:
    """Which views the arm *scratch, equal effort* got, and why.

    Args:
        draw: The draw whose groups the views were chosen on.
        selections: Selection score of each candidate on validation groups; None when nothing could be chosen.
        best: The chosen candidate.
    """
    if selections is None:
        return "scratch, equal effort: the views of the recipe; there is no labelled group to choose them on"
    words = {RECIPE: "the recipe's views", NO_VIEWS: "no augmentation"}
    other = RECIPE if best == NO_VIEWS else NO_VIEWS
    return (
        f"scratch, equal effort: {words[best]}, chosen once, on groups held out of "
        f"{plural(draw.labels.groups, 'labelled group')}, at the same number of steps ({selections[best]:.3f} against "
        f"{selections[other]:.3f} with {words[other]}; higher is better)"
    )
