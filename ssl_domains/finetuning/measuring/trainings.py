"""The trainings of a comparison: their rows, configuration, views and folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import RunConfig
from ssl_domains.engine.record.config_file import with_method_options
from ssl_domains.errors import DataError, UsageError
from ssl_domains.finetuning.configuration import finetune_config
from ssl_domains.finetuning.measuring.draws import ComparedDraw
from ssl_domains.finetuning.measuring.effort import equal_effort_steps
from ssl_domains.finetuning.measuring.initial import InitialWeights
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.parts import DrawnFrom, FineTuneParts
from ssl_domains.finetuning.report import EQUAL_EFFORT, FINE_TUNED
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable
from ssl_domains.views import Recipe, with_label_maps

__all__ = ["NO_VIEWS", "RECIPE", "Plan", "RecipeOf", "Training"]

RECIPE, NO_VIEWS = "recipe", "none"
"""Views of a training: those of the domain's recipe, or the samples as they are."""

RecipeOf = Callable[[SampleTable, RunConfig], Recipe]
"""Makes the views of training rows for a configuration."""

_OF_FINE_TUNING = {
    "encoder.init", "train.lr", "method.layers", "method.layer_decay", "method.head_lr", "method.batch_norm",
    "method.head_start",
}  # fmt: skip
"""Keys of ``--set`` that say how pre-trained weights are moved; scratch keeps its own values of them."""

_OF_STEPS = {"train.epochs", "train.max_steps", "train.batch_size"}


@dataclass(frozen=True)
class Training:
    """One training with labels.

    Attributes:
        arm: Arm of the report that it belongs to.
        name: Name of its folder within the comparison.
        draw: The draw; its labelled rows, or a part of them, are trained on.
        rows: bool ``[n]`` over the rows of the comparison: the rows that it is trained on.
        config: Its configuration.
        views: ``recipe`` or ``none``.
        scratch: Whether it starts from random weights.
        inner: Whether it is trained to choose the views, on a part of the labelled groups.
    """

    arm: str
    name: str
    draw: ComparedDraw
    rows: NDArray[np.bool_]
    config: RunConfig
    views: str = RECIPE
    scratch: bool = False
    inner: bool = False

    @property
    def steps(self) -> int:
        """Its steps."""
        assert self.config.train.max_steps is not None
        return self.config.train.max_steps

    @property
    def title(self) -> str:
        """What it is, in words."""
        where = f"{plural(self.draw.labels.groups, 'labelled group')}, draw {self.draw.number}"
        choice = {RECIPE: ", trying the recipe's views", NO_VIEWS: ", trying no augmentation"}[self.views]
        return f"{self.arm}, {where}{choice if self.inner else ''}"


