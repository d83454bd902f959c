"""Retrieval with the frozen encoder of a run: test rows query a gallery, beside random features and random weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.engine.loop.resolving import rule_text
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation.embed import embed, embed_rows
from ssl_domains.evaluation.probe import RANDOM
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import evaluation_split
from ssl_domains.pairs import Objective, Rows, Rule, parse
from ssl_domains.probes import Retrieval, retrieve
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, require_target
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run
    from ssl_domains.pairs import PairBatch

__all__ = ["Gallery", "retrieval_run"]

Gallery = Literal["train", "test"]

Judged = Callable[[slice], tuple[NDArray[np.float64], NDArray[np.bool_]]]
"""From a slice of the queries to the grades of all items, and to which of them are ranked."""

_QUERIES = 256


def retrieval_run(
    run: Run,
    relevance: Objective | Rule,
    *,
    label: str,
    gallery: Gallery = "train",
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    group: str | None = None,
    alone: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Let the test rows query a gallery, and write the scores to ``probe-LABEL.json`` in the run's folder.

    Items of the query's own group are not in its gallery, and so neither is the query: of a split by patient, slices of
    the same patient would be found without any understanding. The items that the rule ignores are left out too.

    Args:
        run: The run.
        relevance: Rule that says which items are relevant to a query, and by its weights how much; all relations taken
            together, as in ``same('label')`` or ``linked('pairs.csv', grade='grade')``.
        label: Name of the report.
        gallery: ``"train"`` for the training rows, ``"test"`` for the other test rows.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column of the groups; None takes the one the table was split by.
        alone: Whether to leave out random initialisation and random order.
        progress: Called with what is being done, and how much of it is done and to do.

    Raises:
        UsageError: When a column or file of the rule is missing, the rule relates only samples of one held-out group,
            or the run folder can't be written to.
        DataError: When no test row or no row of the gallery has an array, or no query has a relevant item.
    """
    require_target(probe_path(run.folder, label))
    unfinished = run.unfinished_remark()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    split = evaluation_split(table, group, run.training_samples, run_group=run.table_meta.group)
    decoded = store.of(table).decoded
    asking = np.flatnonzero(split.test & decoded)
    items = np.flatnonzero((split.train if gallery == "train" else split.test) & decoded)
    if not len(asking) or not len(items):
        raise DataError("no query or no item of the gallery has an array", "see the table's problems file")
    objective = Objective.of(relevance)
    bound = objective.bind(table)
    batch = bound.pairs(Rows.of(asking, views=1), Rows.stored(items))
    judged, counts = _judged(batch, split.groups[asking], split.groups[items])
    _require_relevant(judged, len(asking), objective, split.group)
    graded = any(batch.graded) or len(objective.relations) > 1
    rows: list[ProbeRow] = []
    results: list[Retrieval] = []
    used = np.union1d(asking, items)
    for name, x in _arms(run, table, table.take(used), store, alone, progress):
        result = retrieve(x[np.searchsorted(used, asking)], x[np.searchsorted(used, items)], judged, graded=graded)
        results.append(result)
        rows.append(_row(name, result, len(items), split.test_groups))
    side = "the training rows" if gallery == "train" else "the other test rows"
    notes = (
        *([unfinished] if unfinished else []),
        *split.notes,
        f"gallery: {side}, without the items of the query's own group of {split.group!r}",
        *_counts(results[0], counts(), len(asking)),
    )
    report = ProbeReport(
        label=label, task="retrieval", classes=(), group=split.group,
        test_groups=split.test_groups, transductive=split.transductive, supervised=_read_by(run, objective, table),
        dropped=0, rows=tuple(rows), notes=notes,
    )  # fmt: skip
    report.write(run.folder)
    return report


def _judged(batch: PairBatch, queries: NDArray[np.int64], items: NDArray[np.int64]) -> tuple[Judged, Callable[[], int]]:
    """Grades and ranked items of some queries; and the number of relevant items that their group excludes."""
    everything = slice(0, len(items))

    def judged(strip: slice) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        tile = batch.collapsed(strip, everything)
        other = queries[strip, None] != items[None, :]
        return tile.weight.numpy() * other, (tile.positive | tile.negative).numpy() & other

    def excluded() -> int:
        return sum(
            int((batch.collapsed(strip, everything).positive.numpy() & (queries[strip, None] == items)).sum())
            for strip in _strips(len(queries))
        )

    return judged, excluded


def _strips(queries: int) -> Iterator[slice]:
    return (slice(start, min(start + _QUERIES, queries)) for start in range(0, queries, _QUERIES))


def _require_relevant(judged: Judged, queries: int, objective: Objective, group: str) -> None:
    """Refuse a rule by which no query has a relevant item in the gallery, before the slow embedding.

    Raises:
        UsageError: When the rule compares the column of the groups, which are not in their own gallery.
        DataError: When it compares other columns or files.
    """
    for strip in _strips(queries):
        grades, ranked = judged(strip)
        if grades[ranked].any():
            return
    cause = "no query has a relevant item in the gallery"
    if group in objective.columns:
        raise UsageError(
            f"{cause}: {rule_text(objective)} compares {group!r}, and the groups of {group!r} are held out whole",
            f"take a rule on another column than {group!r}, or hold out the groups of another with --group",
        )
    raise DataError(
        cause, "--gallery takes the other side of the split; a relevant item of the query's own group doesn't count"
    )


def _arms(
    run: Run,
    table: SampleTable,
    part: SampleTable,
    store: ArrayStore,
    alone: bool,
    progress: Callable[[str, int, int], None] | None,
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Features of each arm for the rows of ``part``."""

    def progress_of(name: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, of: progress(f"embedding by {name}", done, of)

    embeddings = embed(run, table, store, progress=progress_of("frozen encoder"))
    joined = part.frame.select("sample").join(embeddings, on="sample", how="left", maintain_order="left")
    yield "frozen encoder", joined["embedding"].to_numpy()
    if alone:
        return
    starts = [(RANDOM, run.untrained_encoder())]
    if run.config.encoder.init != "random":
        starts.append(("initial weights, no further training", encoder_at_start(run)))
    for name, encoder in starts:
        options: dict[str, Any] = {"device": run.config.train.device, "crop": run.crop}
        yield name, embed_rows(encoder, run.preprocess, part, store, progress=progress_of(name), **options)
    yield "random order", np.random.default_rng(0).standard_normal((len(part), 16))


def _row(arm: str, result: Retrieval, gallery: int, groups: int) -> ProbeRow:
    return ProbeRow(arm, "cosine", 1.0, 1.0, 0, groups, gallery, result.queries, result.values)


def _counts(result: Retrieval, excluded: int, queries: int) -> Iterator[str]:
    if result.unanswerable:
        yield f"left out: {result.unanswerable:,} of {plural(queries, 'query', 'queries')} without a relevant item"
    if result.tied:
        tied = plural(result.tied, "query ranks", "queries rank")
        yield f"{tied} a relevant and an irrelevant item equally; these are taken in the order of the table"
    if excluded:
        yield f"left out: {plural(excluded, 'relevant item')} of the query's own group"


def _read_by(run: Run, objective: Objective, table: SampleTable) -> int:
    """Number of training rows whose relevance the rule of the run read; 0 where it reads other columns and files."""
    trained = Objective.of(parse(run.config.pairs.rule))
    same_source = objective.columns & trained.columns or set(objective.edge_files) & set(trained.edge_files)
    if not same_source or run.config.pairs.shuffle_metadata is not None:
        return 0
    return int(table.frame["sample"].is_in(list(run.training_samples)).sum())
