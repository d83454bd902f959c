"""Checks that a method keeps contract 3.

The same three steps are run in several ways: with the whole batch at once, with gradient caching, in two processes, and
stopped and resumed. All must give the gradients and the state of the first.
"""

from __future__ import annotations

import atexit
import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.record.config import HeadConfig
from ssl_domains.engine.step.gradient_caching import batch_norms
from ssl_domains.engine.step.step import StepResult, TrainingStep
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method, MethodSource, RowPairs, ViewPlan
from ssl_domains.testing.method_case import MethodCase, case_of
from ssl_domains.testing.method_training import (
    Trace,
    batch_of,
    build_method,
    stop_dropping,
    train,
    train_here,
    training_step,
)
from ssl_domains.testing.process_pool import ProcessPool, Reference
from ssl_domains.views.draws import row_keys

__all__ = ["check_method"]

TOLERANCE = 1e-10
"""Largest distance of two gradients in float64, relative to the norm of the expected one."""

_NOTHING = 1e-5
"""Norm below which a state is compared absolutely: `TOLERANCE` of it is the rounding of float64 at 1."""


def check_method(target: Any, *, processes: bool = True) -> None:
    """Check that a method trains the same with the whole batch, gradient caching, two processes and after resuming.

    Args:
        target: The method's class, or a function without arguments that returns a `MethodCase`. It must be defined at
            the top level of a module, so that other processes can import it.
        processes: Whether training in two processes is checked too; they use gloo on the loopback interface.

    Raises:
        AssertionError: When the method breaks the contract; the message says where.
        SslDomainsError: When the engine refuses the method.
    """
    case = case_of(target)
    name = _check_declarations(case.method)
    _check_embed(case, name)
    embed_draws, target_draws = _draws(case)
    whole = train(case, on_step=lambda step, result: _check_step(name, step, result))
    _check_gradients(case, whole, name)

    same(train(case), whole, f"{name}: the same steps twice", exact=True)
    for done in (1, 2):
        resumed = train(case, stop_and_resume=done)
        same(resumed, whole, f"{name}: stopped after step {done} and resumed (state that no buffer holds?)", exact=True)
    # Dropout draws other numbers when a batch is divided; so divided batches are compared without dropout.
    undropped = train(case, dropout=False) if embed_draws or target_draws else whole
    micro_batches = () if batch_norms(build_method(case)) else case.micro_batch_sizes
    for size in micro_batches:
        cached = train(case, micro=size, dropout=not embed_draws)
        same(cached, undropped if embed_draws else whole, f"{name}: gradient caching with {size} samples at a time")
    if processes:
        _check_processes(case, target, undropped, name)


def _check_declarations(source: MethodSource) -> str:
    name = getattr(source, "__name__", type(source).__name__)
    assert isinstance(source.needs, ViewPlan), f"{name}: `needs` is a ViewPlan"
    options = source.options
    assert inspect.isclass(options), f"{name}: `options` is a pydantic model"
    assert issubclass(options, BaseModel), f"{name}: `options` is a pydantic model"
    for key, info in options.model_fields.items():
        assert info.description, f"{name}: the option {key!r} says what it does, by Field(description=…)"
        assert not info.is_required(), f"{name}: the option {key!r} has a default"
        taken = {"name", *(HeadConfig.model_fields if getattr(options, "projection_head", True) else ())}
        assert key not in taken, f"{name}: [method] or [head] has a key {key!r} already"
    return name


