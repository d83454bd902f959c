"""Facts about the training rows and batches of a run, by which a method makes its buffers and checks its options."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TrainingSet"]


@dataclass(frozen=True)
class TrainingSet:
    """Facts about a run that are known before its first step; see `Method.prepare`.

    Attributes:
        samples: Number of training samples, the rows of the table. `Rows.sample` counts them from 0.
        batch_size: Samples in a batch of all processes.
        emitted: Names of the numbers that the views emit and the rule reads. A queue stores them with its keys.
        moving: Names of the view steps, such as ``"crop"``, behind which equal places of two views show different
            places of the sample.
    """

    samples: int
    batch_size: int
    emitted: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
