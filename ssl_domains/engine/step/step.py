"""One training step: views, embeddings, pairs, loss, update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.gathering import gather_rows, view_major
from ssl_domains.engine.processes.precision import Precision
from ssl_domains.engine.step.embedding import Seen, WholeBatch
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.gradient_caching import GradientCaching
from ssl_domains.engine.step.optimisers import set_learning_rate
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.errors import UsageError
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method
from ssl_domains.pairs import BoundObjective, Rows
from ssl_domains.views import Viewed, ViewRecipe

__all__ = ["StepResult", "TrainingStep"]


@dataclass(frozen=True)
class StepResult:
    """What a step leaves to look at; everything is still on the device.

    Attributes:
        out: Embeddings of this process's rows, view-major.
        loss: This process's share of the loss, and its parts.
        samples: int64 ``[b]`` positions of this process's samples; with partners, those of the even views.
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
        micro_batch_size: Samples in the encoder at a time; None for all of this process.
        world: The processes that take part; each is given its slice of the global batch.
        model: DistributedDataParallel around the method; None where there is one process.
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
    micro_batch_size: int | None = None
    world: World = field(default_factory=World)
    model: nn.Module | None = None

    def __call__(self, batch: Batch, step: int) -> StepResult:
        """Do step number ``step``, counted over the whole run from 0."""
        set_learning_rate(self.optimiser, self.lr * self.schedule.factor(step))
        self.optimiser.zero_grad(set_to_none=True)
        out, loss = self._embed(len(batch.samples))(
            len(batch.samples),
            lambda part: self._see(batch, step, part),
            lambda out, emitted: self._score(batch, out, emitted),
        )
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.clip_norm)
        self.optimiser.step()
        self.method.after_step(out, (step + 1) / max(1, self.schedule.total_steps))
        return StepResult(out, loss, batch.samples, self.recipe.views)

    def _embed(self, samples: int) -> WholeBatch | GradientCaching:
        model, processes = self.model or self.method, self.world.size
        if self.micro_batch_size is None or self.micro_batch_size >= samples:
            return WholeBatch(model, self.precision, processes)
        return GradientCaching(model, self.method, self.precision, self.micro_batch_size, self.recipe.views, processes)

    def _see(self, batch: Batch, step: int, part: slice) -> Seen:
        """The views of some samples; with partners, every odd view is made of the partner."""
        count, size = self.recipe.views, len(batch.samples)
        slots = torch.arange(part.start, part.stop) + self.world.rank * size
        views: list[Viewed | None] = [None] * count
        kinds = len(batch.index) // size
        for kind in range(kinds):
            rows = slice(part.start + kind * size, part.stop + kind * size)
            numbers = range(kind, count, kinds)
            made = self.recipe.device_views(
                batch.images[rows],
                None if batch.mask is None else batch.mask[rows],
                seed=self.seed,
                step=step,
                slots=slots,
                columns={name: values[rows] for name, values in batch.columns.items()},
                only=numbers,
            )
            for number, view in zip(numbers, made, strict=True):
                views[number] = view
        whole = [view for view in views if view is not None]
        emitted = {name: torch.cat([view.emitted[name] for view in whole]) for name in whole[0].emitted}
        return Seen(torch.cat([view.images for view in whole]), _masks(whole), emitted)

    def _score(self, batch: Batch, out: Embeddings, emitted: Mapping[str, Tensor]) -> tuple[Embeddings, LossOutput]:
        views, world = self.recipe.views, self.world
        if world.size == 1:
            pairs = self.pairs.pairs(_rows(batch.whole, views, emitted)).to(out.z.device)
            return out, self.method.loss(out, pairs)
        of_all = {name: view_major(world.everywhere(emitted[name].cpu()), world.size, views) for name in emitted}
        rows = _rows(batch.whole, views, of_all)
        mine = torch.arange(len(rows)).view(views, world.size, -1)[:, world.rank].flatten()
        pairs = self.pairs.pairs(rows.take(mine), rows).to(out.z.device)
        asked = _Asked(world)
        out = replace(out, candidates=view_major(gather_rows(out.z), world.size, views), total_anchors=asked)
        loss = self.method.loss(out, pairs)
        if not asked.ever:
            raise UsageError(
                f"the loss of {type(self.method).__name__} averages over the anchors of its own process",
                "it must divide by out.total_anchors(anchors): train in one process until it does",
            )
        return out, loss


class _Asked:
    """`World.total` that knows whether it was asked: a mean over one process's anchors is the wrong loss."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ever = False

    def __call__(self, anchors: Tensor) -> Tensor:
        self.ever = True
        return self.world.total(anchors)


def _rows(whole: Tensor, views: int, emitted: Mapping[str, Tensor]) -> Rows:
    """The rows of the global batch ``whole [kinds, B]``, view-major."""
    if len(whole) == 1:
        return Rows.of(whole[0], views, emitted=emitted)
    samples = whole[torch.arange(views) % len(whole)]
    rows = Rows.of(whole[0], views, emitted=emitted)
    return replace(rows, sample=samples.flatten())


def _masks(views: Sequence[Viewed]) -> Tensor | None:
    """bool ``[views·B, 1, S, S]``; None when every view is valid throughout."""
    if all(view.mask is None for view in views):
        return None
    whole = [
        torch.ones_like(view.images[:, :1], dtype=torch.bool) if view.mask is None else view.mask for view in views
    ]
    return torch.cat(whole)
