"""``ssl-domains tables``: add label columns to a sample table later, keep some of its rows, unite two ids, or look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssl_domains.cli.console import Answer, answering, error, table
from ssl_domains.quantities import plural

if TYPE_CHECKING:
    from ssl_domains.cli.work.joining import Written

__all__ = ["app"]

app = typer.Typer(
    help="Add label columns to a table, keep some rows, unite two ids, or look at it.", no_args_is_help=True
)

_Like = Annotated[
    Path | None,
    typer.Option(metavar="TABLE|RUN", help="Put group, identifiers and scan back from this table, sidecar or run."),
]


@app.command("join")
def join(
    samples: Annotated[Path, typer.Argument(metavar="TABLE", help="Sample table.")],
    labels: Annotated[Path, typer.Argument(help="Table with the new columns (.csv, .xlsx, .parquet).")],
    on: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column that both have; COLUMN=OTHER where LABELS calls it OTHER.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Table to write; by default TABLE is replaced.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Replace columns that an earlier join added.")] = False,
    like: _Like = None,
) -> None:
    """Add the columns of LABELS by the values of a column; group, identifiers and split of the table are kept."""
    from ssl_domains.cli.work.joining import join_table

    with answering() as answer:
        _summary(answer, join_table(samples, labels, on, out, like=like, update=update))


@app.command("filter")
def keep(
    samples: Annotated[Path, typer.Argument(metavar="TABLE", help="Sample table.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write.")],
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="'age>=50', 'modality=MR|CT', 'label!='; repeatable: all must hold."),
    ] = None,
    like: _Like = None,
) -> None:
    """Write the rows that fulfil all conditions; without one, all rows. Paths are kept right for the place of OUT."""
    from ssl_domains.cli.work.joining import filter_table

    with answering() as answer:
        _summary(answer, filter_table(samples, where or [], out, like=like))


@app.command("unite")
def unite(
    samples: Annotated[Path, typer.Argument(metavar="TABLE", help="Sample table.")],
    ids: Annotated[
        list[str],
        typer.Option(metavar="COLUMN:ID=OTHER", help="'speaker:S13=S05': the rows of S13 become S05; repeatable."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write.")],
    like: _Like = None,
) -> None:
    """Give one id to a speaker or patient with two; where the table has a split, the rows move to the side of OTHER."""
    from ssl_domains.cli.work.joining import unite_ids

    with answering() as answer:
        _summary(answer, unite_ids(samples, ids, out, like=like))


@app.command("describe")
def describe(
    samples: Annotated[Path, typer.Argument(metavar="TABLE", help="Sample table.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Show columns, group, split, identifiers, where the paths count from, and what the scan left out."""
    from ssl_domains.samples import describe_table

    with answering(as_json) as answer:
        found = describe_table(samples)
        answer.json(found.to_dict())
        answer.line(f"{plural(found.rows, 'sample')}, scanned by {found.domain or 'an unknown domain'}")
        header = ("column", "type", "values", "missing", "role")
        answer.line(table(header, [(c.name, c.type, c.values, c.missing, c.role) for c in found.columns]))
        answer.line(f"group: {found.group or 'not known'}")
        sides = [
            f"{side} {plural(counts['rows'] or 0, 'row')}"
            + ("" if counts["groups"] is None else f" of {plural(counts['groups'], 'group')}")
            for side, counts in found.split.items()
        ]
        answer.line(f"split: {', '.join(sides) or 'none'}")
        answer.line(f"identifiers: {', '.join(found.identifiers) or 'none'}{f' (key {found.key})' * bool(found.key)}")
        answer.line(
            f"relative paths count from {found.folder}; {plural(found.missing_files, 'file is', 'files are')} not there"
        )
        if found.problems is not None:
            causes = "; ".join(f"{cause} ({count:,})" for cause, count in found.causes)
            answer.line(f"left out by the scan: {found.problems:,}{f': {causes}' * bool(causes)}")
        for text in found.notes:
            answer.line(f"note: {text}")


def _summary(answer: Answer, written: Written) -> None:
    for text in written.notes:
        error("note", text, "")
    rows, columns = len(written.table), len(written.table.columns)
    answer.line(f"{rows:,} of {written.before:,} samples, {columns} columns → {written.path}")
    group = written.table.meta.group
    answer.line(f"group: {group or 'not known'}; identifiers: {', '.join(written.table.meta.identifiers) or 'none'}")
