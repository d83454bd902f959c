"""BM25 over a collection, and the refresh of mined negatives as a share of the training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Row
from benchmarks.text.files import Collection, texts
from benchmarks.text.runs import config_of, parts_of, task_of
from benchmarks.timing import spread
from ssl_domains.engine import pretrain
from ssl_domains.engine.record.events import Event, Refreshed
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains_text.documents.search import WordIndex

__all__ = ["refresh_rows", "word_rows"]

_ASKED = 500


def word_rows(collection: Collection, rounds: int) -> Iterator[Row]:
    """Documents a second that are indexed, and queries a second that are answered, of processor time.

    Raises:
        AssertionError: When a query of words of a document doesn't find the document.
    """
    documents, queries = texts(collection)
    names = [f"d{number}" for number in range(len(documents))]
    indexed, answered = [], []
    for _ in range(rounds):
        before = time.process_time()
        index = WordIndex.build(names, documents)
        indexed.append(len(documents) / (time.process_time() - before))
        asked = [(f"q{number}", text) for number, text in enumerate(queries[:_ASKED])]
        before = time.process_time()
        run = index.search(asked, 100)
        answered.append(len(asked) / (time.process_time() - before))
        own = {(query, document) for query, document in run.select("query", "document").iter_rows()}
        found = sum((f"q{number}", f"d{number}") in own for number in range(len(asked))) / len(asked)
        assert found > 0.9, f"only {found:.0%} of the queries find their document"
    size = f"{len(documents):,} documents of {collection.length} words"
    yield Row.of(f"BM25: indexing {size}", spread(indexed), "documents a CPU-second")
    yield Row.of(f"BM25: queries of {collection.asked} words over {size}", spread(answered), "queries a CPU-second")


def refresh_rows(folder: Path, collection: Collection, batch: int, steps: int, threads: int) -> Iterator[Row]:
    """The share of a training that passes mining negatives twice, encoder ``static``.

    Args:
        folder: Where files are written.
        collection: What is trained on.
        batch: Queries of a batch.
        steps: Updates; negatives are mined after a third and after two thirds of them.
        threads: Of torch.
    """
    task, seconds = task_of(folder, collection, "static"), list[float]()
    shares: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Refreshed):
            seconds.append(event.seconds)
            shares.append(event.share)

    settings = [f"train.max_steps={steps}", "method.top=30", "views.n=3"]
    with torch_threads(threads):
        config = config_of(task, batch, settings)
        parts = parts_of(task, negatives="linked('mined')", epoch_steps=-(-steps // 3))
        pretrain(config, parts, folder / "refreshed", on_event=note)
    assert len(seconds) == 2, f"{len(seconds)} refreshes"
    what = f"{steps} steps of {batch} queries over {collection.documents:,} documents"
    yield Row.of("a refresh: all texts embedded, 30 nearest documents of each query", spread(seconds), "s")
    yield Row(f"share of the refreshes up to the second one, {what}", 100 * shares[-1], "%")
