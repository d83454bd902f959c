"""SimCLR three ways over the same pictures: ours, lightly's documented loop, and the step alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.pictures import store_of, table_of
from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine import Parts, Run, World, load_config, pretrain
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.allocation import freed_memory_kept
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.events import Event, Finished, Started
from ssl_domains.engine.step.optimisers import create_optimiser, set_learning_rate
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.inputs import Views
from ssl_domains.losses import contrastive_loss
from ssl_domains.methods import RowPairs, SimCLR
from ssl_domains.pairs import Composition, Objective, Rows
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Blur, ColorJitter, HorizontalFlip, RandomResizedCrop, Scaling, ViewRecipe

__all__ = ["Task", "assembled", "assert_losses_agree", "bare_step", "lightly_loop", "ours", "parts_of", "task_of"]

HEAD = 512, 128
TEMPERATURE = 0.5  # lightly's default


@dataclass(frozen=True)
class Task:
    """What is trained on.

    Attributes:
        pictures: Folder of class folders.
        table: Its pictures.
        store: Their arrays.
        encoder: timm name.
        size: Side of the views.
        batch: Pictures in a batch.
        workers: Of lightly's loader.
    """

    pictures: Path
    table: SampleTable
    store: ArrayStore
    encoder: str
    size: int
    batch: int
    workers: int = 2

    def new_encoder(self, seed: int = 0) -> Encoder:
        """The encoder with its first weights, the same in all arms."""
        return create_encoder(self.encoder, 3, seed=seed, image_size=self.size)

    def config(self, epochs: int, seed: int = 0) -> RunConfig:
        """The same optimiser, schedule and temperature for both arms."""
        return load_config(
            sets=[
                f"encoder.name={self.encoder}", f"views.size={self.size}", f"train.batch_size={self.batch}",
                f"train.epochs={epochs}", f"train.seed={seed}", "train.device=cpu", f"method.temperature={TEMPERATURE}",
                f"head.hidden={HEAD[0]}", f"head.out={HEAD[1]}", "pairs.composition=random",
            ]
        )  # fmt: skip


def task_of(
    folder: Path, scratch: Path, encoder: str, size: int, batch: int, workers: int, pictures: int | None = None
) -> Task:
    """The task over a copy of so many pictures of a folder (None: all), as lightly's dataset takes all of one."""
    table = table_of(folder, pictures)
    part = scratch / "pictures"
    for sample, path in table.frame.select("sample", "path").iter_rows():
        (part / sample).parent.mkdir(parents=True, exist_ok=True)
        (part / sample).symlink_to(path)
    table = table_of(part)
    return Task(part, table, store_of(table, scratch / "store"), encoder, size, batch, workers)


def recipe_of(size: int) -> ViewRecipe:
    """The augmentations of lightly's ``SimCLRTransform(input_size=size)``, in kind and strength."""
    why = "as in SimCLR (Chen et al. 2020)"
    return ViewRecipe(
        (
            RandomResizedCrop((0.08, 1.0), (3 / 4, 4 / 3), reason=why),
            HorizontalFlip(0.5, reason=why),
            ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8, grey=0.2, reason=why),
            Blur((0.1, 2.0), p=0.5, reason=why),
        ),
        size,
    )


def parts_of(task: Task) -> Parts:
    """Plain SimCLR: no relation, batches at random."""
    composition = Composition("random")
    return Parts(task.table, task.store, Objective(), composition, recipe_of(task.size), Scaling(), SimCLR)


def assembled(task: Task, epochs: int = 10**6, seed: int = 0) -> Assembled:
    """A run put together and not started; it never ends by itself."""
    parts = parts_of(task)
    config = resolve_config(task.config(epochs, seed), parts)
    with seeded(seed):
        return assemble(config, parts, World())


def ours(task: Task, epochs: int, seed: int = 0) -> tuple[float, Encoder]:
    """`pretrain`, checkpoints and measurements included.

    Returns:
        Seconds from the first step to the end, and the encoder.
    """
    times: dict[type, float] = {}

    def note(event: Event) -> None:
        if isinstance(event, Started | Finished):
            times[type(event)] = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        run: Run = pretrain(task.config(epochs, seed), parts_of(task), Path(folder) / "run", on_event=note)
        encoder = task.new_encoder(seed)
        encoder.load_state_dict(run.encoder_state())
    return times[Finished] - times[Started], encoder