def _check_embed(case: MethodCase, name: str) -> None:
    method = build_method(case)
    assert isinstance(method, Method), f"{name}: build gives a Method, not a {type(method).__name__}"
    assert isinstance(method.encoder, nn.Module), f"{name}: `encoder` is what is exported"
    step, _ = training_step(case, method, None, World())
    views = _views(case, step)
    state = torch.get_rng_state()
    out = method.embed(views)
    assert isinstance(out, Embeddings), f"{name}: embed gives Embeddings, not a {type(out).__name__}"
    assert out.z.ndim == 2, f"{name}: z is [M, d], not {list(out.z.shape)}"
    assert not out.pooled.requires_grad, f"{name}: `pooled` is detached"
    assert out.pooled.ndim == 2, f"{name}: `pooled` is [b, F], not {list(out.pooled.shape)}"
    assert len(out.pooled) == views.samples, f"{name}: `pooled` has one row a sample, not {len(out.pooled)}"
    expected = len(views) * views.samples if out.of is None else len(out.of)
    for key, rows in {"z": out.z, **out.more}.items():
        assert len(rows) == expected, f"{name}: {key!r} has {len(rows)} rows; `of` names {expected}"
        assert rows.is_floating_point(), f"{name}: {key!r} holds floating-point numbers, not {rows.dtype}"
    assert out.part is None or len(out.part) == len(out.z), f"{name}: `part` has one number a row of z"
    if method.needs.unit_z:
        length = out.z.detach().norm(dim=1)
        assert torch.allclose(length, torch.ones_like(length)), f"{name}: z has length 1, or needs.unit_z is False"
    torch.set_rng_state(state)
    _same_tensors(method.embed(views), out, f"{name}: embed gives the same twice; what moves belongs into after_step")
    ends = [rows.sum() for rows in (out.z, *out.more.values(), *out.shared.values()) if rows.requires_grad]
    trained = {key: p for key, p in method.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(sum(ends, torch.zeros(())), list(trained.values()), allow_unused=True)
    idle = [key for key, gradient in zip(trained, gradients, strict=True) if gradient is None]
    assert not idle, f"{name}: the parameter {idle[0]!r} doesn't act in embed; every trained parameter does"


def _draws(case: MethodCase) -> tuple[bool, bool]:
    """Whether `embed` and `target` draw random numbers.

    Raises:
        AssertionError: When they do so by other means than dropout, which the check can turn off.
    """

    def moved(method: Method) -> tuple[bool, bool]:
        views = _views(case, training_step(case, method, None, World())[0])
        draws = []
        for call in (method.embed, method.target):
            state = torch.get_rng_state()
            with torch.no_grad():
                call(views)
            draws.append(not torch.equal(state, torch.get_rng_state()))
        return draws[0], draws[1]

    quiet = build_method(case)
    stop_dropping(quiet)
    name = type(quiet).__name__
    assert not any(moved(quiet)), (
        f"{name}: draws random numbers outside nn.Dropout layers; what is random belongs into views, or is drawn "
        "from the `keys` of the views with needs = ViewPlan(draws=True)"
    )
    return moved(build_method(case))


def _views(case: MethodCase, step: TrainingStep) -> Views:
    batch = batch_of(case, 0, World())
    slots = len(batch.samples)
    seats = len(batch.whole)
    assert batch.input is not None
    made = [
        step.recipe.views_of(
            *(one.take(slice(seat * slots, (seat + 1) * slots)) for one in (batch.input, *batch.beside)),
            seed=0, step=0, slots=torch.arange(slots), only=[number],
        )[0]
        for number in range(step.recipe.views)
        for seat in [number % seats]
    ]  # fmt: skip
    if case.method.needs.draws:
        made = [replace(view, keys=row_keys(0, 0, torch.arange(slots), number)) for number, view in enumerate(made)]
    return Views(tuple(made))


def _check_step(name: str, step: TrainingStep, result: StepResult) -> None:
    """Check that the loss is pure, reads pairs if and only if ``needs.pairs``, and gives targets no gradient."""
    method = step.method
    read: list[bool] = []

    class Counted(RowPairs):
        def __call__(self, *args: Any, **options: Any) -> Any:
            read.append(True)
            return super().__call__(*args, **options)

    def score() -> LossOutput:
        return method.loss(result.out, Counted(step.pairs, result.rows, result.rows, result.out.z.device))

    if result.out.exchange is None and not _has_negatives(step, result):
        before = {key: value.clone() for key, value in method.state_dict().items()}
        first = score()
        assert bool(torch.isfinite(first.loss)), f"{name}: the loss is {float(first.loss)}"
        _same_state(method.state_dict(), before, f"{name}: loss changes no state; that is for after_step")
        assert torch.equal(first.loss, score().loss), f"{name}: loss gives the same twice"
        assert bool(read) == method.needs.pairs, (
            f"{name}: needs.pairs is {method.needs.pairs}, but its loss {'reads' if read else 'never reads'} pairs"
        )
    for key, value in result.out.targets.items():
        assert not value.requires_grad, f"{name}: the target {key!r} is never differentiated"


def _has_negatives(step: TrainingStep, result: StepResult) -> bool:
    return bool(len(result.rows) != len(result.out.z))


def _check_gradients(case: MethodCase, whole: Trace, name: str) -> None:
    trained = [key for key, p in build_method(case).named_parameters() if p.requires_grad]
    for gradients in whole.gradients:
        for key in trained:
            assert key in gradients, f"{name}: the parameter {key!r} gets no gradient"
            assert bool(torch.isfinite(gradients[key]).all()), f"{name}: the gradient of {key!r} is not finite"


def _check_processes(case: MethodCase, target: Any, whole: Trace, name: str) -> None:
    reference = Reference.of(target)
    slots = len(case.seats[0])
    sizes = (None,) if batch_norms(build_method(case)) else (None, max(1, slots // 2 - 1))
    # Slots in another order divide the rows of a batch otherwise: equal shares by chance would hide a wrong mean.
    orders = {0: whole, 3: train(case, dropout=False, rotate=3)}
    for rotate, expected in orders.items():
        for micro in sizes if rotate == 0 else (None,):
            here, there = _pool()(train_here, reference=reference, micro=micro, dropout=False, rotate=rotate)
            words = f"{name}: two processes" + ("" if micro is None else f", {micro} samples at a time")
            _same_state(there.state, here.state, f"{words}: every process comes to the same state")
            same(here, expected, f"{words} {_hint(here, expected)}")


def _hint(actual: Trace, expected: Trace) -> str:
    """The usual mistake behind a gradient that is twice as large as expected, or wrong in another way."""
    ratio = float(_vector(actual.gradients[0]).norm() / _vector(expected.gradients[0]).norm().clamp(min=1e-30))
    if abs(ratio - 2) < 1e-6:
        return "(twice too large: a function of out.whole() goes through out.of_all, and only once)"
    return "(a sum over own rows is divided by out.total(count), a function of out.whole() goes through out.of_all)"


def same(actual: Trace, expected: Trace, words: str, *, exact: bool = False, limit: float = TOLERANCE) -> None:
    """Compare the gradients of every step, the losses and the state after the last step.

    Args:
        actual: Result to check.
        expected: Correct result.
        words: Description of the comparison, for the message.
        exact: Whether all bits must be equal.
        limit: Largest distance relative to the norm of the expected value, unless ``exact``.

    Raises:
        AssertionError: When they differ.
    """
    limit = 0.0 if exact else limit
    for number, (one, two) in enumerate(zip(actual.gradients, expected.gradients, strict=True), start=1):
        assert one.keys() == two.keys(), f"{words}: other parameters get a gradient: {sorted(one.keys() ^ two.keys())}"
        distance = _distance(one, two)
        assert distance <= limit, (
            f"{words}: the gradient of step {number} is {distance:.1e} from that of the whole batch"
        )
    _same_state(actual.state, expected.state, f"{words}: the state afterwards differs", limit)
    gap = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(actual.losses, expected.losses, strict=True))
    assert gap <= max(limit, TOLERANCE), f"{words}: the loss is {gap:.1e} from that of the whole batch"


def _distance(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    reference = _vector(expected)
    difference = _vector({key: actual[key].double() - expected[key].double() for key in expected})
    return float(difference.norm() / reference.norm().clamp(min=1e-30))


def _vector(tensors: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([value.double().flatten() for value in tensors.values()] or [torch.zeros(1)])


def _same_state(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], words: str, limit: float = 0.0) -> None:
    assert actual.keys() == expected.keys(), f"{words}: other names: {sorted(actual.keys() ^ expected.keys())}"
    for key, value in expected.items():
        other = actual[key]
        if value.is_floating_point() and limit:
            # Unfilled places of a queue may hold NaN. What is 0 but for rounding, such as the running mean of a
            # BatchNorm behind another one, has no relative distance.
            gap = torch.nan_to_num(other - value).norm() / torch.nan_to_num(value).norm().clamp(min=_NOTHING)
            assert bool((other.isnan() == value.isnan()).all()), f"{words}: {key!r}"
            assert float(gap) <= limit, f"{words}: {key!r} is {float(gap):.1e} away"
        else:
            assert torch.equal(torch.nan_to_num(other), torch.nan_to_num(value)), f"{words}: {key!r}"


def _same_tensors(actual: Embeddings, expected: Embeddings, words: str) -> None:
    for key, value in {"z": expected.z, **expected.more, **expected.shared}.items():
        other = {"z": actual.z, **actual.more, **actual.shared}[key]
        assert torch.equal(other, value), words


@cache
def _pool() -> ProcessPool:
    pool = ProcessPool()
    atexit.register(pool.close)
    return pool
