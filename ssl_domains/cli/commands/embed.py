"""``ssl-domains DOMAIN embed``: features of the frozen encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, error
from ssl_domains.cli.session import domain_of

__all__ = ["command"]


def command(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    samples: Annotated[Path, typer.Argument(help="Sample table.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file to write.")],
    tile: Annotated[
        bool, typer.Option("--tile", help="For views that show crops: average over tiles that cover each sample.")
    ] = False,
    overlap: Annotated[
        float, typer.Option(help="With --tile: share of a tile's length that neighbours overlap by.")
    ] = 0.0,
) -> None:
    """Embed every sample of a table with the run's frozen encoder."""
    from ssl_domains.cli.progress import showing_progress
    from ssl_domains.cli.work.tables import fill_store, open_table
    from ssl_domains.cli.work.tiling import tiling_of
    from ssl_domains.engine.record.run import Run
    from ssl_domains.evaluation import embed
    from ssl_domains.samples import require_target
    from ssl_domains.stores import default_store

    with answering() as answer:
        require_target(out, inputs=[samples])
        opened = Run.open(run)
        if unfinished := opened.unfinished_remark():
            error("warning", unfinished, "pretrain --resume goes on")
        table = open_table(domain_of(ctx), samples)
        store = fill_store(domain_of(ctx), table, default_store(samples))
        with showing_progress() as progress:
            shown = partial(progress, "embedding")
            frame = embed(opened, table, store, out=out, tiling=tiling_of(tile, overlap), progress=shown)
        answer.line(f"{len(frame)} of {len(table)} samples embedded → {out}")
