"""The curves of a run, from its ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ssl_domains.reports.line_chart import LineChart, Series

__all__ = ["health_charts", "loss_chart", "speed"]

Metrics = Sequence[Mapping[str, Any]]

_HEALTH: tuple[tuple[str, str, str, bool], ...] = (
    ("std", "Standard deviation", "of the embedding's dimensions; near 0 is a collapse", True),
    ("effective_rank", "Effective rank", "directions the embedding uses; 1 is a collapse", True),
    ("alignment", "Alignment", "distance between views of a sample; lower is closer", True),
    ("uniformity", "Uniformity", "spread over the sphere; lower is more even", False),
    ("knn", "Online k-NN", "agreement with the label column among training rows; a measure, never trained on", True),
    ("images_per_s", "Images per second", "samples, whatever the number of views", True),
    ("data_wait", "Data wait", "share of the time spent waiting for data", True),
    ("temperature", "Temperature τ", "of the loss", False),
    ("lr", "Learning rate", "after warm-up, a cosine", True),
)


def loss_chart(metrics: Metrics) -> LineChart:
    """The loss, and each relation's own when there are several."""
    steps = [float(row["step"]) for row in metrics]
    series = [Series.of("loss", steps, [row.get("loss") for row in metrics])]
    names = _relations(metrics, "per_relation")
    if len(names) > 1:
        series += [Series.of(name, steps, [row.get("per_relation", {}).get(name) for row in metrics]) for name in names]
    return LineChart("Loss", "mean since the measurement before, over training steps", tuple(series), 900, 220)


def health_charts(metrics: Metrics) -> list[LineChart]:
    """What is measured beside the loss; what never changes or was not measured is left out."""
    steps = [float(row["step"]) for row in metrics]
    charts = []
    for key, title, about, from_zero in _HEALTH:
        one = Series.of(title, steps, [row.get(key) for row in metrics])
        if one.points and not (key == "temperature" and len({y for _, y in one.points}) == 1):
            charts.append(LineChart(title, about, (one,), from_zero=from_zero))
    lonely = tuple(
        Series.of(name, steps, [row.get("no_cross_positive", {}).get(name) for row in metrics])
        for name in _relations(metrics, "no_cross_positive")
    )
    if any(one.points for one in lonely):
        about = "share of anchors whose only positives are their own views"
        charts.append(LineChart("Anchors without a cross-sample positive", about, lonely, from_zero=True))
    return charts


def speed(metrics: Metrics) -> tuple[float | None, float | None]:
    """Median images per second and data-wait share; the first measurement, which warms up, only when it is alone."""
    rows = list(metrics)[1:] or list(metrics)
    found = []
    for key in ("images_per_s", "data_wait"):
        values = [row[key] for row in rows if row.get(key) is not None]
        found.append(median(values) if values else None)
    return found[0], found[1]


def _relations(metrics: Metrics, key: str) -> list[str]:
    return list(dict.fromkeys(name for row in metrics for name in row.get(key) or {}))
