"""One training step: views, embeddings, pairs, loss, update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_domains.engine.feed import Batch
from ssl_domains.engine.optimisers import set_learning_rate
from ssl_domains.engine.precision import Precision, autocast
from ssl_domains.engine.schedule import Schedule
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method
from ssl_domains.pairs import BoundObjective, Rows
from ssl_domains.views import Viewed, ViewRecipe

__all__ = ["StepResult", "TrainingStep"]


@dataclass(frozen=True)
class StepResult:
    """What a step leaves to look at; everything is still on the device.

    Attributes:
        out: Embeddings of all rows, view-major.
        loss: The loss and its parts.
        samples: int64 ``[B]`` positions of the samples.
        views: Views of each sample.
    """

    out: Embeddings
    loss: LossOutput
    samples: Tensor
    views: int


@dataclass
class TrainingStep:
    """Takes a batch through one update.

    Attributes:
        method: What is trained.
        optimiser: Updates it.
        schedule: Factor on ``lr`` by step.
        lr: Peak learning rate.
        recipe: Makes the views.
        pairs: Says which rows are positives.
        seed: Of the views.
        precision: Of the encoder; the loss is float32.
        clip_norm: Largest gradient norm; None does not clip.
    """

    method: Method
    optimiser: torch.optim.Optimizer
    schedule: Schedule
    lr: float
    recipe: ViewRecipe
    pairs: BoundObjective
    seed: int
    precision: Precision
    clip_norm: float | None = None

    def __call__(self, batch: Batch, step: int) -> StepResult:
        """Do step number ``step``, counted over the whole run from 0."""
        slots = torch.arange(len(batch.index))
        views = self.recipe.device_views(
            batch.images, batch.mask, seed=self.seed, step=step, slots=slots, columns=batch.columns
        )
        images = torch.cat([view.images for view in views])
        emitted = {name: torch.cat([view.emitted[name] for view in views]) for name in views[0].emitted}
        rows = Rows.of(batch.index, len(views), emitted=emitted)
        pairs = self.pairs.pairs(rows).to(images.device)

        set_learning_rate(self.optimiser, self.lr * self.schedule.factor(step))
        self.optimiser.zero_grad(set_to_none=True)
        with autocast(images.device, self.precision):
            out = self.method(images, _masks(views))
        loss = self.method.loss(out, pairs)
        loss.loss.backward()  # type: ignore[no-untyped-call]
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.clip_norm)
        self.optimiser.step()
        self.method.after_step(out, (step + 1) / max(1, self.schedule.total_steps))
        return StepResult(out, loss, batch.index, len(views))


def _masks(views: Sequence[Viewed]) -> Tensor | None:
    """bool ``[views·B, 1, S, S]``; None when every view is valid throughout."""
    if all(view.mask is None for view in views):
        return None
    whole = [
        torch.ones_like(view.images[:, :1], dtype=torch.bool) if view.mask is None else view.mask for view in views
    ]
    return torch.cat(whole)
