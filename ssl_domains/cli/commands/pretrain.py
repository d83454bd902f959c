"""``ssl-domains DOMAIN pretrain``: train an encoder on pairs."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, table
from ssl_domains.cli.session import domain_of, registry_of

__all__ = ["command"]


class Relations(StrEnum):
    """Which samples are positives in the loss."""

    rule = "rule"
    none = "none"


def command(
    ctx: typer.Context,
    samples: Annotated[Path, typer.Argument(metavar="SAMPLES_OR_SOURCE", help="Sample table, or files to scan first.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Run folder.")],
    method: Annotated[str | None, typer.Option(help="See `ssl-domains methods list`.")] = None,
    pairs: Annotated[
        str | None, typer.Option(metavar="NAME", help="Pair sampler, with literals: \"region(by='theta', n=4)\".")
    ] = None,
    rule: Annotated[str | None, typer.Option(metavar="EXPR", help="Rule: \"same('patient')\".")] = None,
    relations: Annotated[
        Relations | None, typer.Option(help="none: batches by the rule, but own views are the only positives.")
    ] = None,
    shuffle_metadata: Annotated[
        int | None, typer.Option(metavar="SEED", help="Control: shuffle the columns the rule reads.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Train, though nearly no anchor has a positive of another sample.")
    ] = False,
    encoder: Annotated[str | None, typer.Option(help="timm name, or small_conv.")] = None,
    init: Annotated[str | None, typer.Option(help="random, pretrained, a file or a run folder.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set one value; repeatable.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run's last checkpoint.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="One step: memory, estimated time, composition; keeps nothing.")
    ] = False,
) -> None:
    """Check the pairs as `pairs` does, then train; without --pairs or --rule, this is plain SimCLR."""
    from ssl_domains.cli.work.pretrain import PretrainRequest, pretrain_run
    from ssl_domains.engine import Run

    options = {
        "method.name": method,
        "pairs.relations": relations.value if relations else None,
        "pairs.shuffle_metadata": shuffle_metadata,
        "pairs.anyway": True if anyway else None,
        "encoder.name": encoder,
        "encoder.init": init,
    }
    request = PretrainRequest(samples, out, pairs, rule, options, config, tuple(sets or ()), resume, dry_run)
    with answering() as answer:
        run = pretrain_run(registry_of(ctx), domain_of(ctx), request, answer.line)
        if isinstance(run, Run):
            answer.line(f"run: {run.folder} ({run.step} steps)")
            answer.line(f"next: ssl-domains {domain_of(ctx).name} probe {shlex.quote(str(run.folder))} --label COLUMN")
        else:
            answer.line(table(("dry run", "value"), list(run.to_dict().items())))
