"""The result page of a study: Markdown with SVG figures, as in ``docs/results``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from ssl_domains.samples import write_errors, write_whole
from ssl_domains.studies.evidence.findings import Findings, findings
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.page.figures import difference_plot, kept_and_lost, label_curves, left_out
from ssl_domains.studies.page.report import facts, study_title
from ssl_domains.studies.page.tables import (
    FEW_GROUPS,
    Table,
    arm_rows,
    chosen_table,
    column_headings,
    contrast_remarks,
    contrast_table,
    group_table,
    information_table,
    nuisance_table,
    other_measures,
    remarks_on_cells,
    table_title,
)
from ssl_domains.studies.page.verdict import verdict

__all__ = ["write_result_page"]
from ssl_domains.studies.page.wording import kept_sentence

_WIDTH = 520
_SECONDARY = (
    "Secondary contrasts, one family, Holm-corrected. *Detectable* is the smallest true difference that a study of "
    "this size finds four times in five."
)
_MARGIN = (
    "*Margin*: the 95 % interval, which has no correction for the number of contrasts, lies beyond the margin, within "
    "it, or neither."
)


def write_result_page(result: StudyResult, folder: Path) -> Path:
    """Write ``NAME.md`` and its figures ``NAME-differences.svg``, ``-curves``, ``-kept``; an empty one is left out.

    Args:
        result: The study.
        folder: Folder to write to; created when missing.

    Returns:
        Path of the Markdown file.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    statistics = findings(result)
    dots, curves = difference_plot(result, statistics), label_curves(result, statistics)
    kept = kept_and_lost(result, statistics)
    files = {
        f"{result.name}-differences.svg": dots.alone(_WIDTH) if dots.drawn else "",
        f"{result.name}-curves.svg": curves.alone(_WIDTH) if curves.drawn else "",
        f"{result.name}-kept.svg": kept.alone(_WIDTH) if len(kept.drawn) > 1 else "",
    }
    drawn = [name for name, figure in files.items() if figure]
    page = folder / f"{result.name}.md"
    texts = {**{name: files[name] for name in drawn}, page.name: _markdown(result, statistics, drawn)}
    with write_errors(f"the result page {str(page)!r}"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():  # the page last, so that its figures are there
            write_whole(folder / name, functools.partial(_write, text))
    return page


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _markdown(result: StudyResult, statistics: Findings, drawn: list[str]) -> str:
    outcome = verdict(result, statistics.primary)
    parts = [f"# {plain(study_title(result))}", *(_text(one) for one in result.about.split("\n\n") if one.strip())]
    if result.transductive:
        parts.append(
            "**Transductive:** the held-out groups were pre-trained on, without their labels, in every arm alike."
        )
    parts.append(f"**{plain(outcome.lead)}** {plain(outcome.sentence)}")
    parts += _list(outcome.remarks)
    parts.append("Made by")
    parts.append(f"```console\n{result.command.strip()}\n```")
    parts.append(" · ".join(f"{plain(name)}: {plain(value)}" for name, value in facts(result)))
    parts.append("## Every arm, control and floor")
    parts.append(f"{plain(table_title(result))}. Columns: share of the training groups whose labels the probe saw.")
    parts.append(_main_table(result, statistics))
    methods = "; ".join(dict.fromkeys(one.method for one in statistics.estimates.values()))
    parts.append(f"Intervals: {plain(methods)}.")
    parts += _list(remarks_on_cells(statistics))
    parts.append("## Paired differences")
    if f"{result.name}-differences.svg" in drawn:
        parts.append(f"![Each contrast with its interval, every group and every seed]({result.name}-differences.svg)")
    primary = statistics.primary.found
    if statistics.secondary:
        parts.append(_SECONDARY if result.margin is None else f"{_SECONDARY} {_MARGIN}")
        parts.append(_table(contrast_table(result, statistics)))
        parts += _list(contrast_remarks(result, statistics))
    if primary is not None and len(primary.groups) < FEW_GROUPS:
        parts += ["Every group's difference, mean over seeds:", _table(group_table(statistics))]
    if f"{result.name}-curves.svg" in drawn:
        parts += ["## Few labels", f"![Score against the share of labelled groups]({result.name}-curves.svg)"]
        if out := left_out(result):
            parts.append(f"In the table only: {plain(', '.join(out))}.")
    if f"{result.name}-kept.svg" in drawn:
        parts += ["## Kept and lost", f"![Score of the label over that of the nuisance]({result.name}-kept.svg)"]
        parts.append(plain(kept_sentence(result)))
    if others := other_measures(result):
        parts += ["## Other measures", "Without intervals.", *(_table(table) for table in others)]
    for title, table in (
        ("Nuisance probes", nuisance_table(result)),
        ("What the pairs tell", information_table(result)),
    ):
        if table.rows:
            parts += [f"## {title}", _table(table)]
    parts += ["## Arms", _table(chosen_table(result))]
    if result.notes:
        parts += ["## Notes", *_list(result.notes)]
    return "\n\n".join(parts) + "\n"


def _main_table(result: StudyResult, statistics: Findings) -> str:
    rows = []
    for row in arm_rows(result, statistics):
        name = f"**{plain(row.arm.name)}**" if row.arm.primary else plain(row.arm.name)
        if row.supervised:
            name += f" ({plain(row.supervised)})"
        cells = (f"{cell.value} ({cell.interval})" if cell.interval != "–" else cell.value for cell in row.cells)
        rows.append((name, row.band.lower(), *cells))
    return _grid(("arm", "", *(plain(one) for one in column_headings(result, statistics))), rows, 2)


def _table(table: Table) -> str:
    header = tuple(plain(one) for one in table.header)
    return _grid(header, [tuple(plain(cell) for cell in row) for row in table.rows], table.numbers)


def _grid(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: int) -> str:
    ruler = ["---:" if place >= numbers else "---" for place in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, tuple(ruler), *rows))


def _list(lines: Iterable[str]) -> list[str]:
    shown = [f"- {plain(line)}" for line in lines]
    return ["\n".join(shown)] if shown else []


def _text(paragraph: str) -> str:
    """A paragraph written as Markdown by the author of the study; only HTML in it is escaped."""
    return " ".join(paragraph.replace("&", "&amp;").replace("<", "&lt;").split())


def plain(words: str) -> str:
    """Text with Markdown and HTML escaped."""
    safe = " ".join(words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", safe)
