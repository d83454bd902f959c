"""Probe a run: open its table and store, add the floors of the domain, and write the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.console import error, note
from ssl_domains.cli.progress import Progress, showing_progress
from ssl_domains.cli.work.tables import fill_masks, fill_store, open_table, require_mask_reader, require_masks
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.engine.record.run import Run
    from ssl_domains.evaluation import ProbeReport
    from ssl_domains.pairs import Objective, Rule
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore
    from ssl_domains.views import Tiling

__all__ = ["probe", "probe_masks", "probe_retrieval", "probe_transcripts"]


def probe(
    domain: Domain,
    folder: Path,
    label: str,
    *,
    samples: Path | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    draws: int = 1,
    floors: Sequence[str] = (),
    handmade: bool = False,
    alone: bool = False,
    tiling: Tiling | None = None,
    folds: int | None = None,
    standardise_by: str | None = None,
) -> ProbeReport:
    """Probe a label column with the frozen encoder of a run, random initialisation and floors.

    Args:
        domain: Domain with the reader and the usual floors.
        folder: Run folder; the report is written to it.
        label: Column to predict.
        samples: Sample table; None takes the one the run was trained on.
        group: Column whose groups stay whole.
        fractions: Shares of the labelled training groups.
        draws: Number of draws of each fraction.
        floors: Texts ``"COLUMN[,COLUMN…]"``, each a further floor.
        handmade: Whether to probe the hand-made features of the domain as well.
        alone: Whether to leave out random initialisation and the usual floors.
        tiling: Grid of tiles of each sample, over which features are averaged.
        folds: Number of folds in which all groups are held out in turn; 0 for one fold a group; None for the split.
        standardise_by: Column within whose groups features are standardised, and probed a second time.
    """
    from ssl_domains.evaluation import probe_run

    if handmade and not domain.handmade:
        raise UsageError(f"{domain.name} has no hand-made features", "leave out --handmade")
    run = _for_probing(folder)
    _, table, store = _opened(domain, run, samples)
    usual = {} if alone else domain.floors
    with showing_progress() as progress:
        return probe_run(
            run,
            label,
            table=table,
            store=store,
            group=group,
            fractions=fractions,
            floors=_floors(usual, table, floors),
            handmade=domain.handmade if handmade else {},
            alone=alone,
            seeds=range(draws),
            tiling=tiling,
            folds=folds,
            standardise_by=standardise_by,
            progress=progress,
        )


def probe_masks(
    domain: Domain,
    folder: Path,
    *,
    samples: Path | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    heads: Sequence[str] = ("1x1",),
    last_map: bool = False,
    alone: bool = False,
) -> ProbeReport:
    """Probe the masks of the samples with the frozen maps of a run and of random initialisation.

    Args:
        domain: Domain whose reader reads masks.
        folder: Run folder; the report is written to it.
        samples: Sample table; None takes the one the run was trained on.
        group: Column whose groups stay whole.
        fractions: Shares of the training groups with masks.
        heads: Names of heads: ``1x1``, ``deeplab``.
        last_map: Let the heads read only the last map.
        alone: Whether to leave out random initialisation and the floor of position.
    """
    from ssl_domains.evaluation import dense_probe_run
    from ssl_domains.probes import ConvHead, DeepLabHead

    known = {"1x1": ConvHead, "deeplab": DeepLabHead}
    for name in heads:
        if name not in known:
            raise UsageError(f"there is no head {name!r}", did_you_mean(name, known))
    require_mask_reader(domain)
    run = _for_probing(folder)
    path, table, store = _opened(domain, run, samples, masks=True)
    masks = fill_masks(domain, table, path)
    with showing_progress() as progress:
        return dense_probe_run(
            run,
            masks,
            table=table,
            store=store,
            group=group,
            fractions=fractions,
            heads=[known[name]() for name in heads],
            levels="last" if last_map else "hypercolumn",
            alone=alone,
            progress=_embedding(progress),
        )


def probe_transcripts(
    domain: Domain,
    folder: Path,
    column: str,
    *,
    samples: Path | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    draws: int = 1,
    alone: bool = False,
    alphabet: str | None = None,
    steps: int | None = None,
) -> ProbeReport:
    """Probe a column of transcripts with a CTC head on the frames of a run and of random initialisation.

    Args:
        domain: Domain with the reader.
        folder: Run folder; the report is written to it.
        column: Column of transcripts.
        samples: Sample table; None takes the one the run was trained on.
        group: Column whose groups stay whole.
        fractions: Shares of the labelled training groups.
        draws: Number of draws of each fraction.
        alone: Whether to leave out random initialisation.
        alphabet: Characters that can be written; None takes those of the training rows.
        steps: Steps of each head; None for the default.
    """
    from ssl_domains.evaluation import transcript_probe_run
    from ssl_domains.probes.transcripts import TranscriptFit

    run = _for_probing(folder)
    _, table, store = _opened(domain, run, samples)
    fit = None if steps is None else TranscriptFit(steps=steps)
    with showing_progress() as progress:
        return transcript_probe_run(
            run, column, table=table, store=store, group=group, fractions=fractions, seeds=range(draws), fit=fit,
            alphabet=alphabet, alone=alone, progress=progress,
        )  # fmt: skip


def probe_retrieval(
    domain: Domain,
    folder: Path,
    label: str | None,
    relevance: str | None,
    *,
    gallery: str = "train",
    samples: Path | None = None,
    group: str | None = None,
    alone: bool = False,
) -> ProbeReport:
    """Let the test rows of a table query a gallery with the frozen encoder of a run.

    Args:
        domain: Domain with the reader.
        folder: Run folder; the report is written to it.
        label: Column of classes: samples with an equal value are relevant to each other.
        relevance: In place of ``label``, a file of pairs with columns ``a``, ``b`` and perhaps ``grade``, which name
            samples; or the text of a rule.
        gallery: ``"train"`` or ``"test"``.
        samples: Sample table; None takes the one the run was trained on.
        group: Column whose groups stay whole.
        alone: Whether to leave out random initialisation and random order.
    """
    from ssl_domains.evaluation import retrieval_run
    from ssl_domains.probes import read_labels

    if gallery not in ("train", "test"):
        raise UsageError(f"--gallery {gallery!r} is no side of the split", "--gallery train, or --gallery test")
    run = _for_probing(folder)
    _, table, store = _opened(domain, run, samples)
    if relevance is not None:
        rule, name = _relevance(relevance)
    else:
        assert label is not None
        rule, name = _of_label(label, read_labels(table.label(label)).task), label
    with showing_progress() as progress:
        return retrieval_run(
            run, rule, label=f"retrieval by {name}", gallery=gallery, table=table, store=store, group=group,  # type: ignore[arg-type]
            alone=alone, progress=progress,
        )  # fmt: skip


def _relevance(given: str) -> tuple[Objective | Rule, str]:
    """The rule of a file of pairs, or of the text of a rule; and a name that holds no path."""
    from ssl_domains.pairs import linked, parse
    from ssl_domains.samples import read_frame

    path = Path(given)
    if not path.is_file() and "(" in given:
        return parse(given), "rule"
    if not path.is_file():
        raise UsageError(f"there is no file {given!r}", "--relevance takes a file with the columns a and b, or a rule")
    return linked(path, grade="grade" if "grade" in read_frame(path).columns else None), path.stem


def _of_label(label: str, task: str) -> Rule:
    from ssl_domains.pairs import overlap, same

    if task == "regression":
        cause = f"{label!r} holds numbers, and retrieval needs classes"
        raise UsageError(cause, f"say what is near: --relevance \"within('{label}', 5, decay='linear')\"")
    return overlap(label, weight="jaccard") if task == "multilabel" else same(label)


def _embedding(progress: Progress) -> Callable[[str, int, int], None]:
    return lambda arm, done, of: progress(f"embedding by {arm}", done, of)


def _for_probing(folder: Path) -> Run:
    """The run, whose folder the report can be written to; a warning says when it isn't finished."""
    from ssl_domains.engine.record.run import Run
    from ssl_domains.samples import require_folder

    run = Run.open(folder)
    require_folder(folder)
    if unfinished := run.unfinished_remark():
        error("warning", unfinished, "pretrain --resume goes on")
    return run


def _opened(
    domain: Domain, run: Run, samples: Path | None, *, masks: bool = False
) -> tuple[Path, SampleTable, ArrayStore]:
    """(path of the sample table, the table, its store); missing arrays are decoded, unless masks are to be there."""
    from ssl_domains.evaluation import find_table
    from ssl_domains.stores import default_store

    path = samples
    if path is None:
        found = find_table(run)
        path = found.path
        if found.note:
            note(found.note)
    table = open_table(domain, path)
    if masks:
        require_masks(domain, table)
    kept = run.config.data.store
    folder_of_store = Path(kept) if kept and samples is None else default_store(path)
    store = fill_store(domain, table, folder_of_store)
    return path, table, store


def _floors(
    usual: Mapping[str, tuple[str, ...]], table: SampleTable, texts: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    # The usual floors are skipped when the table lacks a column; floors of the command line must exist.
    floors = {name: columns for name, columns in usual.items() if set(columns) <= set(table.columns)}
    for text in texts:
        columns = tuple(part.strip() for part in text.split(",") if part.strip())
        if not columns:
            raise UsageError("--floor names no column", "--floor position, or --floor camera,position")
        for column in columns:
            table.column(column)
        floors[" and ".join(columns) + " alone"] = columns
    return floors
