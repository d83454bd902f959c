"""Scores of a probe's predictions. A score that is not defined is None, with a reason, and never 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, mean_absolute_error, r2_score, roc_auc_score

from ssl_domains.probes.labels import Labels

__all__ = [
    "HEADLINE",
    "Scores",
    "classification_scores",
    "multilabel_scores",
    "regression_scores",
    "score",
    "selection_score",
]

HEADLINE = {
    "classification": "balanced accuracy",
    "multilabel": "average precision",
    "regression": "R²",
    "segmentation": "mean Dice",
    "transcription": "character accuracy",
    "retrieval": "mAP",
    "ranking": "nDCG@10",
}
"""The main score of each task, which tables show first."""


@dataclass
class Scores:
    """Scores by name, with reasons for those that are undefined.

    Attributes:
        values: Score by name; None where it is not defined.
        reasons: Why a score is None, or which classes it leaves out, by the score's name.
        per_class: Recall (classification) or average precision (multi-label) of each class; None where undefined.
    """

    values: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    per_class: dict[str, float | None] = field(default_factory=dict)

    def undefined(self, name: str, reason: str) -> None:
        """Record that a score is undefined, and the reason."""
        self.values[name] = None
        self.reasons[name] = reason


def score(labels: Labels, answers: NDArray[Any], trained: NDArray[np.bool_] | None = None) -> Scores:
    """Scores of ``answers`` for known ``labels``.

    Args:
        labels: ``n`` labels, all known.
        answers: Class probabilities ``[n, K]``, label probabilities ``[n, L]``, or numbers ``[n]``.
        trained: bool ``[K]``, whether the training labels include a class; None means all do.
    """
    if labels.task == "classification":
        return classification_scores(labels.y, answers, labels.classes, trained)
    if labels.task == "multilabel":
        return multilabel_scores(labels.y > 0.5, answers, labels.classes)
    return regression_scores(labels.y, answers)


def classification_scores(
    y: NDArray[np.int64],
    probabilities: NDArray[Any],
    classes: Sequence[str],
    trained: NDArray[np.bool_] | None = None,
) -> Scores:
    """Accuracy, balanced accuracy, macro-F1 and one-vs-rest macro AUROC.

    Args:
        y: Class codes ``[n]``.
        probabilities: ``[n, K]``.
        classes: Text of the ``K`` classes.
        trained: bool ``[K]``, whether the training labels include a class; None means all do.
    """
    out = Scores()
    guess = probabilities.argmax(axis=1)
    present = np.bincount(y, minlength=len(classes)) > 0
    recalls = {int(c): float((guess[y == c] == c).mean()) for c in np.flatnonzero(present)}
    out.per_class = {name: recalls.get(code) for code, name in enumerate(classes)}
    out.values["accuracy"] = float((guess == y).mean())
    absent = [name for name, here in zip(classes, present, strict=True) if not here]
    if present.sum() < 2:
        for name in ("balanced accuracy", "macro-F1"):
            out.undefined(name, "the test groups hold one class only")
    else:
        out.values["balanced accuracy"] = float(np.mean(list(recalls.values())))
        f1 = f1_score(y, guess, average="macro", labels=np.flatnonzero(present), zero_division=0)
        out.values["macro-F1"] = float(f1)
        if absent:
            for name in ("balanced accuracy", "macro-F1"):
                share = f"over {present.sum()} of {len(classes)} classes"
                out.reasons[name] = f"{share}: {_some(absent)} not in the test groups"
    untrained = [] if trained is None else [name for name, ok in zip(classes, trained, strict=True) if not ok]
    if absent:
        out.undefined("AUROC", f"{_some(absent)} not in the test groups")
    elif untrained:
        out.undefined("AUROC", f"{_some(untrained)} not among the training labels")
    else:
        each = [roc_auc_score(y == code, probabilities[:, code]) for code in range(len(classes))]
        out.values["AUROC"] = float(np.mean(each))
    return out


def multilabel_scores(truth: NDArray[np.bool_], probabilities: NDArray[Any], classes: Sequence[str]) -> Scores:
    """Macro average precision, macro AUROC, macro-F1 and exact-set accuracy.

    Args:
        truth: ``[n, L]``.
        probabilities: ``[n, L]``.
        classes: Text of the ``L`` labels.
    """
    out = Scores()
    guess = probabilities >= 0.5
    positives = truth.sum(axis=0)
    precision: list[float] = []
    areas: list[float] = []
    for code, name in enumerate(classes):
        value = float(average_precision_score(truth[:, code], probabilities[:, code])) if positives[code] else None
        out.per_class[name] = value
        if value is not None:
            precision.append(value)
        if 0 < positives[code] < len(truth):
            areas.append(float(roc_auc_score(truth[:, code], probabilities[:, code])))
    none = [name for name, count in zip(classes, positives, strict=True) if count == 0]
    constant = [name for name, count in zip(classes, positives, strict=True) if count in (0, len(truth))]
    if none:
        out.undefined("average precision", f"{_some(none)} not in the test groups")
    else:
        out.values["average precision"] = float(np.mean(precision))
    if constant:
        out.undefined("AUROC", f"{_some(constant)} on none or on all of the test rows")
    else:
        out.values["AUROC"] = float(np.mean(areas))
    if none:
        out.undefined("macro-F1", f"{_some(none)} not in the test groups")
    else:
        out.values["macro-F1"] = float(f1_score(truth, guess, average="macro", zero_division=0))
    out.values["exact sets"] = float((guess == truth).all(axis=1).mean())
    return out


def regression_scores(y: NDArray[np.float64], answers: NDArray[Any]) -> Scores:
    """R² and mean absolute error, in the label's unit.

    Args:
        y: ``[n]``.
        answers: ``[n]``.
    """
    out = Scores()
    if len(y) < 2 or float(np.ptp(y)) == 0.0:
        out.undefined("R²", "the label is constant over the test groups")
    else:
        out.values["R²"] = float(r2_score(y, answers))
    out.values["MAE"] = float(mean_absolute_error(y, answers))
    return out


def selection_score(labels: Labels, answers: NDArray[Any]) -> float:
    """Score by which a setting is chosen; higher is better. Classes that are missing in the fold are left out."""
    if labels.task == "regression":
        return -float(np.mean((labels.y - answers) ** 2))
    if labels.task == "classification":
        guess = answers.argmax(axis=1)
        return float(np.mean([(guess[labels.y == c] == c).mean() for c in np.unique(labels.y)]))
    truth = labels.y > 0.5
    some = [code for code in range(truth.shape[1]) if truth[:, code].any()]
    if not some:
        return 0.0
    return float(np.mean([average_precision_score(truth[:, code], answers[:, code]) for code in some]))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    verb = "is" if len(names) == 1 else "are"
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "") + f" {verb}"
