"""One training step: views, embeddings, pairs, loss, update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.generators import drawing_apart
from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.engine.step.batch_rows import BatchRows
from ssl_domains.engine.step.embedding import WholeBatch
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.gradient_caching import GradientCaching
from ssl_domains.engine.step.optimisers import set_learning_rate
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method, RowPairs, Target, ViewPlan
from ssl_domains.pairs import BoundObjective, Rows
from ssl_domains.views import Recipe
from ssl_domains.views.draws import fold, operation_code, row_keys

__all__ = ["StepResult", "TrainingStep"]


@dataclass(frozen=True)
class StepResult:
    """Results of a step, for logs and health checks; tensors are still on the device.

    Attributes:
        out: Embeddings of this process's rows.
        loss: This process's share of the loss, and its numbers by relation.
        samples: int64 ``[b]`` positions of this process's samples; with several seats, those of the first seat.
        rows: Rows of all processes, in the order of ``out.whole()``.
        flags: Name of each flag of the views → number of views of this process that could have it. ``loss.counts`` has
            the number of those that do.
    """

    out: Embeddings
    loss: LossOutput
    samples: Tensor
    rows: Rows
    flags: Mapping[str, int] = field(default_factory=dict)


@dataclass
class TrainingStep:
    """Trains the method on one batch: views, embeddings, pairs, loss, gradients, update.

    Attributes:
        method: The method that is trained.
        optimiser: Updates its parameters.
        schedule: Factor on ``lr`` at each step.
        lr: Peak learning rate.
        recipe: Makes the views.
        pairs: The rule, bound to the training rows.
        seed: Seed of the views.
        precision: Precision of the encoder; the loss is float32.
        clip_norm: Largest gradient norm; None does not clip.
        micro_batch_size: Samples in the encoder at a time; None for all samples of this process.
        world: The processes; each trains on its slots of the global batch.
        model: DistributedDataParallel around the method; None where there is one process.
        finish: Turns inputs that the recipe left in the form in which they are loaded into that of the encoder, and
            returns others as they are; None where both forms are the same.
    """

    method: Method
    optimiser: torch.optim.Optimizer
    schedule: Schedule
    lr: float
    recipe: Recipe
    pairs: BoundObjective
    seed: int
    precision: Precision
    clip_norm: float | None = None
    micro_batch_size: int | None = None
    world: World = field(default_factory=World)
    model: nn.Module | None = None
    finish: Callable[[Input], Input] | None = None

    def __call__(self, batch: Batch, step: int) -> StepResult:
        """Train on a batch.

        Args:
            batch: The samples of this process's slots.
            step: Number of the step, counted over the whole run from 0.
        """
        set_learning_rate(self.optimiser, self.lr * self.schedule.factor(step))
        self.optimiser.zero_grad(set_to_none=True)
        views = _BatchViews(batch, step, self.recipe, self.seed, self.world, self.method.needs, self.finish)
        targets = self._target(views, step)
        rows: list[Rows] = []

        def score(out: Embeddings) -> tuple[Embeddings, LossOutput]:
            if not isinstance(out, Embeddings):
                raise UsageError(f"embed gives a {type(out).__name__}", "it must return Embeddings")
            out, whole, pairs = self._rows(batch, views, _with_targets(out, targets))
            rows.append(whole)
            loss = self.method.loss(out, pairs)
            if not isinstance(loss, LossOutput):
                raise UsageError(
                    f"loss gives a {type(loss).__name__}", "it must return LossOutput, or LossOutput.plain(…)"
                )
            counts = {name: flagged.sum() for name, flagged in views.flags.items()}
            return out, replace(loss, counts={**loss.counts, **counts}) if counts else loss

        out, loss = self._embed(len(batch.samples))(len(batch.samples), views, score)
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.clip_norm)
        self.optimiser.step()
        with torch.no_grad():
            self.method.after_step(out, (step + 1) / max(1, self.schedule.total_steps))
        flags = {name: flagged.numel() for name, flagged in views.flags.items()}
        return StepResult(out, loss, batch.samples, rows[0], flags)

    def _embed(self, samples: int) -> WholeBatch | GradientCaching:
        model, processes = self.model or self.method, self.world.size
        if self.micro_batch_size is None or self.micro_batch_size >= samples:
            return WholeBatch(model, self.precision, processes)
        return GradientCaching(model, self.method, self.precision, self.micro_batch_size, processes)

    @torch.no_grad()
    def _target(self, views: _BatchViews, step: int) -> Mapping[str, Tensor | Target]:
        if type(self.method).target is Method.target:
            return {}
        views.keep = self.micro_batch_size is None
        all_of_process = views(slice(0, views.slots))
        # With generators apart, so that dropout in a momentum copy doesn't change the encoder's random numbers.
        with (
            drawing_apart(fold(self.seed, step, self.world.rank, operation_code("target")), all_of_process.device),
            autocast(all_of_process.device, self.precision),
        ):
            return self.method.target(all_of_process)

    def _rows(self, batch: Batch, views: _BatchViews, out: Embeddings) -> tuple[Embeddings, Rows, RowPairs]:
        """The embeddings with their exchange between processes, the rows of all processes, and the pairs."""
        batch_rows = BatchRows(batch.whole, self.recipe.views, self.world, batch.negatives)
        rows, whole, exchange, locate = batch_rows.rows(out, views.part, views.emitted)
        anchors = batch_rows.anchors(rows, self.method.needs.anchors)
        pairs = RowPairs(self.pairs, rows, whole, out.z.device, anchors)
        return replace(out, rows=whole, exchange=exchange, locate=locate), whole, pairs


class _BatchViews:
    """Makes the views of some slots of a batch, and collects the numbers that the views emit.

    With ``S`` seats, view ``v`` shows seat ``v mod S``.
    """

    def __init__(
        self,
        batch: Batch,
        step: int,
        recipe: Recipe,
        seed: int,
        world: World,
        needs: ViewPlan,
        finish: Callable[[Input], Input] | None = None,
    ) -> None:
        self.needs = needs
        self.finish = finish
        self.keep = False  # whether the views of all slots are made once and kept
        self.batch = batch
        self.step = step
        self.recipe = recipe
        self.seed = seed
        self.slots = len(batch.samples)
        self.first_slot = world.rank * self.slots
        self.emitted: dict[str, Tensor] = {}
        self.flags: dict[str, Tensor] = {}
        self.part: Tensor | None = None
        self._all: Views | None = None

    def __call__(self, part: slice) -> Views:
        """The views of a slice of this process's slots; the slice has a start and a stop."""
        all_slots = (part.start, part.stop) == (0, self.slots)
        if all_slots and self._all is not None:
            return self._all
        views = Views(self._views(part))
        for name, values in views.emitted.items():
            if name not in self.emitted:
                self.emitted[name] = torch.full((len(views) * self.slots,), torch.nan, dtype=torch.float64)
            self.emitted[name].view(len(views), -1)[:, part] = values.view(len(views), -1).cpu()
        for number, view in enumerate(views.each):
            for name, flagged in view.flags.items():
                if name not in self.flags:
                    self.flags[name] = torch.zeros(len(views), self.slots, dtype=torch.bool, device=flagged.device)
                self.flags[name][number, part] = flagged
        if any(view.part for view in views.each):
            self.part = torch.tensor([view.part for view in views.each]).repeat_interleave(self.slots)
        if all_slots and self.keep:
            self._all = views
        return views

    def _views(self, part: slice) -> tuple[View, ...]:
        count, seats = self.recipe.views, len(self.batch.whole)
        made: dict[int, View] = {}
        if self.batch.crops:
            for view, crop in enumerate(self.batch.crops):
                crop = crop.take(part)
                (one,) = self._of(crop.input, crop.beside, part, view % seats, [view], crop.emitted)
                made[view] = replace(one, emitted={**crop.emitted, **one.emitted})
        else:
            assert self.batch.input is not None
            for seat in range(seats):
                rows = slice(part.start + seat * self.slots, part.stop + seat * self.slots)
                numbers = range(seat, count, seats)
                beside = [one.take(rows) for one in self.batch.beside]
                views = self._of(self.batch.input.take(rows), beside, part, seat, numbers, {})
                made.update(zip(numbers, views, strict=True))
        if self.finish is not None:
            made = {n: replace(v, input=self.finish(v.input)) for n, v in made.items()}
        if self.needs.validity:
            made = {n: replace(v, input=replace(v.input, valid=v.input.with_valid())) for n, v in made.items()}
        if self.needs.draws:
            slots = torch.arange(part.start, part.stop) + self.first_slot
            made = {n: replace(v, keys=row_keys(self.seed, self.step, slots, n)) for n, v in made.items()}
        return tuple(made[number] for number in range(count))

    def _of(
        self,
        shown: Input,
        beside: Sequence[Input],
        part: slice,
        seat: int,
        numbers: Sequence[int],
        emitted: Mapping[str, Tensor],
    ) -> list[View]:
        """Some views of the samples in one seat of a slice of the slots; ``emitted`` are the numbers of their crop."""
        rows = slice(part.start + seat * self.slots, part.stop + seat * self.slots)
        return self.recipe.views_of(
            *(one.trimmed() for one in (shown, *beside)),
            seed=self.seed,
            step=self.step,
            slots=torch.arange(part.start, part.stop) + self.first_slot,
            columns={**{name: values[rows] for name, values in self.batch.columns.items()}, **emitted},
            only=numbers,
        )


def _with_targets(out: Embeddings, targets: Mapping[str, Tensor | Target]) -> Embeddings:
    if not targets:
        return out
    values = {name: one.values if isinstance(one, Target) else one for name, one in targets.items()}
    of = {name: one.of for name, one in targets.items() if isinstance(one, Target)}
    for name, rows in of.items():
        if len(rows) != len(values[name]) or bool((rows[1:] <= rows[:-1]).any()):
            raise UsageError(
                f"`of` of the target {name!r} is not one ascending row a value", "sort values and rows by row"
            )
    return replace(out, targets={name: value.detach() for name, value in values.items()}, target_of=of)
