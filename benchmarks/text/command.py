"""All measurements of documents, in one run."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.result import Result, Row, machine
from benchmarks.text.caching import Large, caching_rows
from benchmarks.text.files import Collection
from benchmarks.text.memory import memory_rows
from benchmarks.text.search import refresh_rows, word_rows
from benchmarks.text.step import step_rows
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        collection: What is trained on and searched.
        batch: Queries of a training step.
        pairs: Interleaved pairs of steps.
        large: The batch of gradient caching; None leaves it out.
        rounds: How often BM25 is timed.
        steps: Updates of the training with refreshes.
        documents: Documents that are scanned and embedded.
        limit_mb: Most anonymous memory of both.
        threads: Of torch.
    """

    collection: Collection = Collection()  # noqa: RUF009
    batch: int = 64
    pairs: int = 15
    large: Large | None = Large()  # noqa: RUF009
    rounds: int = 3
    steps: int = 90
    documents: int = 200_000
    limit_mb: float = 500
    threads: int = 2


FULL = 1_000_000
"""Documents that are scanned and embedded with ``--full``; they take about six minutes of processor time."""


def run(sizes: Sizes | None = None, *, full: bool = False) -> Result:
    """All of it, in a temporary folder."""
    sizes = Sizes(documents=FULL if full else Sizes.documents) if sizes is None else sizes
    started = time.perf_counter()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with tempfile.TemporaryDirectory() as temporary:
        rows = tuple(_rows(Path(temporary), sizes))
    return Result(
        "text",
        "Documents: a training step, a large batch, search, and a large collection",
        (
            "loss and gradients of a batch are those of sentence-transformers' MultipleNegativesRankingLoss on the "
            "same texts and weights",
            "the loss of the large batch is that of its CachedMultipleNegativesRankingLoss",
            "every document is embedded, and its vector is that of its text alone",
        ),
        rows,
        (
            "Processor seconds, summed over threads, but the share of refreshes, which is of wall-clock time.",
            "Steps: texts read and tokenized, forward, backward, update; in later epochs the tokens are taken from "
            "the cache. sentence-transformers, which tokenizes in every epoch, runs in its own trainer, which makes a "
            f"step whenever it is its turn. {sizes.collection.documents:,} made-up documents of "
            f"{sizes.collection.length} words, queries of {sizes.collection.asked} of their words.",
            "Large batch: forward and backward through all pairs and one update of a BERT of two layers; each step in "
            "a process of its own, memory above what it held before.",
            "Scan and embedding: RssAnon above what the process held after a small collection.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["sentence-transformers", "transformers", "tokenizers", "bm25s"]),
    )


def _rows(folder: Path, sizes: Sizes) -> Iterator[Row]:
    yield from step_rows(folder / "step", sizes.collection, sizes.batch, sizes.pairs, sizes.threads)
    if sizes.large is not None:
        yield from caching_rows(folder / "large", sizes.large)
    with torch_threads(1):
        yield from word_rows(sizes.collection, sizes.rounds)
    yield from refresh_rows(folder / "refresh", sizes.collection, sizes.batch, sizes.steps, sizes.threads)
    yield from memory_rows(folder / "memory", sizes.documents, sizes.limit_mb)
