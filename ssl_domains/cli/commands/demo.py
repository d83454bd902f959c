"""``ssl-domains demo``: a whole comparison, from files to a table of scores, in a few minutes on generated data."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering
from ssl_domains.cli.session import registry_of

__all__ = ["command"]


class DemoDomain(StrEnum):
    """Domains with a demonstration."""

    medical = "medical"
    fisheye = "fisheye"
    seismic = "seismic"
    audio = "audio"
    lines = "lines"
    text = "text"


def command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to work in.")] = Path("demo"),
    domain: Annotated[DemoDomain, typer.Option(help="Whose demonstration.")] = DemoDomain.medical,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the data and of the first training.")] = 0,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Trainings of each arm, with medical (2), fisheye (2) and text (3).", show_default=False
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of each training; 18, and 8 with fisheye.", show_default=False)
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps of each training, with seismic (120), audio (200), lines (120), text (400).",
            show_default=False,
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=8, help="Side of the images in pixels.")] = 32,
    draws: Annotated[int, typer.Option(min=1, help="Draws of labelled patients, with medical.")] = 5,
) -> None:
    """Make data of known truth, find its faults, judge pairs, train and compare seven arms: not evidence."""
    from ssl_domains.cli.work.demo import (
        AudioDemonstration,
        DocumentsDemonstration,
        FisheyeDemonstration,
        LinesDemonstration,
        MedicalDemonstration,
        SeismicDemonstration,
    )
    from ssl_domains.cli.work.demo.audio.lines import AudioLines
    from ssl_domains.cli.work.demo.medical.lines import MedicalLines
    from ssl_domains.cli.work.demo.seismic.lines import SeismicLines
    from ssl_domains.cli.work.demo.text_documents.lines import DocumentLines
    from ssl_domains.cli.work.demo.text_lines.lines import LineLines

    chosen = registry_of(ctx).domain(domain.value)
    with answering() as answer:
        if domain is DemoDomain.fisheye:
            result = FisheyeDemonstration(out, chosen, seeds or 2, epochs or 8, size, seed).play(invoke)
        elif domain is DemoDomain.seismic:
            seismic = SeismicDemonstration(SeismicLines(out, seed, steps or 120), chosen)
            result = seismic.play(invoke, exit_code)
        elif domain is DemoDomain.audio:
            result = AudioDemonstration(AudioLines(out, seed, steps or 200), chosen).play(invoke, exit_code)
        elif domain is DemoDomain.lines:
            result = LinesDemonstration(LineLines(out, seed, steps or 120), chosen).play(invoke, exit_code)
        elif domain is DemoDomain.text:
            documents = DocumentLines(out, seed, steps or 400, seeds or 3)
            result = DocumentsDemonstration(documents, chosen).play(invoke, exit_code)
        else:
            lines = MedicalLines(out, seed, epochs or 18, size, draws)
            result = MedicalDemonstration(lines, chosen, seeds=seeds or 2).play(invoke, exit_code)
        answer.line("\n" + result)


def exit_code(words: Sequence[str]) -> int:
    """Run a command line and return its exit code; called in the processes that train."""
    from ssl_domains.cli.app import run

    return run(words)


def invoke(words: Sequence[str]) -> None:
    """Run a command line in this process, as if a user had typed it."""
    from ssl_domains.cli.app import app

    code = typer.main.get_command(app).main(list(words), prog_name="ssl-domains", standalone_mode=False)
    if code == 130:  # typer turns Ctrl-C into this code, but it must end the whole demonstration
        raise KeyboardInterrupt
