"""Builds all objects of a run from its configuration: pairs, batches, encoder, method, optimiser and schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from timm.layers import convert_sync_batchnorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ssl_domains.encoders import encoder_stages, first_stages, stage_factors
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.engine.loop.pair_plan import PairPlan, plan_pairs
from ssl_domains.engine.loop.parts import Parts, recipe_of
from ssl_domains.engine.loop.refreshing import Refresher
from ssl_domains.engine.processes.batch_norm import SharedBatchNorm, share_batch_norms
from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.generators import reseed
from ssl_domains.engine.processes.precision import resolve_device, resolve_precision
from ssl_domains.engine.record.config import RunConfig, TrainConfig
from ssl_domains.engine.step.feed import Feed
from ssl_domains.engine.step.gradient_caching import refuse_micro_batch_norm
from ssl_domains.engine.step.optimisers import create_optimiser
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.engine.step.step import TrainingStep
from ssl_domains.errors import UsageError
from ssl_domains.methods import Method, TrainingSet, needs_with
from ssl_domains.pairs import Computed, Objective
from ssl_domains.views import (
    Canvas,
    ImagePreprocess,
    InputDataset,
    Preprocess,
    Recipe,
    crop_of,
    emitted_names,
    fitted_preprocess,
    recipe_to_dict,
    replaced_names,
)
from ssl_domains.views.draws import fold
from ssl_domains.views.recipe_steps import moving_steps

__all__ = ["Assembled", "assemble", "preprocess_of"]

_SEEDS = 2**63 - 1


@dataclass(frozen=True)
class Assembled:
    """All objects of a run, ready for the first step or for loading a checkpoint.

    Attributes:
        config: The resolved configuration.
        plan: The pairs and the plan of batches.
        preprocess: Turns an array of the store into the encoder's input.
        feed: Gives the batches.
        step: Trains on one batch.
        device: Device of the training.
        steps_per_epoch: Steps of the first epoch; a refresh may change how many the later ones have.
        refresher: Computes the refreshed columns, edges and state of the method; None if it has none.
    """

    config: RunConfig
    plan: PairPlan
    preprocess: Preprocess
    feed: Feed
    step: TrainingStep
    device: torch.device
    steps_per_epoch: int
    refresher: Refresher | None

    @property
    def method(self) -> Method:
        """The method that is trained."""
        return self.step.method

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.step.schedule.total_steps

    @property
    def parameters(self) -> int:
        """Number of trained parameters (scalars)."""
        return sum(parameter.numel() for parameter in self.method.parameters() if parameter.requires_grad)

    @property
    def warnings(self) -> list[str]:
        """Warnings to print before training starts."""
        return [
            *self._batch_norm_warnings(),
            *self._equal_view_warnings(),
            *getattr(self.method.encoder, "resampled", ()),
        ]

    def _batch_norm_warnings(self) -> list[str]:
        norms = [layer for layer in self.method.modules() if isinstance(layer, _BatchNorm)]
        if self.step.world.size == 1 or self.device.type != "cpu" or all(isinstance(x, SharedBatchNorm) for x in norms):
            return []
        share = self.config.train.batch_size // self.step.world.size
        return [f"on a CPU each process's BatchNorm has statistics of its own {share} samples, not of the whole batch"]

    def _equal_view_warnings(self) -> list[str]:
        recipe, seats = self.step.recipe, self.plan.sampler.composition.seats
        described = recipe_to_dict(recipe)
        changed = described.get("steps") != [] or crop_of(recipe) is not None
        dropped = any(isinstance(layer, _DropoutNd) and layer.p > 0 for layer in self.method.encoder.modules())
        if changed or dropped or recipe.views // seats < 2:
            return []
        return ["the views of a sample are equal: no step changes them, and the encoder has no dropout"]

    def refresh(self) -> None:
        """Recompute the method's columns, edges and state; later batches and losses use them."""
        assert self.refresher is not None
        self.plan.restore(self.refresher(self.plan.binding.computed, self.step.optimiser))
        self.step.pairs = self.plan.scored_by

    @property
    def composition(self) -> str:
        """A sentence on how batches are composed, and why."""
        return f"batches by {self.plan.sampler.composition.kind!r} ({self.plan.sampler.reason})"