class LightlySimCLR(nn.Module):
    """As in lightly's example, the backbone being ours."""

    def __init__(self, task: Task, seed: int) -> None:
        from lightly.models.modules import SimCLRProjectionHead

        super().__init__()
        self.backbone = task.new_encoder(seed)
        self.projection_head = SimCLRProjectionHead(self.backbone.num_features, *HEAD)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, 3, S, S]`` to ``[B, 128]``."""
        projected: Tensor = self.projection_head(self.backbone(x).pooled)
        return projected


def lightly_loop(task: Task, epochs: int, seed: int = 0) -> tuple[float, Encoder]:
    """lightly's documented SimCLR loop: its dataset, transform, loader and loss; the optimiser is ours.

    Returns:
        Seconds of the loop, and the encoder.
    """
    from lightly.data import LightlyDataset
    from lightly.loss import NTXentLoss
    from lightly.transforms import SimCLRTransform

    torch.manual_seed(seed)
    model = LightlySimCLR(task, seed).train()
    dataset = LightlyDataset(str(task.pictures), transform=SimCLRTransform(input_size=task.size))
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=task.batch, shuffle=True, drop_last=True, num_workers=task.workers
    )
    criterion = NTXentLoss(temperature=TEMPERATURE)
    train = task.config(epochs).train
    optimiser = create_optimiser(model, train)
    schedule = Schedule.of(len(loader) * epochs, len(loader), train.warmup_epochs)
    step = 0
    before = time.perf_counter()
    for _ in range(epochs):
        for (x0, x1), _, _ in loader:
            set_learning_rate(optimiser, train.lr * schedule.factor(step))
            loss = criterion(model(x0), model(x1))
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            step += 1
    return time.perf_counter() - before, model.backbone


def bare_step(task: Task) -> Callable[[int], float]:
    """Forward, loss, backward and update over views made beforehand; called with a number of steps, gives seconds."""
    run = assembled(task)
    batch = next(iter(run.feed.epoch(0)))
    step = run.step
    assert batch.input is not None, "whole pictures, not crops"
    views = Views(tuple(step.recipe.views_of(batch.input, seed=0, step=0, slots=torch.arange(task.batch))))
    device = views.together.device  # the rows of all views are joined once, before the clock starts
    rows = Rows.of(batch.index, len(views))
    pairs = RowPairs(step.pairs, rows, rows, device)

    def take(steps: int) -> float:
        before = time.perf_counter()
        with freed_memory_kept(device):
            for _ in range(steps):
                step.optimiser.zero_grad(set_to_none=True)
                loss = step.method.loss(step.method(views), pairs).loss
                loss.backward()  # type: ignore[no-untyped-call]
                step.optimiser.step()
        return time.perf_counter() - before

    return take


def assert_losses_agree() -> str:
    """lightly's NT-Xent and ours on the same embeddings.

    Raises:
        AssertionError: When value or gradient differ by more than float32's error.
    """
    from lightly.loss import NTXentLoss

    raw = torch.randn(128, 32, generator=torch.Generator().manual_seed(0))
    found = []
    for ours_ in (True, False):
        leaf = raw.clone().requires_grad_()
        z = F.normalize(leaf, dim=1)
        if ours_:
            bound = Objective().bind({"sample": [str(k) for k in range(64)]})
            loss = contrastive_loss(z, bound.pairs(Rows.of(torch.arange(64), views=2)), TEMPERATURE).loss
        else:
            loss = NTXentLoss(temperature=TEMPERATURE)(z[:64], z[64:])
        (gradient,) = torch.autograd.grad(loss, leaf)
        found.append((loss.detach(), gradient))
    (a, da), (b, db) = found
    assert abs(a - b) < 1e-5, f"{a} and {b}"
    assert (da - db).norm() < 1e-4 * db.norm()
    return "lightly's NT-Xent and ours, value and gradient"
