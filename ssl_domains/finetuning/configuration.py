"""The configuration of a fine-tuning, made from that of the pre-trained run."""

from __future__ import annotations

import math
from typing import Any

from ssl_domains.engine import RunConfig

__all__ = ["BATCH", "LEARNING_RATE", "MASK_STEPS", "STEPS", "TRANSCRIPT_STEPS", "finetune_config"]

STEPS = 300
"""Steps of a fine-tuning on a small table."""

BATCH = 32
"""Samples in a batch, where there are as many."""

LEARNING_RATE = 3e-4
"""Learning rate of a pre-trained encoder and its head."""

MASK_STEPS = 1000
"""Steps of a fine-tuning on masks: each crop shows structures at another size, and all sizes have to be learnt."""

TRANSCRIPT_STEPS = 600
"""Steps of a fine-tuning on transcripts: CTC first learns where characters are, then which."""

_FEWEST_EPOCHS = 10
_WARM_UP = 0.05
_SCRATCH = {"train.lr": 1e-3}
# With a rate of 3e-4 and 300 steps, masks were below those of the frozen probe, and their loss was still falling.
_MASKS = {"train.lr": 1e-3}
# With a rate of 3e-4 a recogniser had not learnt its training lines after the same steps.
_TRANSCRIPTS = {"train.lr": 1e-3, "method.batch_norm": "trained"}
# The segmentation head starts at zero: with the encoder's rate it would answer only background for many steps.
_SCRATCH_MASKS = {"train.lr": 3e-3, "method.head_lr": 3e-2}
_SCRATCH_TRANSCRIPTS = {"train.lr": 3e-3}


def finetune_config(
    base: RunConfig,
    rows: int,
    *,
    segmentation: bool = False,
    transcripts: bool = False,
    scratch: bool = False,
    steps: int | None = None,
    batch: int = BATCH,
    seed: int = 0,
    processes: int = 1,
) -> RunConfig:
    """Make the configuration of a fine-tuning from that of the pre-trained run.

    Encoder, inputs, views' size and canvas, data and machine are those of the run. The views are the domain's, one of
    each sample. Defaults that held up in measurements: the head starts as the frozen probe's, AdamW with a learning
    rate of 3e-4, and BatchNorm keeps its stored statistics. A fresh head with a rate of 1e-3 fell below its own frozen
    probe.

    Without ``steps``, a table is trained for 300 steps of 32 samples (on masks 1,000, on transcripts 600), and for at
    least 10 passes over its rows. On masks and transcripts the learning rate is 1e-3; on transcripts BatchNorm has the
    statistics of the batch.

    Args:
        base: Configuration of the pre-trained run, or of the domain where weights don't come from a run.
        rows: Number of training rows.
        segmentation: Whether masks are predicted.
        transcripts: Whether texts are predicted.
        scratch: Whether this is the comparison from random weights: all layers, a fresh head, BatchNorm with the
            statistics of the batch, and a learning rate of 1e-3 (for masks and transcripts 3e-3, and for masks 3e-2 for
            the head).
        steps: Number of steps; None for the default.
        batch: Samples in a batch; fewer where there are fewer rows.
        seed: Seed of batches, views, a fresh head and the frozen probe.
        processes: Number of processes, by which the batch must divide.
    """
    batch = max(2, min(batch, rows))
    batch = max(processes, batch - batch % processes)
    per_epoch = max(1, rows // batch)
    least = MASK_STEPS if segmentation else TRANSCRIPT_STEPS if transcripts else STEPS
    count = max(least, _FEWEST_EPOCHS * per_epoch) if steps is None else steps
    epochs = math.ceil(count / per_epoch)
    values: dict[str, Any] = {
        **{f"data.{name}": value for name, value in base.data.model_dump().items()},
        **{f"encoder.{name}": value for name, value in base.encoder.model_dump().items()},
        **{f"views.{name}": value for name, value in base.views.model_dump().items()},
        **{f"input.{name}": value for name, value in base.input.model_dump().items()},
        "views.n": 1,
        "encoder.freeze": 0,  # `method.layers` says what is trained
        "method.name": "finetune",
        "train.epochs": epochs,
        "train.max_steps": max(1, count),
        "train.batch_size": batch,
        "train.lr": LEARNING_RATE,
        "train.warmup_epochs": _WARM_UP * epochs,
        "train.seed": seed,
        **{f"train.{name}": getattr(base.train, name) for name in ("device", "precision", "channels_last")},
    }
    if segmentation:
        values |= _MASKS
    if transcripts:
        values |= _TRANSCRIPTS
    if scratch:
        values |= {"method.layers": "all", "method.batch_norm": "trained", "method.head_start": "fresh"}
        values |= _SCRATCH_MASKS if segmentation else _SCRATCH_TRANSCRIPTS if transcripts else _SCRATCH
    return RunConfig().with_values(values)
