"""Probes on arrays: how much of a label a small model reads from frozen features."""

from ssl_domains.probes.floor import TreeProbe, column_floor, floor_features
from ssl_domains.probes.fractions import LabelDraw, label_draws
from ssl_domains.probes.frozen import Answer, Probe, ProbeResult, run_probe
from ssl_domains.probes.handmade import hog, intensity_statistics, mean_colour
from ssl_domains.probes.knn import KnnProbe, knn_probe
from ssl_domains.probes.labels import Labels, Task, detect_task, read_labels
from ssl_domains.probes.linear import LinearProbe, linear_probe
from ssl_domains.probes.metrics import HEADLINE, Scores, score

__all__ = [
    "HEADLINE",
    "Answer",
    "KnnProbe",
    "LabelDraw",
    "Labels",
    "LinearProbe",
    "Probe",
    "ProbeResult",
    "Scores",
    "Task",
    "TreeProbe",
    "column_floor",
    "detect_task",
    "floor_features",
    "hog",
    "intensity_statistics",
    "knn_probe",
    "label_draws",
    "linear_probe",
    "mean_colour",
    "read_labels",
    "run_probe",
    "score",
]
