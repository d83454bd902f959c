"""``ssl-domains DOMAIN scan``: index files into a sample table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ssl_domains.cli.commands.scan_options import causes_of, given_options, with_scan_options
from ssl_domains.cli.console import Answer, answering, table
from ssl_domains.cli.progress import showing_progress
from ssl_domains.cli.session import domain_of
from ssl_domains.extending import Domain
from ssl_domains.quantities import plural

if TYPE_CHECKING:
    from ssl_domains.cli.work.scan import Scanned

__all__ = ["command", "command_for"]


def command(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="Folder, file, or table with a column 'path'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Sample table to write (.parquet, .csv, .xlsx).")],
    join: Annotated[Path | None, typer.Option(help="Table whose columns are added by the values of --on.")] = None,
    on: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column that both tables have.")] = None,
    split_by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Write a split that keeps the groups of this column whole.")
    ] = None,
    test: Annotated[float, typer.Option(help="Share of the groups that are held out.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    **options: Any,
) -> None:
    """Index files into a sample table, from their headers; prints a summary and why files were left out."""
    from ssl_domains.cli.work.scan import Split, scan_to

    given = given_options(options)
    split = Split(split_by, test, seed) if split_by else None
    with answering() as answer:
        with showing_progress() as progress:
            scanned = scan_to(
                domain_of(ctx), source, out, options=given, join=join, on=on, split=split, progress=progress
            )
        _summary(answer, scanned)


def command_for(domain: Domain) -> Callable[..., None]:
    """The command ``scan`` with the options of the domain added to its parameters."""
    return with_scan_options(command, domain)


def _summary(answer: Answer, scanned: Scanned) -> None:
    frame, problems = scanned.result.samples.frame, scanned.result.problems
    answer.line(f"{plural(len(frame), 'sample')} → {scanned.path}")
    rows = []
    for name in frame.columns:
        column = frame[name]
        missing = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
        values = None if column.dtype.is_nested() else column.drop_nulls().n_unique()
        rows.append((name, str(column.dtype), values, missing))
    answer.line(table(("column", "type", "values", "missing"), rows))
    if "split" in frame.columns:
        counts = dict(frame["split"].value_counts().iter_rows())
        sizes = ", ".join(f"{counts.get(part, 0)} {part or 'neither'}" for part in ("train", "test", None))
        answer.line(f"split: {sizes}")
    for text in scanned.result.notes:
        answer.line(f"note: {text}")
    if len(problems) == 0:
        answer.line("nothing was left out")
        return
    left, kept = len(problems) - scanned.kept, scanned.kept
    words = [f"left out: {left}"] if left or not kept else []
    words += [f"kept in the table: {kept}"] if kept else []
    answer.line(f"\n{', '.join(words)} (all in {scanned.problems})")
    causes_of(answer, problems)
