"""Charts of the loss and of health measures over training steps, from ``metrics.jsonl`` of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ssl_domains.reports.line_chart import LineChart, Series

__all__ = ["health_charts", "loss_chart", "speed"]

Metrics = Sequence[Mapping[str, Any]]

_HEALTH: tuple[tuple[str, str, str, bool], ...] = (
    ("std", "Standard deviation", "mean over the dimensions of the embedding; near 0 is a collapse", True),
    ("effective_rank", "Effective rank", "directions the embedding uses; 1 is a collapse", True),
    ("alignment", "Alignment", "distance between views of a sample; lower is closer", True),
    ("uniformity", "Uniformity", "spread over the sphere; lower is more even", False),
    ("knn", "Online k-NN", "balanced accuracy of the label among rows of other groups; never trained on", True),
    ("images_per_s", "Samples per second", "samples, whatever the number of views", True),
    ("data_wait", "Data wait", "share of the time spent waiting for data", True),
    ("temperature", "Temperature τ", "of the loss", False),
    ("lr", "Learning rate", "after warm-up, a cosine", True),
)


def loss_chart(metrics: Metrics) -> LineChart:
    """Chart of the loss, and of the loss of each relation when there are several."""
    steps = [float(row["step"]) for row in metrics]
    series = [Series.of("loss", steps, [row.get("loss") for row in metrics])]
    names = _relations(metrics, "per_relation")
    if len(names) > 1:
        series += [Series.of(name, steps, [row.get("per_relation", {}).get(name) for row in metrics]) for name in names]
    return LineChart("Loss", "mean since the measurement before, over training steps", tuple(series), 900, 220)


def health_charts(metrics: Metrics) -> list[LineChart]:
    """Charts of all measures except the loss; measures without values, and a constant temperature, are left out."""
    steps = [float(row["step"]) for row in metrics]
    charts = []
    for key, title, about, from_zero in _HEALTH:
        one = Series.of(title, steps, [row.get(key) for row in metrics])
        if one.points and not (key == "temperature" and len({y for _, y in one.points}) == 1):
            series = (one, _chance(metrics, steps)) if key == "knn" else (one,)
            charts.append(LineChart(title, about, tuple(line for line in series if line.points), from_zero=from_zero))
    without_positive = tuple(
        Series.of(name, steps, [row.get("no_cross_positive", {}).get(name) for row in metrics])
        for name in _relations(metrics, "no_cross_positive")
    )
    if any(one.points for one in without_positive):
        about = "share of anchors whose only positives are their own views"
        charts.append(LineChart("Anchors without a cross-sample positive", about, without_positive, from_zero=True))
    return charts


def _chance(metrics: Metrics, steps: Sequence[float]) -> Series:
    """What features that know nothing reach in the online k-NN: 1 over the number of classes."""
    numbers = [row.get("knn_classes") for row in metrics]
    return Series.of("chance", steps, [1 / number if number else None for number in numbers])


def speed(metrics: Metrics) -> tuple[float | None, float | None]:
    """(median images per second, median data-wait share). The first measurement is warm-up and left out if possible."""
    rows = list(metrics)[1:] or list(metrics)
    medians = []
    for key in ("images_per_s", "data_wait"):
        values = [row[key] for row in rows if row.get(key) is not None]
        medians.append(median(values) if values else None)
    return medians[0], medians[1]


def _relations(metrics: Metrics, key: str) -> list[str]:
    return list(dict.fromkeys(name for row in metrics for name in row.get(key) or {}))