@dataclass(frozen=True)
class Plan:
    """Makes the trainings of a comparison.

    Attributes:
        material: The rows.
        initial: The weights that are fine-tuned.
        recipe: Makes the views.
        sets: Values of the configuration that the user gave, by dotted key.
        head: Head of masks: ``conv`` or ``deeplab``.
        processes: Number of processes that share a batch.
    """

    material: Material
    initial: InitialWeights
    recipe: RecipeOf
    sets: Mapping[str, Any]
    head: str = "conv"
    processes: int = 1

    def training(self, arm: str, draw: ComparedDraw, *, views: str = RECIPE, inner: bool = False) -> Training:
        """The training of an arm on a draw.

        Args:
            arm: ``fine-tuned``, ``scratch, equal steps`` or ``scratch, equal effort``.
            draw: The draw.
            views: ``recipe`` or ``none``.
            inner: Whether it chooses the views: it is then trained on a part of the labelled groups, see `inner_rows`.

        Raises:
            UsageError: For a configuration that doesn't fit.
            DataError: When fewer than two rows are labelled.
        """
        name = f"{arm.replace(', ', '-').replace(' ', '-')}-{draw.name}"
        name += f"-choosing-{views}" if inner else ""
        rows = self.inner_rows(draw) if inner else draw.labels.rows
        scratch = arm != FINE_TUNED
        config = self._config(int(rows.sum()), draw.number, scratch=scratch)
        if arm == EQUAL_EFFORT:
            assert self.initial.effort is not None
            fine_tuned = self._config(int(draw.labels.rows.sum()), draw.number, scratch=False).train
            assert fine_tuned.max_steps is not None
            steps = equal_effort_steps(fine_tuned.max_steps, fine_tuned.batch_size, self.initial.effort)
            config = self._config(int(rows.sum()), draw.number, scratch=True, steps=steps)
        return Training(arm, name, draw, rows, config, views, scratch, inner)

    def inner_rows(self, draw: ComparedDraw) -> NDArray[np.bool_]:
        """bool ``[n]``: rows of about three quarters of the labelled groups of a draw, in which every class occurs.

        The other labelled groups are validation groups, by which the views of the scratch arm are chosen. All labelled
        rows where no group is left for validation.
        """
        return draw.inner(self.material.labels, self.material.split.groups)

    def parts(self, training: Training) -> FineTuneParts:
        """Rows, labels, views and weights of a training."""
        material, rows = self.material, np.flatnonzero(training.rows)
        table = material.table.take(rows)
        drawn = self._drawn_from(rows)
        recipe = self.recipe(table if drawn is None else drawn.table, training.config)
        return FineTuneParts(
            table=table,
            store=material.store,
            recipe=_plain(recipe) if training.views == NO_VIEWS else recipe,
            label=material.label,
            labels=material.labels.take(rows) if material.targets is None else None,
            masks=None if material.targets is None else material.targets.take(rows),
            drawn=drawn,
            groups=material.split.groups[rows],
            preprocess=self.initial.preprocess,
            start=None if training.scratch else self.initial.init,
            head=self.head,
            every_class=False,  # a class that no training group has is refused with the material
        )

    def _drawn_from(self, rows: NDArray[np.int64]) -> DrawnFrom | None:
        """What crops of some rows are drawn from; None where the rows are whole samples."""
        material = self.material
        if material.tiles is None or material.targets is None:
            return None
        placing = with_label_maps(self.initial.preprocess, "the encoder")
        return DrawnFrom.of(material.tiles.take(rows), material.targets.take(rows), placing)

    def chooses_views(self, draw: ComparedDraw) -> bool:
        """Whether views can be chosen: the recipe has steps to leave out, and a labelled group is left to validate."""
        inner = self.inner_rows(draw)
        if inner.sum() < 2 or not (draw.labels.rows & ~inner).any():
            return False
        recipe = self.recipe(self.material.table, self.initial.base)
        return _has_steps(recipe) and bool(getattr(recipe, "steps", ()))

    def _config(self, rows: int, seed: int, *, scratch: bool, steps: int | None = None) -> RunConfig:
        if rows < 2:
            raise DataError(f"{plural(rows, 'row')} with a label in a draw, two are the least", "label more groups")
        sets = dict(self.sets)
        given = steps if steps is not None else sets.get("train.max_steps")
        batch = sets.get("train.batch_size")
        options: dict[str, Any] = {} if batch is None else {"batch": batch}
        options |= {"seed": seed + sets.pop("train.seed", 0), "scratch": scratch, "processes": self.processes}
        masks = self.material.targets is not None
        config = finetune_config(self.initial.base, rows, segmentation=masks, steps=given, **options)
        if given is None and "train.epochs" in sets:
            per_epoch = -(-rows // config.train.batch_size)
            given = max(1, sets["train.epochs"] * per_epoch)
            config = finetune_config(self.initial.base, rows, segmentation=masks, steps=given, **options)
        left_out = _OF_STEPS | (_OF_FINE_TUNING if scratch else set())
        kept = {key: value for key, value in sets.items() if key not in left_out}
        return with_method_options(config.with_values(kept), FineTuneOptions)


def _has_steps(recipe: Recipe) -> bool:
    return is_dataclass(recipe) and hasattr(recipe, "steps")


def _plain(recipe: Recipe) -> Recipe:
    """The recipe without its steps; a crop, without which an array may not fit the encoder, stays."""
    if not _has_steps(recipe):
        raise UsageError(f"the recipe {type(recipe).__name__} can't do without its steps", "use --no-scratch")
    plain: Recipe = replace(recipe, steps=())  # type: ignore[type-var]
    return plain
