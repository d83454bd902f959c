"""A step of a recogniser's fine-tuning, batch to update, against a loop written by hand over the same parts."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.engine_step import engine_loop
from benchmarks.lines.files import write_strips
from benchmarks.result import Row
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.engine import Parts, RunConfig, World
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.extending import RecipeRequest
from ssl_domains.finetuning import FineTuneParts, TranscriptHead, finetune_config
from ssl_domains.finetuning.parts import engine_parts
from ssl_domains.inputs import Input
from ssl_domains.pairs import BatchSampler
from ssl_domains.probes.transcripts import Transcripts
from ssl_domains.stores import ArrayStore
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.views import InputDataset
from ssl_domains_text.lines.inputs import lines_for
from ssl_domains_text.lines.reader import LinesReader
from ssl_domains_text.lines.views import recipe

__all__ = ["Strips", "assert_agreeing", "parts_of", "step_rows"]

_CLOSE = 1e-6
"""Largest difference of the losses of both loops, as a share of the loss."""


@dataclass(frozen=True)
class Strips:
    """What is trained on.

    Attributes:
        count: Number of strips.
        batch: Strips in a step.
    """

    count: int = 512
    batch: int = 32


def parts_of(folder: Path, strips: Strips) -> FineTuneParts:
    """Strips with all their transcripts; they are written to ``folder / "strips"`` unless they are there."""
    source = folder / "strips"
    if not source.exists():
        write_strips(source, strips.count)
    table = LinesReader().scan(source).samples
    store = ArrayStore.fill(folder / "store", table, LinesReader())
    preprocess = lines_for(table)
    views = recipe(RecipeRequest(table, 0, views=1, spec=preprocess.spec, preprocess=preprocess))
    labels = Transcripts.of(table.frame["text"].to_list())
    return FineTuneParts(table, store, views, "text", labels, preprocess=preprocess)


def step_rows(folder: Path, strips: Strips, pairs: int, threads: int) -> Iterator[Row]:
    """Seconds of a step in both loops, lines a second and their ratio; losses are compared before anything is timed.

    Args:
        folder: Where files are written.
        strips: What is trained on.
        pairs: Interleaved pairs of steps.
        threads: Of torch.

    Raises:
        AssertionError: When the losses differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = parts_of(folder, strips)
    start = RunConfig().with_values({"encoder.name": "small_crnn", "train.device": "cpu"})
    config = finetune_config(start, strips.count, transcripts=True, scratch=True, steps=10**6, batch=strips.batch)
    config, parts = engine_parts(config, given)
    assert isinstance(given.labels, Transcripts)
    with torch_threads(threads):
        engine, by_hand = (
            engine_loop(_assembled(config, parts)),
            _hand_loop(_assembled(config, parts), parts, given.labels, strips.batch),
        )
        assert_agreeing(engine, by_hand)
        arms = {"engine": lambda: next(engine), "by hand": lambda: next(by_hand)}
        seconds = interleave(arms, pairs, clock=time.process_time)
    for name, times in seconds.items():
        yield Row.of(f"fine-tuning step {'' if name == 'by hand' else 'by the '}{name}", spread(times), "CPU-s")
    rates = [strips.batch / one for one in seconds["engine"]]
    yield Row.of("lines of a fine-tuning by the engine", spread(rates), "lines/CPU-s")
    ratio = paired_ratio(seconds["engine"], seconds["by hand"])
    yield Row.at_most(f"engine / by hand, {pairs} interleaved pairs", ratio, "×", 1.05)


def assert_agreeing(engine: Iterator[float], by_hand: Iterator[float]) -> None:
    """Both loops start from the same weights, so their losses agree up to rounding.

    Raises:
        AssertionError: When they don't.
    """
    found = [(next(engine), next(by_hand)) for _ in range(3)]
    assert all(math.isclose(a, b, rel_tol=_CLOSE) for a, b in found), f"losses differ: {found}"


def _assembled(config: RunConfig, parts: Parts) -> Assembled:
    """A run put together and not started; it never ends by itself."""
    resolved = resolve_config(config, parts)
    with seeded(0):
        return assemble(resolved, parts, World())


def _hand_loop(run: Assembled, parts: Parts, labels: Transcripts, batch_size: int) -> Iterator[float]:
    """What one would write with the parts: the loss of each step."""
    method: Any = run.method
    head: TranscriptHead = method.head
    train, views_of = run.config.train, run.step.recipe.views_of
    optimiser = copy.copy(run.step.optimiser)
    dataset = InputDataset(parts.table, parts.store, run.preprocess)
    composition = run.plan.sampler.composition
    sampler = BatchSampler(run.plan.scored_by, composition, batch_size=batch_size, seed=train.seed)
    loader: DataLoader[Any] = DataLoader(dataset, batch_sampler=sampler, collate_fn=lambda batch: batch)
    codes = [torch.tensor(labels.codes(row)) for row in range(len(labels))]
    factor: Callable[[int], float] = run.step.schedule.factor
    step = 0
    for epoch in itertools.count():
        sampler.set_position(epoch, 0)
        for batch in loader:
            slots = torch.arange(batch_size)
            (view,) = views_of(batch["input"].trimmed(), seed=train.seed, step=step, slots=slots)
            for group in optimiser.param_groups:
                group["lr"] = train.lr * factor(step)
            optimiser.zero_grad(set_to_none=True)
            loss = _loss(method.encoder, head, view.input, [codes[row] for row in batch["index"].tolist()])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
            yield float(loss.detach())


def _loss(encoder: torch.nn.Module, head: TranscriptHead, shown: Input, codes: list[Tensor]) -> Tensor:
    """Mean over the strips of −log P(transcript | frames), divided by its number of characters."""
    shown = replace(shown, valid=shown.with_valid())
    features = encoder(shown.values, shown.valid)
    log_probs = head.layer(features.map.transpose(1, 2)).log_softmax(dim=2)
    lengths = torch.tensor([len(one) for one in codes])
    losses = F.ctc_loss(
        log_probs.transpose(0, 1), torch.cat(codes), features.mask.flatten(1).sum(dim=1), lengths, reduction="none"
    )
    return (losses / lengths).mean()
