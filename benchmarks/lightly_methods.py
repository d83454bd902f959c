"""SimCLR, MoCo, BYOL and Barlow Twins beside lightly's documented loops: same weights, views and data path."""

from __future__ import annotations

import copy
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.engine_step import engine_loop
from benchmarks.pictures import made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import HEAD, Task, parts_of
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.engine import World, load_config
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.engine.step.optimisers import create_optimiser
from ssl_domains.methods import MethodSource, SimCLR
from ssl_domains.methods.barlow_twins import BarlowTwins
from ssl_domains.methods.byol import BYOL
from ssl_domains.methods.moco import MoCo
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["ARMS", "Sizes", "run"]

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        pictures: Made-up pictures of 32 pixels; also the length of MoCo's queue.
        batch: Of them in a step.
        pairs: Pairs of steps.
        threads: Of torch.
        methods: Names of the methods.
    """

    pictures: int = 2048
    batch: int = 256
    pairs: int = 25
    threads: int = 2
    methods: tuple[str, ...] = ("simclr", "moco", "byol", "barlow_twins")


@dataclass(frozen=True)
class Arm:
    """A method here and in lightly.

    Attributes:
        method: Its class.
        loop: lightly's step over copies of the method's modules: a function from the method and the number of keys of a
            queue to the trained modules, the loss of two views, and what happens before each step.
        scale: Our loss from lightly's, for the assertion; None where the definitions don't coincide.
        why: Why they don't.
    """

    method: MethodSource
    loop: Callable[[nn.Module, int], tuple[nn.Module, Loss, Callable[[], None]]]
    scale: Callable[[float], float] | None
    why: str = ""


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    rows: list[Row] = []
    agreed: list[str] = []
    with torch_threads(sizes.threads), tempfile.TemporaryDirectory() as scratch:
        folder = made_up(Path(scratch) / "pictures", sizes.pictures, 32, 32)
        table = table_of(folder)
        task = Task(folder, table, store_of(table, Path(scratch) / "store"), "small_conv", 32, sizes.batch)
        for name in sizes.methods:
            ours, theirs = engine_loop(_assembled(task, name)), _lightly_loop(_assembled(task, name), name, sizes)
            agreed += _assert_agreement(name, ours, theirs)
            arms = {f"{name}, engine": lambda it=ours: next(it), f"{name}, lightly": lambda it=theirs: next(it)}
            seconds = interleave(arms, sizes.pairs)
            rows += [Row.of(arm, spread(times), "s") for arm, times in seconds.items()]
            engine, peer = seconds.values()
            ratio = paired_ratio(engine, peer)
            rows.append(Row.at_most(f"{name}, engine / lightly", ratio, "×", 1.05))
    return Result(
        "lightly_methods",
        "Four methods beside lightly's documented loops",
        tuple(agreed),
        tuple(rows),
        (
            f"small_conv on 32 px, {sizes.batch} pictures a step, {sizes.pairs} interleaved pairs; both arms take the "
            "same batches and views from the same store, and lightly's loop copies of our encoder and heads.",
            "The engine's step includes its schedule, health measurements and progress events.",
            *(f"{name}: losses aren't compared, as {arm.why}" for name, arm in ARMS.items() if arm.scale is None),
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ("lightly",)),
    )


def _assembled(task: Task, name: str) -> Assembled:
    parts = replace(parts_of(task), method=ARMS[name].method)
    config = load_config(
        sets=[
            f"encoder.name={task.encoder}", f"views.size={task.size}", f"train.batch_size={task.batch}",
            "train.epochs=1000000", "train.device=cpu", f"head.hidden={HEAD[0]}", f"head.out={HEAD[1]}",
            "pairs.composition=random", f"method.name={name}",
        ]
    )  # fmt: skip
    config = resolve_config(config, parts)
    with seeded(0):
        return assemble(config, parts, World())


def _lightly_loop(run: Assembled, name: str, sizes: Sizes) -> Iterator[float]:
    """The loss of each step of lightly's loop, over the batches and views of the run."""
    trained, loss_of, before_step = ARMS[name].loop(run.method, sizes.pictures)
    optimiser = create_optimiser(trained, run.config.train)
    factor, recipe, step = run.step.schedule.factor, run.step.recipe, 0
    for epoch in itertools.count():
        for batch in run.feed.epoch(epoch):
            assert batch.input is not None
            slots = torch.arange(len(batch.samples))
            one, two = recipe.views_of(batch.input, seed=run.step.seed, step=step, slots=slots)
            for group in optimiser.param_groups:
                group["lr"] = run.config.train.lr * factor(step)
            before_step()
            loss = loss_of(one.input.values, two.input.values)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            optimiser.zero_grad()
            step += 1
            yield float(loss.detach())


