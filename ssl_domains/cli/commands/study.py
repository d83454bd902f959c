"""``ssl-domains DOMAIN study``: compare arms over folds and seeds, with controls and floors."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssl_domains.cli.console import Answer, answering, note, table
from ssl_domains.cli.session import domain_of, registry_of
from ssl_domains.errors import UsageError

if TYPE_CHECKING:
    from ssl_domains.studies import StudyResult

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
    again: Annotated[
        bool, typer.Option("--again", help="Make the pages anew from stored cells; nothing is read or trained.")
    ] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Print an estimate of the time, and stop.")] = False,
    pilot: Annotated[
        bool,
        typer.Option("--pilot", help="Print the smallest difference that the study will find, from two seeds apart."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Train and probe every arm, control and floor on held-out groups; print one table and the primary contrast."""
    from ssl_domains.cli.work.study import prepare_study
    from ssl_domains.engine.processes.precision import resolve_device
    from ssl_domains.studies import alone_in_study, conduct, pages_again, read_study_file
    from ssl_domains.studies.conducting.pilot import pilot as run_pilot

    domain, registry = domain_of(ctx), registry_of(ctx)
    if again and (only or estimate or pilot):
        other = "--only" if only else "--estimate" if estimate else "--pilot"
        raise UsageError(f"--again runs nothing, so {other} has no meaning beside it", f"leave out --again or {other}")
    if pilot and (only or estimate):
        other = "--only" if only else "--estimate"
        raise UsageError(f"--pilot runs arms of its own, so {other} has no meaning beside it", f"leave out {other}")
    study = read_study_file(file)
    committed = file.parent / f"{study.name}.cells.parquet"
    printed = study.command or f"ssl-domains {domain.name} study {file.name} --out DIR"
    if again:
        with alone_in_study(out), answering(as_json) as answer:
            written = pages_again(study, out, command=printed, say=note, committed=committed)
            _show(answer, written.result, written.report)
        return
    with alone_in_study(out), answering(as_json) as answer:
        material, arms = prepare_study(registry, domain, study, file.parent, out, samples)
        on_cpu = resolve_device(material.config.train.device).type == "cpu"
        at_once = jobs or ((os.cpu_count() or 1) if on_cpu else 1)
        if pilot:
            found = run_pilot(study, material, arms, jobs=at_once, say=note)
            answer.json({**asdict(found), "cannot_tell": found.cannot_tell})
            for line in found.lines():
                answer.line(line)
            return
        conducted = conduct(
            study,
            material,
            arms,
            command=printed,
            jobs=at_once,
            say=note,
            only=only or (),
            estimate_only=estimate,
            committed=committed,
        )
        if conducted.result is None or conducted.report is None:
            answer.json({"estimated_seconds": conducted.estimated})
            return
        _show(answer, conducted.result, conducted.report)


def _show(answer: Answer, result: StudyResult, report: Path) -> None:
    """Print the table, the verdicts and the path of the report, or all of the result as JSON."""
    from ssl_domains.studies.page.report import summary

    answer.json(result.to_dict())
    shown = summary(result)
    answer.line(f"{result.title}\n{table(shown.header, shown.rows)}\n")
    for line in shown.lines:
        answer.line(line)
    answer.line(f"\nreport: {report}")
