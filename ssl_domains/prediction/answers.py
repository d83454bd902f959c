"""The table of answers: sample, path, predicted class, and one probability a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable

if TYPE_CHECKING:
    from ssl_domains.finetuning import Task

__all__ = ["LEAST_PROBABILITY", "answer_frame", "predicted_counts"]

LEAST_PROBABILITY = 0.5
"""A label of a multi-label task is predicted from this probability on."""


def answer_frame(table: SampleTable, answers: NDArray[Any], task: Task, trained: NDArray[np.bool_]) -> pl.DataFrame:
    """The answers of a fine-tuned model as a table with a row for each sample.

    ==============  =================================================================================================
    ``sample``      id of the sample
    ``path``        file of the sample; left out when the table has none
    ``predicted``   the likeliest class; for a multi-label task all labels of a probability of at least 0.5, with
                    ``;`` between them; for a regression the number, in the label's unit
    ``p_CLASS``     probability of the class, one column for each class; none for a regression
    ``trained_on``  whether the model was trained on this sample, see `ssl_domains.prediction.trained.trained_on`: such
                    an answer says nothing about new data
    ==============  =================================================================================================

    Args:
        table: The samples, ``n`` rows.
        answers: Probabilities ``[n, K]``, or numbers ``[n]`` for a regression.
        task: The task of the model.
        trained: Which samples the model was trained on, bool ``[n]``.
    """
    columns = [table.frame[name] for name in ("sample", "path") if name in table.columns]
    if task.kind == "regression":
        columns.append(pl.Series("predicted", answers.reshape(len(table)).astype(np.float64)))
    else:
        columns.append(pl.Series("predicted", _names(answers, task), dtype=pl.String))
        probabilities = answers.astype(np.float64)
        columns += [pl.Series(f"p_{name}", probabilities[:, k]) for k, name in enumerate(task.classes)]
    return pl.DataFrame([*columns, pl.Series("trained_on", trained)])


def predicted_counts(answers: NDArray[Any], task: Task) -> dict[str, int]:
    """Number of samples for which each class or label is predicted; empty for a regression."""
    if task.kind == "regression":
        return {}
    chosen = _chosen(answers, task)
    return {name: int(chosen[:, k].sum()) for k, name in enumerate(task.classes)}


def _chosen(answers: NDArray[Any], task: Task) -> NDArray[np.bool_]:
    """Which classes are predicted, bool ``[n, K]``."""
    if task.kind == "multilabel":
        return np.asarray(answers >= LEAST_PROBABILITY, dtype=np.bool_)
    return np.asarray(answers.argmax(axis=1)[:, None] == np.arange(len(task.classes))[None, :], dtype=np.bool_)


def _names(answers: NDArray[Any], task: Task) -> list[str]:
    return [
        ";".join(name for name, here in zip(task.classes, row, strict=True) if here)
        for row in _chosen(answers, task).tolist()
    ]
