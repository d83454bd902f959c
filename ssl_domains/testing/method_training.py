"""Runs a few training steps of the engine with the method that is checked, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.data import Dataset

from ssl_domains.engine.loop.refreshing import Refresher
from ssl_domains.engine.processes.batch_norm import share_batch_norms
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.engine.processes.generators import generator_states, restore_generators, seeded
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.engine.step.step import StepResult, TrainingStep
from ssl_domains.methods import Method, TrainingSet
from ssl_domains.pairs import Binding, Objective, parse
from ssl_domains.samples import SampleTable
from ssl_domains.testing.method_case import SAMPLES, TABLE, MethodCase, case_of
from ssl_domains.testing.process_pool import Reference
from ssl_domains.views import Recipe, emitted_names, with_variants

__all__ = ["Trace", "batch_of", "build_method", "stop_dropping", "train", "train_here", "training_step"]

STEPS = 3
_SEED = 4


@dataclass
class Trace:
    """Gradients, losses and final state of some training steps.

    Attributes:
        gradients: Gradients of each step, by parameter.
        losses: Loss of each step, summed over processes.
        state: The method's state after the last step.
    """

    gradients: list[dict[str, Tensor]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    state: dict[str, Tensor] = field(default_factory=dict)


def build_method(case: MethodCase) -> Method:
    """The method of a case in float64, the same at every call."""
    with seeded(3):
        options = {**case.method.options().model_dump(), **case.options, **case.head}
        method = case.method.build(case.encoder(), options)  # type: ignore[arg-type]
        emitted = emitted_names(_recipe(case))
        read = _objective(case).columns.intersection(emitted)
        method.prepare(TrainingSet(SAMPLES, len(case.seats[0]), tuple(sorted(read))))
        return method.double().train()


def _recipe(case: MethodCase) -> Recipe:
    needs = case.needs
    return with_variants(case.views, needs.variants, needs.sizes)


def _objective(case: MethodCase) -> Objective:
    return Objective.of(parse(case.rule_text))


def training_step(case: MethodCase, method: Method, micro: int | None, world: World) -> tuple[TrainingStep, Binding]:
    """The engine's training step of a method, and the bound rule that a refresh changes."""
    recipe = _recipe(case)
    refresh = method.refresh
    binding = Binding.of(
        _objective(case),
        SampleTable.of(dict(TABLE)),
        columns=() if refresh is None else refresh.columns,
        edges=() if refresh is None else refresh.edges,
        emitted=recipe.emitted,
    )
    if world.size > 1:
        share_batch_norms(method)
    step = TrainingStep(
        method=method,
        optimiser=torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=0.1, momentum=0.5),
        schedule=Schedule.of(STEPS, STEPS, 0),
        lr=0.1,
        recipe=recipe,
        pairs=binding.bound,
        seed=_SEED,
        precision="float32",
        micro_batch_size=micro,
        world=world,
        model=world.parallel(method),
    )
    return step, binding


def batch_of(case: MethodCase, number: int, world: World, rotate: int = 0) -> Batch:
    """This process's part of batch ``number``; the positions of the case's seats grow by 1 from batch to batch."""
    planned = ((torch.tensor([list(seat) for seat in case.seats]) + number) % SAMPLES).roll(rotate, dims=1)
    share = planned.shape[1] // world.size
    index = planned[:, world.rank * share : (world.rank + 1) * share].flatten()
    beside = () if case.beside is None else (case.beside(index),)
    return Batch(case.inputs(index), index, {}, 0.0, planned, beside, case.negatives)


def train(
    case: MethodCase,
    *,
    micro: int | None = None,
    dropout: bool = True,
    stop_and_resume: int | None = None,
    on_step: Callable[[TrainingStep, StepResult], None] | None = None,
    device: str = "cpu",
    rotate: int = 0,
) -> Trace:
    """Train for three steps, with a refresh before the first and the third.

    Args:
        case: The case.
        micro: Micro-batch size of gradient caching; None for none.
        dropout: Whether dropout is on; with it, results depend on how a batch is divided.
        stop_and_resume: After this many steps, build all objects again and load the saved state; None for never.
        on_step: Called after each step.
        device: Device of the method and its inputs.
        rotate: Number of places by which the slots of every batch are rotated.
    """
    trace = Trace()
    with processes() as world, seeded(_SEED + world.rank):
        method = build_method(case).to(device)
        if not dropout:
            stop_dropping(method)
        step, binding = training_step(case, method, micro, world)
        for number in range(STEPS):
            if stop_and_resume == number:
                method, step, binding = _resumed(case, method, step, binding, micro, world)
            if method.refresh is not None and number != 1:
                step.pairs = _refresh(case, step, binding, number, world)
            batch = batch_of(case, number, world, rotate)
            assert batch.input is not None
            result = step(replace(batch, input=batch.input.to(device)), number)
            trace.losses.append(float(world.total(result.loss.loss.detach())))
            trace.gradients.append(
                {n: p.grad.cpu().clone() for n, p in method.named_parameters() if p.grad is not None}
            )
            if on_step is not None:
                on_step(step, result)
        trace.state = {name: value.detach().cpu().clone() for name, value in method.state_dict().items()}
    return trace


def stop_dropping(method: nn.Module) -> None:
    """Set the probability of every dropout layer to 0."""
    for layer in method.modules():
        if isinstance(layer, _DropoutNd):
            layer.p = 0.0


def train_here(reference: Reference, **options: Any) -> Trace:
    """`train` on the case of a reference; called in the processes of a pool."""
    return train(case_of(reference.load()), **options)


def _resumed(
    case: MethodCase, method: Method, step: TrainingStep, binding: Binding, micro: int | None, world: World
) -> tuple[Method, TrainingStep, Binding]:
    """A new method and step with the state of the old ones, as far as a checkpoint saves it."""
    state = {name: value.clone() for name, value in method.state_dict().items()}
    optimiser, generators, computed = step.optimiser.state_dict(), generator_states(), binding.computed
    method = build_method(case)
    step, binding = training_step(case, method, micro, world)
    method.load_state_dict(state)
    step.optimiser.load_state_dict(optimiser)
    restore_generators(generators)
    if method.refresh is not None:
        step.pairs = binding.restore(computed)
    return method, step, binding


def _refresh(case: MethodCase, step: TrainingStep, binding: Binding, number: int, world: World) -> Any:
    device = next(step.method.parameters()).device
    refresher = Refresher(step.method, _Rows(case), binding.base, device, "float32", world)
    before = None if number == 0 else binding.computed
    return binding.restore(refresher(before, step.optimiser))


class _Rows(Dataset[Mapping[str, Any]]):
    """The inputs of the made-up table, in batches like those of `InputDataset`."""

    def __init__(self, case: MethodCase) -> None:
        self.case = case

    def __len__(self) -> int:
        return SAMPLES

    def __getitems__(self, index: list[int]) -> Mapping[str, Any]:
        rows = torch.tensor(index)
        return {"input": self.case.inputs(rows), "beside": (), "index": rows}
