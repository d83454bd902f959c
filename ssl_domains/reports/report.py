"""The report of a run: one self-contained HTML file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import ProbeReport, read_probe_reports, run_store, run_table
from ssl_domains.finetuning.report import FineTuneReport, read_finetune_reports
from ssl_domains.pairs import Objective, parse
from ssl_domains.reports.curves import health_charts, loss_chart
from ssl_domains.reports.embedding_map import EmbeddingMap, Projection, embedding_map
from ssl_domains.reports.facts import environment_rows, facts, headline, rule_text, shown_config, view_steps, warnings
from ssl_domains.reports.html_page import page_templates
from ssl_domains.reports.pair_numbers import pair_rows
from ssl_domains.reports.thumbnails.sounds import Sound
from ssl_domains.samples import Reader, SampleTable, require_target
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["write_report"]


def write_report(
    run: Run,
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    *,
    reader: Reader | None = None,
    columns: Sequence[str] = (),
    projection: Projection = "tsne",
    sound: Sound | None = None,
    caption: str | None = None,
) -> Path:
    """Write ``report.html`` into the run's folder.

    Args:
        run: The run.
        table: The samples; None takes those the run names. When they are missing, the page has no map and says why.
        store: Their arrays; None takes the one the run names.
        reader: The reader of the domain; needed where it opens arrays in place, as of recordings.
        columns: Further columns to colour the map by; their values are printed.
        projection: Projection of the map.
        sound: The function of the domain that makes a sample a wav file, to listen to neighbours; or None.
        caption: Column whose text stands under the neighbours, such as a transcript; or None.

    Returns:
        Path of the page.

    Raises:
        UsageError: When one of ``columns`` is not in the table, or the run folder can't be written to.
        DataError: When the run folder can't be read.
        ResourceError: When the disk is full.
    """
    path = run.folder / "report.html"
    require_target(path)
    probes, finetuned = read_probe_reports(run.folder), read_finetune_reports(run.folder)
    picture, missing = None, ""
    try:
        table = run_table(run) if table is None else table
        store = run_store(run, reader) if store is None else store
    except (UsageError, DataError) as error:
        missing = error.message
    if table is not None and store is not None:
        for name in columns:
            table.column(name)
        label = run.config.health.label
        # Texts are no classes to colour by.
        scored = [one.label for one in probes if one.task != "transcription"]
        scored += [one.label for one in finetuned if one.task != "transcription"]
        shown = [
            *columns,
            *(name for name in scored if name in table.columns),
            *([label] if label else []),
            "split",
        ]
        try:
            grouping = sorted(_objective(run).columns)
            picture = embedding_map(
                run, table, store, shown, grouping, projection=projection, sound=sound, caption=caption
            )
        except DataError as error:  # such as a store that was filled from files in another folder
            missing = error.message
    run.write_text(path.name, _render(run, probes, finetuned, picture, missing))
    return path


def _render(
    run: Run,
    probes: Sequence[ProbeReport],
    finetuned: Sequence[FineTuneReport],
    picture: EmbeddingMap | None,
    missing: str,
) -> str:
    environment = page_templates("ssl_domains.reports")
    environment.filters["embedded_json"] = _embedded_json
    metrics = run.metrics()
    with run.reading("metrics.jsonl"):
        loss, charts = loss_chart(metrics), health_charts(metrics)
    with run.reading("data_fingerprint.json"):
        head = headline(run)
    with run.reading("pairs.json"):
        known, warned, pairs = facts(run, metrics), warnings(run, metrics), pair_rows(run.pairs)
    with run.reading("recipe.json"):
        steps = view_steps(run.recipe)
    with run.reading("environment.json"):
        rule, made_with = rule_text(run), environment_rows(run)
    return environment.get_template("report.html.j2").render(
        name=run.folder.resolve().name,
        headline=head,
        rule=rule,
        facts=known,
        warnings=warned,
        probes=probes,
        finetuned=finetuned,
        loss=loss,
        charts=charts,
        map=picture,
        map_data=None if picture is None else _map_data(picture),
        map_missing=missing,
        pairs=pairs,
        steps=steps,
        config=shown_config(run.config),
        environment=made_with,
    )


def _map_data(picture: EmbeddingMap) -> dict[str, Any]:
    """Data for the script of the page, as JSON values."""
    return {
        "samples": picture.samples,
        "edge": picture.sprite.edge,
        "columns": picture.sprite.columns,
        "colourings": [
            {
                "column": one.column,
                "classes": one.classes,
                "texts": one.texts,
                "legend": one.legend,
                "numeric": one.numeric,
            }
            for one in picture.colourings
        ],
    }


def _embedded_json(value: Any) -> Markup:
    """JSON, escaped so that no text in it can end the ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escape in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(sign, escape)
    return Markup(text)


def _objective(run: Run) -> Objective:
    return Objective.of(parse(run.config.pairs.rule))
