"""``ssl-domains DOMAIN finetune``: train a pre-trained encoder on labels, beside its frozen probe and scratch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.commands.probe import one_target, shares_of
from ssl_domains.cli.console import answering, note, table
from ssl_domains.cli.session import domain_of
from ssl_domains.durations import duration
from ssl_domains.errors import UsageError

__all__ = ["command"]


def command(
    ctx: typer.Context,
    samples: Annotated[Path, typer.Argument(metavar="SAMPLES", help="Sample table with labels or masks.")],
    start: Annotated[
        str, typer.Option("--from", metavar="RUN|INIT", help="Run folder; or pretrained, or a file of weights.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN2", help="Run folder of the fine-tuned model.")],
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column to predict.")] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Predict each pixel's class: the scanned masks.")] = False,
    transcripts: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Predict the texts of this column, with a CTC head.")
    ] = None,
    layers: Annotated[
        str | None, typer.Option(metavar="head|all|N", help="What moves: the head, all (default), or N last stages.")
    ] = None,
    fractions: Annotated[str, typer.Option(help="Shares of the labelled training groups, as 0.1,1.")] = "1",
    draws: Annotated[int, typer.Option(help="Draws of each share below 1; the table gives means.")] = 5,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Groups to hold out whole; by default those of --split-by."),
    ] = None,
    scratch: Annotated[
        bool, typer.Option("--scratch/--no-scratch", help="Train from random weights too, for comparison.")
    ] = True,
    head: Annotated[str | None, typer.Option(metavar="NAME", help="With --masks: 1x1 (default) or deeplab.")] = None,
    alphabet: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="With --transcripts: digits, ascii, a text file, or the characters; else those of training rows.",
        ),
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="timm name, or small_conv; only without a run folder.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set one value; repeatable.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; finished trainings are kept.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="A few steps: memory, time of all trainings; keeps nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Does pre-training help on these labels? Fine-tune, beside the frozen probe and scratch: not evidence."""
    from ssl_domains.cli.work.finetuned.finetune import FineTuneRequest, finetune_run
    from ssl_domains.finetuning.report import FineTuneReport

    shares = shares_of(fractions)
    one_target(
        "a fine-tuning",
        {"--label COLUMN": label is not None, "--masks": masks, "--transcripts COLUMN": transcripts is not None},
    )
    if alphabet is not None and transcripts is None:
        raise UsageError("--alphabet is for --transcripts", "leave it out")
    if head is not None and not masks:
        raise UsageError("--head is for --masks", "leave it out")
    if draws < 1:
        raise UsageError(f"--draws {draws} averages over nothing", "give 1 or more")
    request = FineTuneRequest(
        samples, start, out, label, layers, shares, draws, group, scratch, head, encoder, tuple(sets or ()), resume,
        dry_run, transcripts, alphabet,
    )  # fmt: skip
    with answering(as_json) as answer:
        report = finetune_run(domain_of(ctx), request, None if as_json else note)
        if isinstance(report, FineTuneReport):
            answer.json({**report.to_dict(), "evidence": False})
            answer.line(report.title)
            rows = report.table()
            answer.line(table(report.headings, [[row[name] for name in report.headings] for row in rows]))
            for remark in report.remarks():
                answer.line(f"· {remark}")
            answer.line(f"run: {out}")
            made = "MASKS" if masks else "ANSWERS.csv"
            answer.line(f"next: ssl-domains {domain_of(ctx).name} predict {shlex.quote(str(out))} SOURCE -o {made}")
            return
        answer.json(report.to_dict())
        answer.line(table(("dry run", "value"), list(report.summary().items())))
        answer.line(f"about {duration(report.estimated_seconds)} for {report.trainings} trainings; probes and scores "
                    "take further time")  # fmt: skip
