"""``ssl-domains DOMAIN pairs``: check the pairs of a rule before training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, error, table
from ssl_domains.cli.session import domain_of, registry_of
from ssl_domains.errors import UsageError

__all__ = ["command"]


def command(
    ctx: typer.Context,
    samples: Annotated[Path, typer.Argument(help="Sample table.")],
    pairs: Annotated[
        str | None, typer.Option(metavar="NAME", help="Pair sampler, with literals: \"region(by='theta', n=4)\".")
    ] = None,
    rule: Annotated[str | None, typer.Option(metavar="EXPR", help="Rule: \"same('patient')\".")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Report how well positives agree on this column.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples in a batch; sets train.batch_size.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set one value; repeatable.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Warn, where nearly no anchor has a positive of another sample.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page with pictures of the pairs.")
    ] = None,
    anchors: Annotated[int, typer.Option(min=1, max=40, help="Anchors on the page.")] = 12,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="On the page, find hard negatives by this run's encoder.")
    ] = None,
) -> None:
    """Bind the pairs to the training rows, plan an epoch and count; exit code 4 when they can't be trained on."""
    if run is not None and html is None:
        raise UsageError("--run is for the page", "add --html FILE")
    from ssl_domains.cli.work.configuring import configure
    from ssl_domains.cli.work.pairs import (
        choose_pairs,
        nuisance_columns,
        placed_regions,
        plan_training,
        training_rows,
        with_measured,
        with_nuisance,
    )
    from ssl_domains.cli.work.tables import open_table
    from ssl_domains.pairs.inspection.advice import advise
    from ssl_domains.samples import require_target

    domain, registry = domain_of(ctx), registry_of(ctx)
    if html is not None:
        require_target(html, inputs=[samples])
    encode = None
    if run is not None:
        from ssl_domains.cli.work.sheet import encoder_of

        encode = encoder_of(run)
    with answering(as_json) as answer:
        chosen = choose_pairs(registry, domain, pairs, rule)
        if chosen is None and config is None:
            known = ", ".join(sampler.signature for _, sampler in registry.pair_samplers(domain.name))
            raise UsageError("give --pairs or --rule", f"{domain.name} has: {known}" if known else "--rule EXPR")
        train = training_rows(open_table(domain, samples))
        if label is not None:
            train.label(label)
        options = {"train.batch_size": batch_size, "pairs.anyway": True if anyway else None}
        settings = configure(domain, train, chosen, file=config, sets=sets or (), options=options)
        train, measured = with_measured(domain, with_nuisance(train, settings))
        plan = plan_training(domain, settings, train)
        nuisance = dict.fromkeys((*nuisance_columns(domain, train, settings), *measured))
        report = plan.inspect(label, tuple(nuisance), placed_regions(domain, train))
        advice = advise(plan.table, plan.composed_by, plan.sampler, label=label)
        answer.json({**report.to_dict(), "advice": None if advice is None else advice.to_dict()})
        answer.line(f"{settings.pairs.rule} on {len(train)} training rows")
        answer.line(table(("what", "value"), [(str(row[0]), row[1]) for row in report.rows()]))
        if advice is not None:
            answer.line()
            answer.line(table(advice.header(), advice.rows()))
            answer.line(advice.text)
        if html is not None:
            from ssl_domains.cli.work.sheet import write_sheet

            page = write_sheet(
                html, domain, settings, plan, report, advice, samples=samples, encode=encode, anchors=anchors
            )
            answer.line(f"page: {page}")
        for warning in report.warnings:
            error("warning", warning, "")
        report.check()
