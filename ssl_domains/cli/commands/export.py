"""``ssl-domains DOMAIN export``: write the encoder, or a fine-tuned model, for use in other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, error

__all__ = ["command"]


class Part(StrEnum):
    """What is exported."""

    ENCODER = "encoder"
    MODEL = "model"


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    format: Annotated[
        str | None,
        typer.Option(
            help="timm, safetensors, onnx; of texts sentence-transformers, transformers. "
            "Default timm, for --part model safetensors."
        ),
    ] = None,
    part: Annotated[
        Part, typer.Option(help="The encoder alone, or encoder and head of a fine-tuned run as one model.")
    ] = Part.ENCODER,
) -> None:
    """Export the encoder or a fine-tuned model with preprocessing and a model card; verified by loading it back."""
    from ssl_domains.engine.record.run import Run
    from ssl_domains.evaluation import export

    with answering() as answer:
        opened = Run.open(run)
        if unfinished := opened.unfinished_remark():
            error("warning", unfinished, "pretrain --resume goes on")
        if part is Part.MODEL:
            from ssl_domains.finetuning import FineTuned
            from ssl_domains.prediction import export_model

            written = export_model(FineTuned.open(opened), out, format or "safetensors")
            answer.line(f"exported → {written} (loaded back, same answers)")
            return
        answer.line(f"exported → {export(opened, out, format or 'timm')} (loaded back, same features)")
