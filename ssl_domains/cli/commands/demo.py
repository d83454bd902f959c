"""``ssl-domains demo``: a whole comparison, from files to a table of scores, in a few minutes on generated data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering
from ssl_domains.cli.session import registry_of

__all__ = ["command"]


def command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to work in.")] = Path("demo"),
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each arm.")] = 2,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each training.")] = 8,
    size: Annotated[int, typer.Option(min=8, help="Side of the images in pixels.")] = 32,
) -> None:
    """Make fisheye data, check the pairs, train five arms, probe them and print one table: not evidence."""
    from ssl_domains.cli.work.demo import Demonstration

    demonstration = Demonstration(out, registry_of(ctx).domain("fisheye"), seeds, epochs, size)
    with answering() as answer:
        answer.line("\n" + demonstration.play(invoke))


def invoke(words: Sequence[str]) -> None:
    """Run a command line in this process, as if a user had typed it."""
    from ssl_domains.cli.app import app

    code = typer.main.get_command(app).main(list(words), prog_name="ssl-domains", standalone_mode=False)
    if code == 130:  # typer turns Ctrl-C into this code, but it must end the whole demonstration
        raise KeyboardInterrupt
