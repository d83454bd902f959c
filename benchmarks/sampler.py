"""The batch sampler against pytorch-metric-learning's MPerClassSampler, over tables with long-tailed groups."""

from __future__ import annotations

import functools
import gc
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.result import Result, Row, machine
from benchmarks.timing import Spread, spread
from ssl_domains.pairs import BatchSampler, Composition, edges_between, linked, same
from ssl_domains.samples import SampleTable

__all__ = ["Sizes", "run"]

PER_GROUP = 2


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Sizes of the table.
        batch: Samples a batch.
        anchors: How many draw at once.
        repeats: Epochs, draws and peer's epochs.
        judged: Size of the table at which the ratio counts.
        seats: Two sizes of the table, between which epochs with negatives are compared.
        drawn: Rows that are drawn for one measurement of these.
    """

    rows: tuple[int, ...] = (10**5, 10**6, 10**7)
    batch: int = 256
    anchors: int = 4096
    repeats: int = 3
    judged: int = 10**7
    seats: tuple[int, int] = (10**4, 10**6)
    drawn: int = 2 * 10**6


def long_tailed(rows: int) -> NDArray[np.int64]:
    """Groups by a Zipf-like law, shuffled: a few hold thousands of rows, most a handful."""
    rng = np.random.default_rng(0)
    groups = max(8, rows // 20)
    weight = 1 / np.arange(1, groups + 1) ** 0.9
    return rng.choice(groups, rows, p=weight / weight.sum()).astype(np.int64)


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    agreed = _assert_agreement()
    rows: list[Row] = []
    draws: dict[int, Spread] = {}
    for count in sizes.rows:
        found, draws[count] = _one_size(sizes, count)
        rows += found
    rows += _seats(sizes)
    flat = draws[sizes.rows[-1]].median / draws[sizes.rows[0]].median
    rows.append(Row.at_most(f"draw at {sizes.rows[-1]:,} rows / at {sizes.rows[0]:,}", flat, "×", 2))
    return Result(
        "sampler",
        "Batches of groups and drawn positives, long-tailed groups",
        (agreed,),
        tuple(rows),
        (
            f"{PER_GROUP} of a group in a batch of {sizes.batch}. The peer's epoch is as long as the table.",
            "Set-up: from codes in memory to a sampler that can plan, binding included.",
            "Epoch: one shuffled plan of all rows. Items/s: what iterating an epoch hands out, the shuffle included "
            "(the peer one by one, as its interface is; it shuffles its groups for every batch, so a part is timed).",
            f"Draw: one positive for each of {sizes.anchors} random anchors, its index built before.",
            "Seats: an epoch of (seed, partner, two mined negatives); partners share a group, and of the eight mined "
            "rows of a seed one is a positive that may not be drawn. Process CPU time, the best epoch, by drawn rows; "
            "the sizes are measured in turn.",
            "Memory: all that binding, sampler and drawing hold, the codes among it; a planned epoch apart.",
        ),
        time.perf_counter() - started,
        machine(1, ["pytorch-metric-learning", "numpy"]),
    )


def _one_size(sizes: Sizes, count: int) -> tuple[list[Row], Spread]:
    codes = long_tailed(count)
    frame = pl.DataFrame({"group": codes})
    rows = []

    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    before = time.perf_counter()
    bound = same("group").bind(frame)
    sampler = BatchSampler(bound, Composition("groups", PER_GROUP), batch_size=sizes.batch)
    set_up = time.perf_counter() - before
    bound.draw(np.zeros(1, dtype=np.int64), 1, np.random.default_rng(0))
    gc.collect()
    each = (tracemalloc.get_traced_memory()[0] - held) / count
    sampler.plan(0)
    planned = (tracemalloc.get_traced_memory()[0] - held) / count - each
    tracemalloc.stop()
    before = time.perf_counter()
    again = same("group").bind(frame)
    BatchSampler(again, Composition("groups", PER_GROUP), batch_size=sizes.batch)
    set_up = min(set_up, time.perf_counter() - before)
    del again

    plans, hands = [], []
    for epoch in range(sizes.repeats):
        plans.append(_seconds(functools.partial(sampler.plan, epoch + 1)))
        sampler.set_position(epoch + 100, 0)
        hands.append(_seconds(lambda: _exhaust(iter(sampler))) / (len(sampler) * sizes.batch))
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(max(sizes.repeats, 9)):
        anchors = rng.integers(0, count, sizes.anchors)
        draws.append(_seconds(functools.partial(bound.draw, anchors, 1, rng)) / sizes.anchors)

    peer_set_up, peer_items = _peer(sizes, codes)
    drawn, handed = spread(draws), spread([1 / each_ for each_ in hands])
    at = f"{count:,} rows"
    rows += [
        Row(f"ssl-domains, {at}: set-up", set_up, "s"),
        Row(f"MPerClassSampler, {at}: set-up", peer_set_up, "s"),
        Row.of(f"ssl-domains, {at}: epoch planned", spread(plans), "s"),
        Row.of(f"ssl-domains, {at}: items", handed, "items/s"),
        Row.of(f"MPerClassSampler, {at}: items", peer_items, "items/s"),
    ]
    ratio = handed.median / peer_items.median
    what = f"ssl-domains / MPerClassSampler, {at}: items/s"
    rows.append(Row.at_least(what, ratio, "×", 100) if count == sizes.judged else Row(what, ratio, "×"))
    rows.append(Row(f"ssl-domains, {at}: draw", drawn.median * 1e9, "ns an anchor", drawn.low * 1e9, drawn.high * 1e9))
    rows.append(Row.at_most(f"ssl-domains, {at}: memory a row and relation", each, "B", 16))
    rows.append(Row(f"ssl-domains, {at}: a planned epoch, a row", planned, "B"))
    return rows, drawn


def _seats(sizes: Sizes) -> list[Row]:
    """The cost of a drawn row in epochs of seeds, partners and mined negatives, at two sizes of the table."""
    samplers = {count: _with_negatives(count, sizes.batch) for count in sizes.seats}
    found: dict[int, list[float]] = {count: [] for count in sizes.seats}
    for epoch in range(1 + sizes.repeats):
        for count, sampler in samplers.items():
            # As many rows are drawn at every size, in short epochs of the larger tables.
            gc.collect()
            before = time.process_time()
            rows = 0
            while rows < sizes.drawn:
                rows += sampler.plan(sampler.epoch).size * 3 // 4
                sampler.epoch += 1
            if epoch:
                found[count].append((time.process_time() - before) / rows)
    best = {count: min(times) for count, times in found.items()}
    small, large = sizes.seats
    times = [Row(f"ssl-domains, {count:,} rows: seats", best[count] * 1e9, "ns a drawn row") for count in sizes.seats]
    return [*times, Row.at_most(f"seats at {large:,} rows / at {small:,}", best[large] / best[small], "×", 1.5)]


def _with_negatives(count: int, batch: int) -> BatchSampler:
    rng = np.random.default_rng(2)
    table = SampleTable.of({"sample": [str(i) for i in range(count)], "group": np.arange(count) // 4})
    seeds = np.repeat(np.arange(count), 4)
    mined = rng.integers(0, count, len(seeds))
    mined[::8] = seeds[::8] // 4 * 4 + (seeds[::8] + 1) % 4
    edges = {"mined": edges_between(table, seeds, mined)}
    composition = Composition("partner", negatives=linked("mined"), n_negatives=2)
    return BatchSampler(same("group").bind(table), composition, batch, table=table, edges=edges)


def _peer(sizes: Sizes, codes: NDArray[np.int64]) -> tuple[float, Spread]:
    """Set-up, and items a second of its iterator over a part of an epoch."""
    from pytorch_metric_learning.samplers import MPerClassSampler

    before = time.perf_counter()
    sampler = MPerClassSampler(codes, m=PER_GROUP, batch_size=sizes.batch, length_before_new_iter=len(codes))
    set_up = time.perf_counter() - before
    rates = []
    for _ in range(sizes.repeats):
        # Its iterator makes the whole epoch before it yields; a short one costs as much an item.
        sampler.list_size = min(len(codes), 5_120) // sizes.batch * sizes.batch
        items = sampler.list_size
        rates.append(items / _seconds(lambda: _exhaust(iter(sampler))))
    return set_up, spread(rates)


def _assert_agreement() -> str:
    """Both give batches of so many rows a group, all of them rows of that group.

    Raises:
        AssertionError: When a batch is otherwise.
    """
    from pytorch_metric_learning.samplers import MPerClassSampler

    codes = long_tailed(2000)
    mine = BatchSampler(same("group").bind({"group": codes.tolist()}), Composition("groups", PER_GROUP), batch_size=64)
    peer = MPerClassSampler(codes, m=PER_GROUP, batch_size=64, length_before_new_iter=1920)
    sizes = np.bincount(codes)
    plan = mine.plan(0)
    assert set(np.unique(plan)) == set(range(2000)), "an epoch leaves rows out"
    pairs = codes[plan.reshape(-1, PER_GROUP)]
    matched = (pairs == pairs[:, :1]).all(1) | (sizes[pairs] < PER_GROUP).any(1)
    assert matched.all(), "samples of a group don't stand together"
    theirs = codes[np.fromiter(iter(peer), dtype=np.int64).reshape(-1, PER_GROUP)]
    assert (theirs == theirs[:, :1]).all(), "the peer's batches are of another kind"
    return f"both hand out {PER_GROUP} of a group at a time; ours also meets every row of an epoch"


def _exhaust(items: Iterator[Any]) -> None:
    for _ in itertools.islice(items, None):
        pass


def _seconds(call: Callable[[], object]) -> float:
    gc.collect()
    before = time.perf_counter()
    call()
    return time.perf_counter() - before
