"""``ssl-domains DOMAIN export``: write the encoder for use in other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, error

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    format: Annotated[str, typer.Option(help="timm or safetensors.")] = "timm",
) -> None:
    """Export the encoder with its preprocessing and a model card; verified by loading it back."""
    from ssl_domains.engine.record.run import Run
    from ssl_domains.evaluation import export

    with answering() as answer:
        opened = Run.open(run)
        if unfinished := opened.unfinished_remark():
            error("warning", unfinished, "pretrain --resume goes on")
        answer.line(f"exported → {export(opened, out, format)} (loaded back, same features)")
