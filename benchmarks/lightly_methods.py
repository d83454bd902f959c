"""A step of four methods beside lightly's documented loops: same weights, views and data path."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine_step import engine_loop
from benchmarks.lightly_loops import ARMS, LightlyLoop, assembled
from benchmarks.pictures import made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import Task
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "assert_agreement", "run"]


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
            ours = engine_loop(assembled(task, name))
            theirs = LightlyLoop(assembled(task, name), name, sizes.pictures).losses()
            agreed += assert_agreement(name, ours, theirs)
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


def assert_agreement(name: str, ours: Iterator[float], theirs: Iterator[float]) -> list[str]:
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
