"""``ssl-domains runs``: what was trained, with its measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ssl_domains.cli.console import answering, table
from ssl_domains.quantities import data_size, plural

if TYPE_CHECKING:
    from ssl_domains.engine.record.headlines import Headline
    from ssl_domains.engine.record.run_list import RunFacts

__all__ = ["app"]

app = typer.Typer(help="What was trained, with its measures.", no_args_is_help=True)

_LONGEST = 48  # characters of a rule in the table


class Column(StrEnum):
    """What the list can be sorted by."""

    run = "run"
    method = "method"
    rule = "rule"
    epochs = "epochs"
    steps = "steps"
    loss = "loss"
    knn = "knn"
    probe = "probe"
    finetune = "finetune"
    size = "size"


_LARGEST_FIRST = {Column.epochs, Column.steps, Column.knn, Column.probe, Column.finetune, Column.size}


@app.callback()
def about() -> None:
    # Without a callback, typer would drop the name `list` of the only command.
    ...


@app.command("list")
def list_all(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with runs, at any depth.")] = Path("."),
    sort: Annotated[
        Column, typer.Option(metavar="COLUMN", help=f"{', '.join(Column)}; scores and sizes: largest first.")
    ] = Column.run,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Only scores of probes and fine-tunings on this label.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """List method, rule, epochs, last loss, online k-NN, main scores and size of each run; one run is not evidence."""
    from ssl_domains.engine.record.run_list import list_runs

    with answering(as_json) as answer:
        runs = _sorted([_only(run, label) for run in list_runs(folder)], sort)
        answer.json([asdict(run) for run in runs])
        header = ("run", "method", "rule", "epochs", "steps", "loss", "k-NN", "probe", "fine-tuned", "size")
        answer.line(table(header, [_row(run) for run in runs]))
        for run in runs:
            if run.damage:
                answer.line(f"damaged: {run.run}: {run.damage}")
        answer.line(f"{plural(len(runs), 'run')}, {data_size(sum(run.size for run in runs))}; one run is not evidence")


def _only(run: RunFacts, label: str | None) -> RunFacts:
    if label is None:
        return run

    def kept(scores: Sequence[Headline]) -> tuple[Headline, ...]:
        return tuple(one for one in scores if one.label == label)

    return replace(run, probes=kept(run.probes), finetuned=kept(run.finetuned))


def _sorted(runs: Sequence[RunFacts], by: Column) -> list[RunFacts]:
    """The runs in the order of a column; runs without a value come last."""
    value = _VALUES[by]
    known = [run for run in runs if value(run) is not None]
    rest = [run for run in runs if value(run) is None]
    return [*sorted(known, key=value, reverse=by in _LARGEST_FIRST), *rest]


def _first(scores: Sequence[Headline]) -> float | None:
    return next((one.value for one in scores if one.value is not None), None)


_VALUES: dict[Column, Callable[[RunFacts], Any]] = {
    Column.run: lambda run: run.run,
    Column.method: lambda run: run.method or None,
    Column.rule: lambda run: run.rule or None,
    Column.epochs: lambda run: run.epochs,
    Column.steps: lambda run: run.steps,
    Column.loss: lambda run: run.loss,
    Column.knn: lambda run: run.knn,
    Column.probe: lambda run: _first(run.probes),
    Column.finetune: lambda run: _first(run.finetuned),
    Column.size: lambda run: run.size,
}


def _row(run: RunFacts) -> tuple[Any, ...]:
    rule = run.rule if len(run.rule) <= _LONGEST else run.rule[: _LONGEST - 1] + "…"
    return (
        run.run,
        "damaged" if run.damage else run.method,
        rule or None,
        run.epochs,
        run.steps,
        _digits(run.loss),
        _digits(run.knn),
        _scores(run.probes),
        _scores(run.finetuned),
        data_size(run.size),
    )


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _scores(scores: Sequence[Headline]) -> str | None:
    """Each label with its main score: ``severity .612 balanced accuracy``."""
    texts = [f"{one.label} {'–' if one.value is None else f'{one.value:.3f}'} {one.measure}" for one in scores]
    return "; ".join(texts) or None
