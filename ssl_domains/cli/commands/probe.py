"""``ssl-domains DOMAIN probe``: probe the frozen encoder, and compare it with floors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, table
from ssl_domains.cli.session import domain_of
from ssl_domains.errors import UsageError

__all__ = ["command", "shares_of"]


def command(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column to predict.")] = None,
    masks: Annotated[
        bool, typer.Option("--masks", help="Predict each pixel's class instead: a dense probe of the scanned masks.")
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Groups to hold out whole; by default those of --split-by."),
    ] = None,
    fractions: Annotated[str, typer.Option(help="Shares of the labelled training groups, as 0.01,0.1,1.")] = "1",
    floor: Annotated[
        list[str] | None, typer.Option(metavar="COLUMNS", help="A floor from these columns alone; repeatable.")
    ] = None,
    head: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --masks: 1x1 (default) or deeplab; repeatable.")
    ] = None,
    last_map: Annotated[
        bool, typer.Option("--last-map", help="With --masks: read the last map alone, not those of all stages.")
    ] = False,
    tile: Annotated[
        bool, typer.Option("--tile", help="For views that show crops: average over tiles that cover each sample.")
    ] = False,
    overlap: Annotated[
        float, typer.Option(help="With --tile: share of a tile's length that neighbours overlap by.")
    ] = 0.0,
    samples: Annotated[Path | None, typer.Option(help="Sample table; by default that of the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Probe the frozen encoder on a group-disjoint split, beside random initialisation and floors: not evidence."""
    from ssl_domains.cli.work.probe import probe, probe_masks
    from ssl_domains.cli.work.tiling import tiling_of

    shares = shares_of(fractions)
    if masks == (label is not None):
        raise UsageError("probe either a column or the masks", "--label COLUMN, or --masks")
    if masks and floor:
        raise UsageError("--floor is for columns, not for masks", "leave it out, or probe a column with --label")
    if masks and tile:
        raise UsageError("--tile is for columns, not for masks", "leave it out, or probe a column with --label")
    if not masks and (head or last_map):
        raise UsageError("--head and --last-map are for --masks", "leave them out")
    with answering(as_json) as answer:
        domain = domain_of(ctx)
        if label is None:
            report = probe_masks(
                domain, run, samples=samples, group=group, fractions=shares, heads=head or ["1x1"], last_map=last_map
            )
        else:
            floors = tuple(floor or ())
            tiling = tiling_of(tile, overlap)
            report = probe(
                domain, run, label, samples=samples, group=group, fractions=shares, floors=floors, tiling=tiling
            )
        answer.json({**report.to_dict(), "evidence": False})
        answer.line(report.title)
        rows = report.table()
        answer.line(table(report.headings, [[row[name] for name in report.headings] for row in rows]))
        for remark in report.remarks():
            answer.line(f"· {remark}")


def shares_of(text: str) -> tuple[float, ...]:
    """The value of ``--fractions`` as numbers.

    Raises:
        UsageError: When it is no list of numbers above 0 and at most 1.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--fractions {text!r} is not a list of numbers", "for example 0.01,0.1,1") from None
    if not all(0 < share <= 1 for share in shares):
        raise UsageError(f"--fractions {text!r}: each share must be above 0 and at most 1", "for example 0.01,0.1,1")
    return shares
