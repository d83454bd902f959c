"""Predictions of a run that was trained with labels: its own linear layer takes the place of a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.evaluation.embed import embed_rows
from ssl_domains.methods.supervised import supervised_answers_of
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run
    from ssl_domains.probes import Task

__all__ = ["supervised_answers"]


def supervised_answers(
    run: Run,
    task: Task,
    table: SampleTable,
    store: ArrayStore,
    *,
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Predictions of the run's linear layer for decodable rows, in evaluation mode and without augmentation.

    Args:
        run: A run trained by `ssl_domains.methods.SupervisedTraining`.
        task: Task of the labels that it was trained on.
        table: The rows.
        store: The arrays of the rows.
        batch_size: Number of images in a batch.
        progress: Called with the number of rows done and of all rows.

    Returns:
        Probabilities ``[n, K]`` in the order of the labels' classes, or numbers ``[n]`` in the label's unit.

    Raises:
        UsageError: When the run was not trained with labels.
        DataError: When there is no row, or the encoder gives numbers that are not finite.
    """
    state = run.checkpoints.load()["method"]
    if "classifier.weight" not in state:
        raise UsageError(f"the run {run.folder.name!r} was not trained with labels", "probe it instead")
    x = embed_rows(
        run.encoder(), run.preprocess, table, store, device=run.config.train.device, batch_size=batch_size,
        crop=run.crop, progress=progress,
    )  # fmt: skip
    z = torch.from_numpy(x).double() @ state["classifier.weight"].double().T + state["classifier.bias"].double()
    return supervised_answers_of(z, task, float(state["shift"]), float(state["scale"]))
