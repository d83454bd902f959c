"""What trainings with labels have in common: one view of each sample, resuming, and whether the loss has levelled."""

from __future__ import annotations

import shutil
from dataclasses import is_dataclass, replace
from pathlib import Path

from ssl_domains.engine import Run, RunConfig
from ssl_domains.engine.record.checkpoint import OtherConfigError, OtherSamplesError
from ssl_domains.finetuning import FineTuneParts, finetune
from ssl_domains.finetuning.measuring.levelling import levelling
from ssl_domains.studies.design.cells import NOT_LEVELLED
from ssl_domains.views import Recipe

__all__ = ["levelling_remark", "one_view", "resumed_or_new"]


def one_view(recipe: Recipe) -> Recipe:
    """The recipe with one view of each sample, where it has a number of views."""
    if not (is_dataclass(recipe) and hasattr(recipe, "views")):
        return recipe
    single: Recipe = replace(recipe, views=1)
    return single


def resumed_or_new(config: RunConfig, parts: FineTuneParts, folder: Path) -> Run:
    """Train, or resume a training that was stopped."""
    config = config.with_values({"train.keep": 1})
    try:
        return finetune(config, parts, folder, resume=bool(Run(folder).checkpoints.paths()))
    except (OtherConfigError, OtherSamplesError):
        # The checkpoint is of another version of the study and has no result: start again.
        shutil.rmtree(folder)
        return finetune(config, parts, folder)


def levelling_remark(run: Run) -> str:
    """A remark when the loss of a supervised training still fell at its end; empty otherwise."""
    found = levelling(run.metrics(), run.config.train.max_steps or run.step)
    return NOT_LEVELLED if found is not None and not found.levelled else ""
