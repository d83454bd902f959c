"""One self-contained HTML file for a run: opens from the disk, asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from ssl_domains.errors import DataError, ResourceError, UsageError
from ssl_domains.evaluation import ProbeReport, read_probe_reports, run_store, run_table
from ssl_domains.pairs import Objective, parse
from ssl_domains.reports.curves import health_charts, loss_chart, speed
from ssl_domains.reports.embedding_map import EmbeddingMap, Projection, embedding_map
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run, RunConfig

__all__ = ["write_report"]

_PRIVATE = ("data.samples", "data.store")
"""Keys that hold paths: a report shows none."""


def write_report(
    run: Run,
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    *,
    columns: Sequence[str] = (),
    projection: Projection = "tsne",
) -> Path:
    """Write ``report.html`` into the run's folder.

    Args:
        run: The run.
        table: The samples; None takes those the run names. Without them the map is left out, and the page says why.
        store: Their arrays; None takes the one the run names.
        columns: More columns to colour the map by; their values are printed.
        projection: Of the map.

    Returns:
        Path of the page.

    Raises:
        UsageError: When one of ``columns`` is not in the table.
        DataError: When the run folder can't be read.
        ResourceError: When the disk is full.
    """
    probes = read_probe_reports(run.folder)
    picture, missing = None, ""
    try:
        table = run_table(run) if table is None else table
        store = run_store(run) if store is None else store
    except (UsageError, DataError) as error:
        missing = error.message
    if table is not None and store is not None:
        for name in columns:
            table.column(name)
        label = run.config.health.label
        shown = [*columns, *(probe.label for probe in probes), *([label] if label else []), "split"]
        picture = embedding_map(run, table, store, shown, sorted(_objective(run).columns), projection=projection)
    path = run.folder / "report.html"
    try:
        run.write_text(path.name, _render(run, probes, picture, missing))
    except OSError as error:
        raise ResourceError(f"the report can't be written: {error.strerror or error}", "free some space") from error
    return path


def _render(run: Run, probes: Sequence[ProbeReport], picture: EmbeddingMap | None, missing: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ssl_domains.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded_json"] = _embedded_json
    metrics = run.metrics()
    return environment.get_template("report.html.j2").render(
        name=run.folder.resolve().name,
        headline=_headline(run),
        rule=_rule(run.config),
        facts=_facts(run, metrics),
        warnings=_warnings(run, metrics),
        probes=probes,
        loss=loss_chart(metrics),
        charts=health_charts(metrics),
        map=picture,
        map_data=None if picture is None else _map_data(picture),
        map_missing=missing,
        pairs=_pair_numbers(run.pairs),
        steps=[_step(step) for step in run.recipe.get("steps", ())],
        config=_shown_config(run.config),
        environment=_environment(run),
    )


def _headline(run: Run) -> str:
    config, rows = run.config, run.data_fingerprint.get("rows")
    samples = f"{rows:,} samples" if isinstance(rows, int) else "samples"
    return f"{config.encoder.name} trained with {config.method.name} on {samples}"


def _rule(config: RunConfig) -> dict[str, str]:
    """The rule in text, and what was done with it."""
    pairs = config.pairs
    notes = []
    if pairs.rule == "none":
        notes.append("no relation: positives are a sample's own views (SimCLR)")
    elif pairs.relations == "none":
        notes.append("batches by the rule, but positives are a sample's own views only (control)")
    if pairs.shuffle_metadata is not None:
        notes.append(f"the columns it reads were shuffled, seed {pairs.shuffle_metadata} (control)")
    return {"text": pairs.rule, "name": pairs.name or "", "note": "; ".join(notes)}


def _facts(run: Run, metrics: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    config = run.config
    images, wait = speed(metrics)
    composition = run.pairs.get("composition")
    text = composition if isinstance(composition, str) else config.pairs.composition
    facts = [
        ("Steps", f"{max(0, run.step):,}"),
        ("Epochs", f"{config.train.epochs:,}"),
        ("Batch", f"{config.train.batch_size:,} samples × {config.views.n} views"),
        ("Image", f"{config.views.size} × {config.views.size} px, {run.preprocess.in_chans} ch"),
        ("Batches", text),
        ("First weights", config.encoder.init if config.encoder.init in ("random", "pretrained") else "another run"),
        ("Optimiser", f"{config.train.optimizer}, lr {config.train.lr:g}"),
        ("Seed", str(config.train.seed)),
        ("Device", f"{run.environment.get('device', 'unknown')}, {run.environment.get('precision', 'unknown')}"),
    ]
    if images is not None:
        facts.append(("Speed", f"{images:,.0f} images/s"))
    if wait is not None:
        facts.append(("Data wait", f"{wait:.0%}"))
    return facts


def _warnings(run: Run, metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [f"step {row['step']}: {row['warning']}" for row in metrics if row.get("warning")]
    shown = [*found[:1], *(found[-1:] if len(found) > 1 else [])]
    return [*shown, *(str(text) for text in run.pairs.get("warnings", ()))]


def _pair_numbers(pairs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every plain number or text of ``pairs.json``, nested ones by their path; lists and long texts are left there."""
    rows: list[tuple[str, str]] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{name} · {key}" if name else str(key), inner)
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for number, inner in enumerate(value, start=1):
                title = str(inner.get("text") or inner.get("name") or inner.get("column") or number)
                walk(f"{name} · {title}" if name else title, inner)
        elif value is None or isinstance(value, (bool, int, float, str)):
            rows.append((name.replace("_", " "), _plain(value)))

    walk("", {key: value for key, value in pairs.items() if key not in ("warnings", "refusals")})
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _step(step: Mapping[str, Any]) -> dict[str, str]:
    settings = {key: value for key, value in step.items() if key not in ("name", "reason")}
    text = ", ".join(f"{key} {_setting(value)}" for key, value in settings.items())
    return {"name": str(step.get("name", "")), "settings": text, "reason": str(step.get("reason", ""))}


def _setting(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "–".join(_setting(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown_config(config: RunConfig) -> list[tuple[str, str]]:
    values = {key: value for key, value in config.flat().items() if key not in _PRIVATE and value is not None}
    if values.get("encoder.init") not in ("random", "pretrained"):
        values["encoder.init"] = "(weights of another run or file)"
    return [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()]


def _environment(run: Run) -> list[tuple[str, str]]:
    known = run.environment
    rows = [(name, str(version)) for name, version in {**known.get("versions", {}), **known.get("plugins", {})}.items()]
    if known.get("commit"):
        rows.append(("commit", str(known["commit"])[:12]))
    rows += [(name, str(known[name])) for name in ("python", "system", "machine") if known.get(name)]
    samples = run.data_fingerprint.get("samples")
    return [*rows, ("training rows", str(samples)[:16])] if samples else rows


def _map_data(picture: EmbeddingMap) -> dict[str, Any]:
    """What the page's script needs beyond what is drawn already."""
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
    """JSON that may stand inside a ``<script>`` element whatever a text in it says."""
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
    parsed = parse(run.config.pairs.rule)
    return parsed if isinstance(parsed, Objective) else 1 * parsed
