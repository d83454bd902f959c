"""Options of a domain's scan as options of a command, and the table of what a scan has left out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from ssl_domains.cli.console import Answer, table
from ssl_domains.extending import Domain, ScanOption

if TYPE_CHECKING:
    import polars as pl

__all__ = ["causes_of", "given_options", "with_scan_options"]

_MOST_CAUSES = 15


def with_scan_options(command: Callable[..., None], domain: Domain) -> Callable[..., None]:
    """A command with the scan options of a domain added to its parameters; it takes them by keyword."""

    def extended(**given: Any) -> None:
        command(**given)

    fixed = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [*fixed, *map(_parameter, domain.scan_options)]
    # typer reads a command's options from its signature; every one is passed by keyword.
    extended.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    extended.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    extended.__doc__ = command.__doc__
    return extended


def given_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that have a value; one that may be given several times has none when its list is empty."""
    return {name: value for name, value in options.items() if value is not None and value != []}


def causes_of(answer: Answer, problems: pl.DataFrame) -> None:
    """Print how many files were left out for which cause, the commonest first."""
    causes = problems.group_by("cause", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    shown = causes.head(_MOST_CAUSES)
    answer.line(table(("files", "why"), [(count, cause) for cause, count in shown.iter_rows()]))
    if len(causes) > _MOST_CAUSES:
        answer.line(f"… and {len(causes) - _MOST_CAUSES} other causes")


def _parameter(option: ScanOption) -> inspect.Parameter:
    flags = [f"{option.flag}/--no-{option.flag[2:]}"] if option.type is bool else [option.flag]
    default = typer.Option(option.default, *flags, help=option.help)
    annotation = list[option.type] if option.many else option.type  # type: ignore[name-defined]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation | None)
