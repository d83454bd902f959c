"""Probes: small models fitted on frozen features, whose test score measures how well these predict a label.

Features, labels and groups come in as arrays. Hyper-parameters are chosen inside the training groups, and each probe is
scored once, on test groups that it was not fitted on.
"""

from ssl_domains.probes.dense import (
    DenseFit,
    FittedHead,
    dense_confusions,
    fit_dense_head,
    run_dense_probe,
)
from ssl_domains.probes.dense_data import DenseFeatures, DenseTargets, NativeMasks
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead, DenseHead
from ssl_domains.probes.dense_loss import dense_loss, dense_loss_of_sums, dense_sums
from ssl_domains.probes.dense_result import DenseResult
from ssl_domains.probes.floors import (
    POSITION,
    TreeProbe,
    column_floor,
    floor_features,
    hog,
    intensity_statistics,
    mean_colour,
    position_floor,
)
from ssl_domains.probes.fractions import LabelDraw, label_draws
from ssl_domains.probes.frozen import Answer, Probe, ProbeResult, chosen_setting, require_varying, run_probe
from ssl_domains.probes.knn import KnnProbe, knn_probe
from ssl_domains.probes.labels import Labels, Task, detect_task, read_labels
from ssl_domains.probes.linear import LinearMap, LinearProbe, linear_probe
from ssl_domains.probes.metrics import HEADLINE, Scores, score
from ssl_domains.probes.overlap import (
    dice,
    frequency_weighted_iou,
    iou,
    mean_class_accuracy,
    mean_iou,
    pixel_accuracy,
)
from ssl_domains.probes.retrieval import Retrieval, retrieve
from ssl_domains.probes.scored_once import MapPlaces, scored_once
from ssl_domains.probes.within_groups import standardised_within

__all__ = [
    "HEADLINE",
    "POSITION",
    "Answer",
    "ConvHead",
    "DeepLabHead",
    "DenseFeatures",
    "DenseFit",
    "DenseHead",
    "DenseResult",
    "DenseTargets",
    "FittedHead",
    "KnnProbe",
    "LabelDraw",
    "Labels",
    "LinearMap",
    "LinearProbe",
    "MapPlaces",
    "NativeMasks",
    "Probe",
    "ProbeResult",
    "Retrieval",
    "Scores",
    "Task",
    "TreeProbe",
    "chosen_setting",
    "column_floor",
    "dense_confusions",
    "dense_loss",
    "dense_loss_of_sums",
    "dense_sums",
    "detect_task",
    "dice",
    "fit_dense_head",
    "floor_features",
    "frequency_weighted_iou",
    "hog",
    "intensity_statistics",
    "iou",
    "knn_probe",
    "label_draws",
    "linear_probe",
    "mean_class_accuracy",
    "mean_colour",
    "mean_iou",
    "pixel_accuracy",
    "position_floor",
    "read_labels",
    "require_varying",
    "retrieve",
    "run_dense_probe",
    "run_probe",
    "score",
    "scored_once",
    "standardised_within",
]
