"""Anonymous memory while a large collection is scanned and embedded, and rows a second of processor time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.regions import AnonymousMemory
from benchmarks.result import Row
from benchmarks.text.files import Collection, write_collection, write_large
from ssl_domains.cli.work.scan import scan_to
from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.evaluation import embed
from ssl_domains.extending import RecipeRequest
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.inputs import recipe, tokens_for
from ssl_domains_text.documents.inputs.settings import TokenSettings
from ssl_domains_text.documents.methods.ance import ANCE
from ssl_domains_text.documents.reader import DocumentReader

__all__ = ["memory_rows", "peaks", "trained"]


def memory_rows(folder: Path, documents: int, limit_mb: float, length: int = 40) -> Iterator[Row]:
    """The peaks of scan and embedding, and how fast both were.

    Args:
        folder: Where files are written.
        documents: Their number.
        limit_mb: Most MB above what the process held after a small collection.
        length: Words of a document.
    """
    write_large(folder / "large", documents, length)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(peaks, str(folder), documents).result()
    what = f"{documents:,} documents"
    yield Row("anonymous memory above the imports, scan of " + what, found["scan"] / 1e6, "MB")
    yield Row.at_most(f"… scan and embedding of {what}, static", found["both"] / 1e6, "MB", limit_mb)
    yield Row(f"scan of {what}", documents / found["scan_s"], "rows a CPU-second")
    yield Row(f"embedding of {what}, store and file included", documents / found["embed_s"], "rows a CPU-second")


def trained(folder: Path, collection: Collection, steps: int = 2) -> Run:
    """A run of ``ance`` with the encoder ``static`` on a small collection."""
    source = write_collection(folder / "small", collection)
    scan_to(TEXT, source, folder / "small.parquet")
    table = read_table(folder / "small.parquet")
    store = ArrayStore.fill(folder / "small.store", table, DocumentReader())
    preprocess = tokens_for(table, TokenSettings(vocabulary=8192)).fit(table, store)
    views = recipe(RecipeRequest(table, 0, views=2, spec=preprocess.spec, preprocess=preprocess))
    rule = parse(f"linked('{folder / 'small.relevance.parquet'}')")
    parts = Parts(table, store, rule, Composition("partner", seeds="query"), views, None, ANCE, preprocess=preprocess)
    config = load_config(
        sets=["encoder.name=static", "train.batch_size=8", "train.device=cpu", f"train.max_steps={steps}",
              "train.epochs=1", "views.n=2", "method.top=0", "data.workers=0"]
    )  # fmt: skip
    return pretrain(config, parts, folder / "run")


def peaks(folder: str, documents: int) -> Mapping[str, float]:
    """Scan and embed in this process: bytes at the peaks above those after a small collection, and CPU seconds.

    Raises:
        AssertionError: When a row is missing, or the vector of a document is not that of its text alone.
    """
    here = Path(folder)
    with torch_threads(1):
        run = trained(here / "warm", Collection(documents=500))
        table = read_table(here / "warm" / "small.parquet")
        embed(run, table, ArrayStore.open(here / "warm" / "small.store", DocumentReader()))
        found: dict[str, float] = {}
        with AnonymousMemory() as memory:
            before = time.process_time()
            scan_to(TEXT, here / "large", here / "large.parquet")
            found["scan_s"], found["scan"] = time.process_time() - before, memory.peak
            before = time.process_time()
            rows = _embedded(run, here)
            found["embed_s"] = time.process_time() - before
        found["both"] = memory.peak
    assert rows == documents, f"{rows} of {documents} rows were embedded"
    return found


def _embedded(run: Run, here: Path) -> int:
    table = read_table(here / "large.parquet")
    store = ArrayStore.fill(here / "large.store", table, DocumentReader())
    frame = embed(run, table, store, out=here / "large.vectors.parquet")
    arrays, encoder, preprocess = store.of(table), run.encoder().eval(), run.preprocess
    assert frame["sample"].equals(table.frame["sample"]), "every row has its vector"
    for row in np.linspace(0, len(table) - 1, num=min(len(table), 50), dtype=np.int64).tolist():
        made = preprocess(arrays[row])
        alone = made[0] if isinstance(made, tuple) else made
        expected = encoder(alone.values, alone.valid).pooled[0].detach().numpy()
        assert np.abs(frame["embedding"][row].to_numpy() - expected).max() <= 1e-5, "a vector is not that of its text"
    assert pl.read_parquet_schema(here / "large.vectors.parquet")["embedding"] == frame["embedding"].dtype
    return len(frame)
