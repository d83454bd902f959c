"""``ssl-domains DOMAIN predict``: answers, texts or masks of a fine-tuned model for new data."""

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

if TYPE_CHECKING:
    from ssl_domains.prediction import Predicted

__all__ = ["command", "command_for"]


def command(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN2", help="Run folder of a fine-tuning.")],
    source: Annotated[Path, typer.Argument(help="Folder or file of the domain, or a sample table.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="New folder for masks; new file NAME.csv for classes, numbers or texts.")
    ],
    beam: Annotated[
        int | None, typer.Option(metavar="N", help="Texts: beam search that keeps N prefixes; greedy by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    **options: Any,
) -> None:
    """Predict new data with a fine-tuned model, and write the predictions in the domain's own format."""
    from ssl_domains.cli.work.finetuned.predict import predict_to

    given = given_options(options)
    with answering(as_json) as answer:
        with showing_progress() as progress:
            predicted = predict_to(domain_of(ctx), run, source, out, options=given, beam=beam, progress=progress)
        answer.json(_document(predicted))
        _summary(answer, predicted)


def command_for(domain: Domain) -> Callable[..., None]:
    """The command ``predict`` with the options of the domain for its scan and its files of masks."""
    return with_scan_options(command, domain, domain.map_options)


def _document(predicted: Predicted) -> dict[str, Any]:
    causes = predicted.problems.group_by("cause", maintain_order=True).len()
    return {
        "out": str(predicted.out),
        "index": str(predicted.index),
        "task": predicted.task.kind,
        "label": predicted.task.label,
        "classes": predicted.task.classes,
        "samples": predicted.samples,
        "trained_on": predicted.trained_on,
        "files": predicted.files,
        "counts": dict(predicted.counts),
        "left_out": dict(causes.iter_rows()),
        "problems": str(predicted.problems_file),
        "notes": predicted.notes,
    }


def _summary(answer: Answer, predicted: Predicted) -> None:
    masks = predicted.task.kind == "segmentation"
    files = f", {predicted.files} files of masks" if masks else ""
    files = f", {predicted.files} files with texts" if predicted.files and not masks else files
    answer.line(f"{predicted.samples} samples predicted{files} → {predicted.out}")
    if predicted.counts:
        rows = list(predicted.counts.items())
        answer.line(table((predicted.task.label, "pixels" if masks else "samples"), rows))
    if predicted.trained_on:
        answer.line(
            f"note: the model was trained on {predicted.trained_on} of these samples (column trained_on): their "
            "predictions say nothing about new data"
        )
    for text in predicted.notes:
        answer.line(f"note: {text}")
    if len(predicted.problems):
        answer.line(f"\nleft out: {len(predicted.problems)} (all in {predicted.problems_file})")
        causes_of(answer, predicted.problems)
