"""lightly's documented loops of four methods, over the batches and views of a run put together here."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from benchmarks.simclr import HEAD, Task, parts_of
from ssl_domains.engine import World, load_config
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.engine.step.optimisers import create_optimiser, set_learning_rate
from ssl_domains.methods import MethodSource, SimCLR
from ssl_domains.methods.barlow_twins import BarlowTwins
from ssl_domains.methods.byol import BYOL
from ssl_domains.methods.moco import MoCo

__all__ = ["ARMS", "LightlyLoop", "assembled"]

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Arm:
    """A method here and in lightly.

    Attributes:
        method: Its class.
        loop: lightly's step over copies of the method's modules: a function from the method and the number of keys of a
            queue to a `Peer`.
        scale: Our loss from lightly's, for the assertion; None where the definitions don't coincide.
        why: Why they don't.
    """

    method: MethodSource
    loop: Callable[[nn.Module, int], Peer]
    scale: Callable[[float], float] | None
    why: str = ""


@dataclass(frozen=True)
class Peer:
    """lightly's modules of a method.

    Attributes:
        trained: The trained modules.
        encoder: The encoder among them.
        loss: Loss of two views ``[B, 3, S, S]``.
        before_step: What happens before each step; called with the share of the training that is done.
    """

    trained: nn.Module
    encoder: nn.Module
    loss: Loss
    before_step: Callable[[float], None] = lambda progress: None


def assembled(task: Task, name: str, *, steps: int | None = None, seed: int = 0) -> Assembled:
    """A run of a method, put together and not started; without ``steps`` it never ends by itself."""
    parts = replace(parts_of(task), method=ARMS[name].method)
    config = load_config(
        sets=[
            f"encoder.name={task.encoder}", f"views.size={task.size}", f"train.batch_size={task.batch}",
            "train.epochs=1000000", "train.device=cpu", f"head.hidden={HEAD[0]}", f"head.out={HEAD[1]}",
            "pairs.composition=random", f"method.name={name}", f"train.seed={seed}",
            *([] if steps is None else [f"train.max_steps={steps}"]),
        ]
    )  # fmt: skip
    config = resolve_config(config, parts)
    with seeded(seed):
        return assemble(config, parts, World())


class LightlyLoop:
    """lightly's loop, which starts from the weights of a run and takes its batches, views and learning rates.

    Args:
        run: The run, put together and not started.
        name: Name of the method.
        queue: Keys of MoCo's queue.
    """

    def __init__(self, run: Assembled, name: str, queue: int) -> None:
        self._run = run
        self._peer = ARMS[name].loop(run.method, queue)

    @property
    def encoder(self) -> nn.Module:
        """The encoder that is trained."""
        return self._peer.encoder

    def losses(self) -> Iterator[float]:
        """The loss of each step."""
        run, peer = self._run, self._peer
        optimiser = create_optimiser(peer.trained, run.config.train)
        step = 0
        for epoch in itertools.count():
            for batch in run.feed.epoch(epoch):
                assert batch.input is not None
                slots = torch.arange(len(batch.samples))
                one, two = run.step.recipe.views_of(batch.input, seed=run.step.seed, step=step, slots=slots)
                set_learning_rate(optimiser, run.config.train.lr * run.step.schedule.factor(step))
                peer.before_step(step / run.total_steps)
                loss = peer.loss(one.input.values, two.input.values)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                optimiser.zero_grad()
                step += 1
                yield float(loss.detach())


class _Branch(nn.Module):
    """Copies of our modules as one branch: encoder, then what follows it."""

    def __init__(self, encoder: nn.Module, *heads: nn.Module) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        self.heads = copy.deepcopy(nn.Sequential(*heads))

    def forward(self, x: Tensor) -> Tensor:
        """What the last head gives, ``[B, d]``."""
        found: Tensor = self.heads(self.encoder(x).pooled)
        return found


def _simclr(ours: nn.Module, queue: int) -> Peer:
    from lightly.loss import NTXentLoss

    assert isinstance(ours, SimCLR)
    model, criterion = _Branch(ours.encoder, ours.head), NTXentLoss(temperature=ours.temperature)
    return Peer(model, model.encoder, lambda one, two: criterion(*model(torch.cat([one, two])).chunk(2)))


def _moco(ours: nn.Module, queue: int) -> Peer:
    from lightly.loss import NTXentLoss
    from lightly.models.utils import batch_shuffle, batch_unshuffle, update_momentum

    assert isinstance(ours, MoCo)
    query, key = _Branch(ours.encoder, ours.head), _Branch(ours.key_encoder, ours.key_head)
    criterion = NTXentLoss(temperature=ours.temperature, memory_bank_size=(queue, ours.width))

    def loss(one: Tensor, two: Tensor) -> Tensor:
        with torch.no_grad():
            shuffled, order = batch_shuffle(two)
            keys = batch_unshuffle(key(shuffled), order)
        found: Tensor = criterion(query(one), keys)
        return found

    return Peer(query, query.encoder, loss, lambda _: update_momentum(query, key, m=ours.settings.momentum))


def _byol(ours: nn.Module, queue: int) -> Peer:
    from lightly.loss import NegativeCosineSimilarity
    from lightly.models.utils import update_momentum
    from lightly.utils.scheduler import cosine_schedule

    assert isinstance(ours, BYOL)
    fast, slow = _Branch(ours.encoder, ours.head), _Branch(ours.slow_encoder, ours.slow_head)
    predictor, criterion = copy.deepcopy(ours.predictor), NegativeCosineSimilarity()

    def loss(one: Tensor, two: Tensor) -> Tensor:
        # Both views at once, as in our step, so that BatchNorm has the same statistics.
        p0, p1 = predictor(fast(torch.cat([one, two]))).chunk(2)
        with torch.no_grad():
            z0, z1 = slow(torch.cat([one, two])).chunk(2)
        found: Tensor = 0.5 * (criterion(p0, z1) + criterion(p1, z0))
        return found

    def follow(progress: float) -> None:
        update_momentum(fast, slow, m=cosine_schedule(round(1000 * progress), 1001, ours.momentum, 1))

    return Peer(nn.ModuleList([fast, predictor]), fast.encoder, loss, follow)


def _barlow_twins(ours: nn.Module, queue: int) -> Peer:
    from lightly.loss import BarlowTwinsLoss

    assert isinstance(ours, BarlowTwins)
    model, criterion = _Branch(ours.encoder, ours.head), BarlowTwinsLoss(lambda_param=ours.settings.redundancy)
    return Peer(model, model.encoder, lambda one, two: criterion(*model(torch.cat([one, two])).chunk(2)))


ARMS: Mapping[str, Arm] = {
    "simclr": Arm(SimCLR, _simclr, lambda loss: loss),
    "moco": Arm(MoCo, _moco, None, "lightly's queue starts with random keys and leaves out the keys of the batch"),
    "byol": Arm(BYOL, _byol, lambda loss: 2 + 2 * loss),
    "barlow_twins": Arm(BarlowTwins, _barlow_twins, lambda loss: loss),
}
