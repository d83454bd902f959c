"""``ssl-domains splits audit``: check whether the sides of a split share groups, contents, places or voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, table
from ssl_domains.cli.session import registry_of

__all__ = ["app"]

app = typer.Typer(help="Check whether a split leaks.", no_args_is_help=True)


@app.callback()
def about() -> None:
    # Without a callback, typer would drop the name `audit` of the only command.
    ...


@app.command("audit")
def audit(
    ctx: typer.Context,
    samples: Annotated[Path, typer.Argument(help="Sample table.")],
    split: Annotated[str, typer.Option(metavar="COLUMN", help="Its values name the sides: train and test, or folds.")],
    group: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Groups that should be whole: patient; repeatable.")
    ] = None,
    near: Annotated[bool, typer.Option("--near", help="Decode everything and look for near duplicates too.")] = False,
    near_bits: Annotated[int, typer.Option(help="Bits, of 64, in which hashes of near duplicates may differ.")] = 4,
    block: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Coordinates of a survey: inline,crossline.")
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option(
            help="Smallest distance between blocks in the unit of --block: patch + window; without --block, between "
            "edges of the regions, in bins."
        ),
    ] = None,
    pretraining: Annotated[
        Path | None, typer.Option(metavar="RUN|TABLE", help="What an encoder was pre-trained on.")
    ] = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(metavar="SIDE", help="Side that pre-training must not contain; default: test, val and the like."),
    ] = None,
    contents: Annotated[bool, typer.Option("--contents/--no-contents", help="Compare the contents of files.")] = True,
    domain: Annotated[str | None, typer.Option(help="Domain that reads the files, when the table names none.")] = None,
    names: Annotated[bool, typer.Option("--names", help="List names of shared groups; never of identifiers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Compare the sides of a split: groups, contents, voxels, places, pre-training; exit code 4 when it leaks."""
    from ssl_domains.audit import audit_split
    from ssl_domains.cli.work.splits import audited_domain, decode_of, place_of, pretraining_rows
    from ssl_domains.samples import read_noted_table

    with answering(as_json) as answer:
        rows, read_notes = read_noted_table(samples)
        before, more = pretraining_rows(pretraining, rows) if pretraining else (None, [])
        notes = [*read_notes, *more]
        decode, remarks = decode_of(registry_of(ctx), rows, domain, needed=near) if contents else (None, [])
        known = audited_domain(registry_of(ctx), rows, domain)
        tables = [rows, *([before] if before is not None else [])]
        whole = [
            column
            for column in (known.whole_groups if known else ())
            if column not in (split, *(group or ())) and all(column in one.columns for one in tables)
        ]
        result = audit_split(
            rows,
            split,
            (*(group or ()), *whole),
            decode=decode,
            contents=contents,
            near=near_bits if near else None,
            block=tuple(name.strip() for name in block.split(",")) if block else (),
            gap=gap,
            pretraining=before,
            held=held_out or (),
            names=names,
            place=place_of(registry_of(ctx), rows, domain),
            coarser=known.coarser_groups if known else (),
            picture=known.near_picture if known else None,
            axes=getattr(known.reader(), "axes", "hwc") if known else "",
        )
        document = result.to_dict()
        answer.json({**document, "notes": [*document["notes"], *notes, *remarks]})
        answer.line(", ".join(f"{side} {count:,} rows" for side, count in result.rows.items()))
        header = ("check", "what", "between", "shared", "rows of the first", "of", "of the second", "of", "verdict")
        shown = [
            (f.check, f.what, f.between, f.found, f.rows_a, f.of_a, f.rows_b, f.of_b, "leak" if f.leak else "good")
            for f in result.findings
        ]
        answer.line(table(header, shown))
        answer.line()
        for finding in result.findings:
            answer.line(f"{'leak' if finding.leak else 'good'}: {finding.sentence}")
        for text in (*result.notes, *notes, *remarks):
            answer.line(f"note: {text}")
        if not near:
            answer.line("note: near duplicates were not looked for (--near)")
        result.check()
