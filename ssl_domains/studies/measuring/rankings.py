"""Scores of rankings: the documents that a cell's encoder, or a search without a training, finds for test queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.probes.ranking import Judged, fused, ranked, score_run, without_pairs
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.study_file import FUSED
from ssl_domains.studies.design.training import fold_of
from ssl_domains.studies.measuring.features import features_of
from ssl_domains.studies.measuring.label_probes import TestRows
from ssl_domains.studies.measuring.once import once

__all__ = ["PROBE", "cosine_hits", "ranking_scores"]

PROBE = "ranking"
_DEPTH = 1000  # hits of a query that are ranked, and of which z-scores are added up
_DOCUMENTS = 65_536  # at a time


def ranking_scores(material: Material, cell: Cell, runs: Sequence[Run]) -> list[CellScore]:
    """Scores of the test queries of a cell against all rows that are offered, alone and added to another ranking."""
    tested, judged = TestRows.of(material, cell), material.labels
    assert isinstance(judged, Judged)
    settings = material.ranking
    labelled = int((fold_of(material, cell).train & judged.known).sum())
    found: dict[str, pl.DataFrame] = {}
    if runs:
        rows, asked = np.flatnonzero(judged.offered), np.flatnonzero(tested.rows)
        part, fitted = material.table.take(np.concatenate([asked, rows])), np.arange(len(asked) + len(rows))
        both = features_of(cell.arm, runs, part, material.store, fitted >= len(asked))
        samples = material.table.frame["sample"]
        queries, documents = both[: len(asked)], both[len(asked) :]

        def nearest(k: int) -> pl.DataFrame:
            values, numbers = cosine_hits(queries, documents, k)
            return pl.DataFrame(
                {
                    "query": samples.gather(np.repeat(asked, numbers.shape[1])),
                    "document": judged.documents.gather(rows[numbers.ravel()]),
                    "score": values.ravel(),
                }
            )

        found[PROBE] = _cleaned(_deep(nearest, judged, settings.at), judged)
        if settings.fused is not None:
            found[FUSED] = fused([found[PROBE], _without_training(material, cell, settings.fused)], _DEPTH)
    else:
        found[PROBE] = _without_training(material, cell, cell.arm.name.partition(": ")[2])
    return [_scored(probe, run, tested, judged, labelled) for probe, run in found.items()]


def cosine_hits(
    queries: NDArray[np.float32], documents: NDArray[np.float32], k: int = _DEPTH
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k documents of the largest cosine to each query: cosines and numbers ``[q, k]``, k at most ``[n]``.

    Args:
        queries: Features ``[q, F]``.
        documents: Features ``[n, F]``.
        k: Number of hits.
    """
    asked = torch.nn.functional.normalize(torch.from_numpy(np.array(queries)), dim=1)
    values, numbers = torch.zeros(len(asked), 0), torch.zeros(len(asked), 0, dtype=torch.int64)
    for start in range(0, len(documents), _DOCUMENTS):
        part = torch.from_numpy(np.array(documents[start : start + _DOCUMENTS]))
        scores = asked @ torch.nn.functional.normalize(part, dim=1).T
        values = torch.cat([values, scores], dim=1)
        numbers = torch.cat([numbers, torch.arange(start, start + len(part)).expand(len(asked), -1)], dim=1)
        values, places = values.topk(min(k, values.shape[1]), dim=1)
        numbers = numbers.gather(1, places)
    return values.numpy(), numbers.numpy()


def _without_training(material: Material, cell: Cell, name: str) -> pl.DataFrame:
    return once(material, ("ranking", name, cell.fold), partial(_searched, material, cell, name))


def _searched(material: Material, cell: Cell, name: str) -> pl.DataFrame:
    judged = material.labels
    assert isinstance(judged, Judged)
    table, tested = material.table, TestRows.of(material, cell)
    run = material.rankings[name](table.take(judged.offered), tested.part)
    names = pl.DataFrame({"document": table.frame["sample"], "name": judged.documents})
    run = run.join(names, on="document").select("query", "score", document="name")
    return _cleaned(run, judged)


def _deep(search: Callable[[int], pl.DataFrame], judged: Judged, at: Sequence[int]) -> pl.DataFrame:
    """Hits of pieces, so many that each query has 1,000 documents, or no piece is left for it.

    Args:
        search: Number of hits of a query → run of pieces; ``document`` is the name of the document.
        judged: Knows the pairs that are no hits.
        at: The values of k of the scores.
    """
    most = int(judged.ignored["query"].value_counts()["count"].max() or 0)  # type: ignore[arg-type]
    depth = count = max(_DEPTH, max(at) + most)
    while True:
        run = search(count)
        found = run.group_by("query").agg(pl.len().alias("pieces"), pl.col("document").n_unique().alias("documents"))
        if not bool(((found["documents"] < depth) & (found["pieces"] >= count)).any()):
            return run
        count *= 4


def _cleaned(run: pl.DataFrame, judged: Judged) -> pl.DataFrame:
    """Hits of pieces as hits of their documents, by the best piece; without the pairs that are no hits."""
    best = run.group_by("query", "document").agg(pl.col("score").max().cast(pl.Float64))
    return ranked(without_pairs(best, judged.ignored).run, _DEPTH).drop("rank")


def _scored(probe: str, run: pl.DataFrame, tested: TestRows, judged: Judged, labelled: int) -> CellScore:
    settings = tested.material.ranking
    asked = tested.part.frame.select(query="sample").with_columns(place=pl.Series(tested.place))
    pairs = judged.judgements.join(asked, on="query", how="semi")
    scores = score_run(
        run.join(asked, on="query", how="semi"), pairs, at=settings.at, relevant_from=settings.relevant_from
    )
    each = asked.join(scores.each, on="query", how="left", maintain_order="left")
    by_measure = {}
    for name in scores.values:
        sums = np.zeros((len(tested.groups), 2))
        np.add.at(sums, each["place"].to_numpy(), np.stack([each[name].to_numpy(), np.ones(len(each))], axis=1))
        by_measure[name] = sums.tolist()
    note = "; ".join(scores.notes()[1:])
    return CellScore(probe, 1.0, labelled, tested.groups.tolist(), by_measure, {}, note)