def _assert_agreement(name: str, ours: Iterator[float], theirs: Iterator[float]) -> list[str]:
    """Both start from the same weights, so their first losses are equal where they are the same formula.

    Raises:
        AssertionError: When they are not.
    """
    scale = ARMS[name].scale
    one, other = next(ours), next(theirs)
    if scale is None:
        return []
    assert abs(one - scale(other)) <= 1e-4 * max(1.0, abs(one)), f"{name}: {one} and {scale(other)}"
    return [f"{name}: the loss of the first step, to 1e-4 of it"]


def _branch(*modules: nn.Module) -> nn.Sequential:
    """Copies of our modules as one branch: encoder, then what follows it."""
    encoder, *heads = (copy.deepcopy(module) for module in modules)
    return nn.Sequential(_Pooled(encoder), *heads)


class _Pooled(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        """Pooled features ``[B, F]``."""
        pooled: Tensor = self.encoder(x).pooled
        return pooled


def _nothing() -> None:
    pass


def _simclr(ours: nn.Module, queue: int) -> tuple[nn.Module, Loss, Callable[[], None]]:
    from lightly.loss import NTXentLoss

    assert isinstance(ours, SimCLR)
    model, criterion = _branch(ours.encoder, ours.head), NTXentLoss(temperature=ours.temperature)
    return model, lambda one, two: criterion(*model(torch.cat([one, two])).chunk(2)), _nothing


def _moco(ours: nn.Module, queue: int) -> tuple[nn.Module, Loss, Callable[[], None]]:
    from lightly.loss import NTXentLoss
    from lightly.models.utils import batch_shuffle, batch_unshuffle, update_momentum

    assert isinstance(ours, MoCo)
    query, key = _branch(ours.encoder, ours.head), _branch(ours.key_encoder, ours.key_head)
    criterion = NTXentLoss(temperature=ours.temperature, memory_bank_size=(queue, ours.width))

    def loss(one: Tensor, two: Tensor) -> Tensor:
        with torch.no_grad():
            shuffled, order = batch_shuffle(two)
            keys = batch_unshuffle(key(shuffled), order)
        found: Tensor = criterion(query(one), keys)
        return found

    return query, loss, lambda: update_momentum(query, key, m=ours.settings.momentum)


def _byol(ours: nn.Module, queue: int) -> tuple[nn.Module, Loss, Callable[[], None]]:
    from lightly.loss import NegativeCosineSimilarity
    from lightly.models.utils import update_momentum

    assert isinstance(ours, BYOL)
    fast, slow = _branch(ours.encoder, ours.head), _branch(ours.slow_encoder, ours.slow_head)
    predictor, criterion = copy.deepcopy(ours.predictor), NegativeCosineSimilarity()

    def loss(one: Tensor, two: Tensor) -> Tensor:
        # Both views at once, as in our step, so that BatchNorm has the same statistics.
        p0, p1 = predictor(fast(torch.cat([one, two]))).chunk(2)
        with torch.no_grad():
            z0, z1 = slow(torch.cat([one, two])).chunk(2)
        found: Tensor = 0.5 * (criterion(p0, z1) + criterion(p1, z0))
        return found

    trained = nn.ModuleList([fast, predictor])
    return trained, loss, lambda: update_momentum(fast, slow, m=ours.momentum)


def _barlow_twins(ours: nn.Module, queue: int) -> tuple[nn.Module, Loss, Callable[[], None]]:
    from lightly.loss import BarlowTwinsLoss

    assert isinstance(ours, BarlowTwins)
    model, criterion = _branch(ours.encoder, ours.head), BarlowTwinsLoss(lambda_param=ours.redundancy)
    return model, lambda one, two: criterion(*model(torch.cat([one, two])).chunk(2)), _nothing


ARMS: Mapping[str, Arm] = {
    "simclr": Arm(SimCLR, _simclr, lambda loss: loss),
    "moco": Arm(MoCo, _moco, None, "lightly's queue starts with random keys and leaves out the keys of the batch"),
    "byol": Arm(BYOL, _byol, lambda loss: 2 + 2 * loss),
    "barlow_twins": Arm(BarlowTwins, _barlow_twins, lambda loss: loss),
}