def assemble(
    config: RunConfig,
    parts: Parts,
    world: World,
    *,
    fitted: Mapping[str, Sequence[float]] | None = None,
    preprocess: Preprocess | None = None,
    computed: Computed | None = None,
    load_initial: bool = True,
    folder: Path | None = None,
) -> Assembled:
    """Build all objects of a run; called in every process, inside `ssl_domains.engine.processes.generators.seeded`.

    Args:
        config: Configuration returned by `resolve_config`.
        parts: Table, store, rule, recipe and method.
        world: The processes that train.
        fitted: Bin edges of a resumed run; None fits them.
        preprocess: Preprocess of a resumed run; None fits the scaling.
        computed: Columns and edges that the method had computed in a resumed run; None computes them if the method has
            a refresh.
        load_initial: Whether the weights of ``encoder.init`` are loaded; False when a checkpoint will replace them.
        folder: The run folder, for the features of a refresh; None takes a temporary folder.
    """
    train = config.train
    with world.together():
        device = resolve_device(train.device)
        precision = resolve_precision(train.precision, device)
        if preprocess is None:
            preprocess = preprocess_of(config, parts)
        needs = needs_with(parts.method, config.method.model_dump())
        recipe = recipe_of(config, parts)
        dataset = InputDataset(
            parts.table, parts.store, preprocess, config.data.cache_gb,
            crop=crop_of(recipe), views=recipe.views, seed=train.seed, drawn=True, beside=parts.beside,
        )  # fmt: skip
        emitted = emitted_names(recipe)
        read = Objective.of(parts.objective).columns.intersection(emitted)
        training = TrainingSet(len(parts.table), train.batch_size, tuple(sorted(read)), moving_steps(recipe))
        method = _method(config, parts, preprocess, world, device, load_initial, training)
        micro = train.micro_batch_size
        if micro is not None and micro * world.size < train.batch_size and not train.micro_batch_norm:
            refuse_micro_batch_norm(method, micro)
    refresher = None
    if method.refresh is not None:
        refresh = method.refresh
        refresher = Refresher(method, dataset, parts.table, device, precision, world, folder)
        if computed is None and refresh.start:
            computed = Computed.nothing(len(parts.table), refresh.columns, refresh.edges)
        computed = refresher(None) if computed is None else computed
    with world.together():
        plan = plan_pairs(
            config, parts.table, parts.objective, parts.composition,
            fitted=fitted, emitted=emitted, replaced=replaced_names(recipe), computed=computed, world=world,
        )  # fmt: skip
        columns = {name: parts.table.numbers(name) for name in _table_columns(recipe)}
        seats = plan.sampler.composition.seats
        if recipe.views % seats:
            least = max(seats, -(-needs.views // seats) * seats)
            raise UsageError(
                f"a slot has {seats} seats, and {recipe.views} views are no multiple of them",
                f"use --set views.n={least}",
            )
        feed = Feed(dataset, plan.sampler, columns, device, config.data.workers, train.channels_last)
        per_epoch = len(plan.sampler)
        total = train.epochs * per_epoch
        if train.max_steps is not None:
            total = min(total, train.max_steps)
        step = TrainingStep(
            method=method,
            optimiser=create_optimiser(method, train, _lr_factors(method, train)),
            schedule=Schedule.of(total, per_epoch, train.warmup_epochs),
            lr=train.lr,
            recipe=recipe,
            pairs=plan.scored_by,
            seed=train.seed,
            precision=precision,
            clip_norm=train.clip_norm,
            micro_batch_size=train.micro_batch_size,
            world=world,
            finish=dataset.finish if hasattr(preprocess, "finish") else None,
        )
    step.model = world.parallel(method)
    if not world.first:
        # Each process needs other random numbers for dropout.
        reseed(fold(train.seed, world.rank) & _SEEDS)
    return Assembled(config, plan, preprocess, feed, step, device, per_epoch, refresher)


def _table_columns(recipe: Recipe) -> list[str]:
    """Columns of the table that the view steps read; numbers that the crop emits don't come from the table."""
    crop = crop_of(recipe)
    return sorted(set(recipe.columns) - set(() if crop is None else crop.emitted))


def preprocess_of(config: RunConfig, parts: Parts) -> Preprocess:
    """The preprocess of a new run, fitted on its training rows where it has to be fitted.

    Args:
        config: Configuration returned by `resolve_config`.
        parts: The parts of the run.
    """
    if parts.preprocess is not None:
        return fitted_preprocess(parts.preprocess, parts.table, parts.store)
    assert parts.scaling is not None
    canvas = Canvas(*config.views.square)
    return ImagePreprocess(parts.scaling.fit(parts.table, parts.store), canvas, config.encoder.in_chans or 1)


def _method(
    config: RunConfig,
    parts: Parts,
    preprocess: Preprocess,
    world: World,
    device: torch.device,
    load_initial: bool,
    training: TrainingSet,
) -> Method:
    init = config.encoder.init if load_initial else "random"
    segments = config.encoder.segments
    encoder = initial_encoder(config.encoder.name, preprocess.spec, init, config.train.seed, segments)
    if config.encoder.dropout is not None:
        encoder.set_dropout(config.encoder.dropout)
    if config.encoder.freeze:
        encoder.freeze(first_stages(encoder, config.encoder.freeze))
    method = parts.method.build(encoder, {**config.head.model_dump(), **config.method.model_dump()})
    if not isinstance(method, Method):
        raise UsageError(f"build of {config.method.name!r} gives a {type(method).__name__}", "it must return a Method")
    method.prepare(training)
    if world.size > 1:
        if device.type == "cuda":
            method = convert_sync_batchnorm(method)
        else:
            share_batch_norms(method)
    # torch refuses this layout for weights with five sides, those of 3-D convolutions.
    volumes = any(one.ndim == 5 for one in (*method.parameters(), *method.buffers()))
    layout = torch.channels_last if config.train.channels_last and not volumes else torch.contiguous_format
    method.to(device, memory_format=layout).train()  # type: ignore[call-overload]
    if config.train.compile:
        method.encoder.compile()  # in place, so that the names of the weights don't change
    return method


def _lr_factors(method: Method, train: TrainConfig) -> dict[str, float]:
    """Factors of the method, times ``train.layer_decay`` for each stage of the encoder below the last."""
    factors = dict(method.lr_factors(train.lr))
    if train.layer_decay != 1:
        for name, factor in stage_factors(encoder_stages(method.encoder), train.layer_decay).items():
            factors[f"encoder.{name}"] = factors.get(f"encoder.{name}", 1.0) * factor
    return factors
