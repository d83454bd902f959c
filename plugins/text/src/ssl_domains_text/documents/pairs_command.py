"""``ssl-domains text pairs``: the command of every domain, which also shows the false negatives of a batch as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ssl_domains.cli.for_plugins import pairs_command as usual

__all__ = ["pairs_command"]


def _false_negatives(
    false_negatives: Annotated[
        int | None,
        typer.Option(
            "--false-negatives",
            min=1,
            metavar="N",
            help="Show the N worst false negatives of planned batches as text; --html then writes their page.",
        ),
    ] = None,
    batches: Annotated[int, typer.Option(min=1, help="With --false-negatives: batches to look at.")] = 20,
    near: Annotated[
        float, typer.Option(min=0.1, max=1, help="With --false-negatives: share of words of near copies.")
    ] = 0.8,
) -> None:
    """The further options."""


def pairs_command() -> Callable[..., None]:
    """The command with its further options."""

    def command(**given: Any) -> None:
        count, batches, near = (given.pop(name) for name in ("false_negatives", "batches", "near"))
        if count is None:
            usual(**given)
            return
        page: Path | None = given.pop("html")
        from ssl_domains_text.documents.commands import show_false_negatives

        show_false_negatives({**given, "html": None}, count, batches, near, page)

    parameters = [
        parameter.replace(kind=parameter.KEYWORD_ONLY)
        for one in (usual, _false_negatives)
        for parameter in inspect.signature(one, eval_str=True).parameters.values()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = usual.__doc__
    return command
