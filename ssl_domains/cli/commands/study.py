"""``ssl-domains DOMAIN study``: compare arms over folds and seeds, with controls and floors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, note, table
from ssl_domains.cli.session import domain_of, registry_of

__all__ = ["command"]


def command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder; an unfinished study in it is continued.")],
    samples: Annotated[Path | None, typer.Option(help="Sample table in place of the file's.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="ARM", help="Run this arm alone; repeatable.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Cells at a time; by default one for each CPU core, or one on a GPU.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Print an estimate of the time, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Train and probe every arm, control and floor on held-out groups; print one table and the primary contrast."""
    from ssl_domains.cli.work.study import prepare_study
    from ssl_domains.engine.processes.precision import resolve_device
    from ssl_domains.studies import alone_in_study, conduct, read_study_file
    from ssl_domains.studies.page.report import summary

    domain, registry = domain_of(ctx), registry_of(ctx)
    study = read_study_file(file)
    with alone_in_study(out), answering(as_json) as answer:
        material, arms = prepare_study(registry, domain, study, file.parent, out, samples)
        on_cpu = resolve_device(material.config.train.device).type == "cpu"
        conducted = conduct(
            study,
            material,
            arms,
            command=study.command or f"ssl-domains {domain.name} study {file.name} --out DIR",
            jobs=jobs or ((os.cpu_count() or 1) if on_cpu else 1),
            say=note,
            only=only or (),
            estimate_only=estimate,
        )
        if conducted.result is None:
            answer.json({"estimated_seconds": conducted.estimated})
            return
        answer.json(conducted.result.to_dict())
        shown = summary(conducted.result)
        answer.line(f"{conducted.result.title}\n{table(shown.header, shown.rows)}\n")
        for line in shown.lines:
            answer.line(line)
        answer.line(f"\nreport: {conducted.report}")
