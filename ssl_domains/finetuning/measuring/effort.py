"""Effort of a training in views seen by the encoder, so that scratch can be given as much as pre-training had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ssl_domains.engine import Run

__all__ = ["Effort", "equal_effort_steps", "pretraining_effort"]

_LONGEST_CHAIN = 20  # a run may start from a run that starts from a run; folders that name each other end here


@dataclass(frozen=True)
class Effort:
    """Effort of a pre-training.

    Attributes:
        views: Views that the encoder was trained on: steps × samples in a batch × views of a sample.
        note: A sentence on effort that could not be counted; empty when all was.
    """

    views: int
    note: str = ""


def pretraining_effort(run: Run) -> Effort:
    """Effort of a run by its newest checkpoint, and of the runs that its initial weights came from.

    Weights of a file, or timm's pretrained weights, have no known effort: the note says that it is not counted.

    Raises:
        DataError: When a run folder is damaged.
    """
    views, note = 0, ""
    one: Run | None = run
    for _ in range(_LONGEST_CHAIN):
        assert one is not None
        config = one.config
        views += max(0, one.step) * config.train.batch_size * (config.views.n or 1)
        one, note = _before(config.encoder.init)
        if one is None:
            break
    return Effort(views, note)


def _before(init: str) -> tuple[Run | None, str]:
    """The run that initial weights came from; or None, and a sentence when their effort is not known."""
    if init == "random":
        return None, ""
    if (Path(init) / "config.toml").is_file():
        return Run.open(init), ""
    what = "timm's pretrained weights" if init == "pretrained" else "weights of a file or folder"
    return None, f"the pre-training started from {what}, and the effort to make these is not known: it is not counted"


def equal_effort_steps(steps: int, batch_size: int, effort: Effort) -> int:
    """Steps of a training from scratch with the effort of pre-training and fine-tuning together.

    A step of supervised training sees one view of each sample, so the pre-training counts as its views divided by the
    batch size, rounded up.

    Args:
        steps: Steps of the fine-tuning.
        batch_size: Samples in a batch of the fine-tuning and of the training from scratch.
        effort: Effort of the pre-training.

    Example:
        >>> equal_effort_steps(300, 32, Effort(views=200 * 64 * 2))
        1100
    """
    return steps + -(-effort.views // batch_size)
