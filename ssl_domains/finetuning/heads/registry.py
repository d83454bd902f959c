"""The heads by kind of task."""

from __future__ import annotations

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.finetuning.heads.head import Head
from ssl_domains.finetuning.heads.label_head import LabelHead
from ssl_domains.finetuning.heads.map_head import MapHead
from ssl_domains.finetuning.heads.transcript_head import TranscriptHead
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.probes import Labels

__all__ = ["create_head", "register_head"]

_BY_KIND: dict[str, type[Head]] = {
    "classification": LabelHead,
    "multilabel": LabelHead,
    "regression": LabelHead,
    "segmentation": MapHead,
    "transcription": TranscriptHead,
}


def register_head(kind: str, head: type[Head]) -> None:
    """Add the head of a kind of task, such as ``detection``.

    Raises:
        UsageError: When another head has this kind.
    """
    if _BY_KIND.setdefault(kind, head) is not head:
        raise UsageError(f"two heads are of the kind {kind!r}", "name the kind of one of them differently")


def create_head(
    task: Task, encoder: Encoder, labels: Labels | None = None, options: FineTuneOptions | None = None
) -> Head:
    """Build the head of a task; arguments as in `Head.build`.

    Raises:
        UsageError: When no head is known for the task's kind.
    """
    if task.kind not in _BY_KIND:
        raise UsageError(f"there is no head for tasks of the kind {task.kind!r}", did_you_mean(task.kind, {*_BY_KIND}))
    return _BY_KIND[task.kind].build(task, encoder, labels, options or FineTuneOptions())
