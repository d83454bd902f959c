"""A step of SimCLR on recordings, batch to update, against a loop written by hand over the same parts."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.audio.files import write_clips
from benchmarks.engine_step import assert_same_losses, engine_loop
from benchmarks.result import Row
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.engine import Parts, World, load_config
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Views
from ssl_domains.losses import contrastive_loss
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import BatchSampler, Composition, Rows, parse
from ssl_domains.stores import ArrayStore
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.views import InputDataset
from ssl_domains_audio.inputs import sounds_for
from ssl_domains_audio.reader import AudioReader
from ssl_domains_audio.views import recipe

__all__ = ["Clips", "parts_of", "step_rows"]

_TEMPERATURE = 0.1


@dataclass(frozen=True)
class Clips:
    """What is trained on.

    Attributes:
        count: Number of clips.
        samples: Samples of each.
        rate: Samples a second.
        batch: Clips of a batch.
    """

    count: int = 1024
    samples: int = 4000
    rate: int = 8000
    batch: int = 128


def parts_of(folder: Path, clips: Clips) -> Parts:
    """Plain SimCLR on made-up clips, which are written to ``folder / "clips"`` unless they are there."""
    files = folder / "clips"
    if not files.exists():
        write_clips(files, clips.count, clips.samples, clips.rate, "wav")
    table = AudioReader().scan(files, contents=False).samples
    store = ArrayStore.fill(folder / "store", table, AudioReader())
    preprocess = sounds_for(table)
    views = recipe(RecipeRequest(table, 0, views=2, spec=preprocess.spec, preprocess=preprocess))
    return Parts(table, store, parse("none"), Composition("random"), views, None, SimCLR, preprocess=preprocess)


def step_rows(folder: Path, clips: Clips, pairs: int, threads: int) -> Iterator[Row]:
    """Seconds of a step in both loops and their ratio; losses are compared before anything is timed.

    Args:
        folder: Where files are written.
        clips: What is trained on.
        pairs: Interleaved pairs of steps.
        threads: Of torch.

    Raises:
        AssertionError: When the losses differ.
    """
    parts = parts_of(folder, clips)
    with torch_threads(threads):
        engine, by_hand = engine_loop(_assembled(parts, clips)), _hand_loop(_assembled(parts, clips), parts, clips)
        assert_same_losses(engine, by_hand)
        arms = {"engine": lambda: next(engine), "by hand": lambda: next(by_hand)}
        seconds = interleave(arms, pairs, clock=time.process_time)
    for name, times in seconds.items():
        yield Row.of(f"step of SimCLR {'' if name == 'by hand' else 'by the '}{name}", spread(times), "s")
    ratio = paired_ratio(seconds["engine"], seconds["by hand"])
    yield Row.at_most(f"engine / by hand, {pairs} interleaved pairs", ratio, "×", 1.05)


def _assembled(parts: Parts, clips: Clips) -> Assembled:
    """A run put together and not started; it never ends by itself."""
    settings = [
        "encoder.name=small_conv", f"train.batch_size={clips.batch}", f"train.epochs={10**6}", "train.device=cpu",
        f"method.temperature={_TEMPERATURE}", "pairs.composition=random",
    ]  # fmt: skip
    config = resolve_config(load_config(sets=settings), parts)
    with seeded(0):
        return assemble(config, parts, World())


def _hand_loop(run: Assembled, parts: Parts, clips: Clips) -> Iterator[float]:
    """What one would write with the parts: the loss of each step."""
    method, views_of, train = run.method, run.step.recipe.views_of, run.config.train
    optimiser = copy.copy(run.step.optimiser)
    bound = run.plan.scored_by
    dataset = InputDataset(parts.table, parts.store, run.preprocess)
    sampler = BatchSampler(bound, run.plan.sampler.composition, batch_size=clips.batch, seed=train.seed)
    loader: DataLoader[Any] = DataLoader(dataset, batch_sampler=sampler, collate_fn=lambda batch: batch)
    factor: Callable[[int], float] = run.step.schedule.factor
    step = 0
    for epoch in itertools.count():
        sampler.set_position(epoch, 0)
        for batch in loader:
            slots = torch.arange(clips.batch)
            # The last steps of the recipe make the spectrograms.
            views = Views(tuple(views_of(batch["input"], seed=train.seed, step=step, slots=slots)))
            for group in optimiser.param_groups:
                group["lr"] = train.lr * factor(step)
            optimiser.zero_grad(set_to_none=True)
            z = method(views).z
            loss = contrastive_loss(z, bound.pairs(Rows.of(batch["index"], views=2)), _TEMPERATURE).loss
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
            yield float(loss.detach())
