"""What a fine-tuned model predicts: the kind of label, the classes, and the head; ``task.json`` of its run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ssl_domains.encoders import Levels
from ssl_domains.probes import DenseTargets, Labels
from ssl_domains.probes.transcripts import FORM, TRANSCRIPTION, Alphabet, Form, Transcripts

__all__ = ["MASKS", "TASK_FILE", "Task"]

TASK_FILE = "task.json"

MASKS = "masks"
"""``Task.label`` of segmentation."""


@dataclass(frozen=True)
class Task:
    """What a fine-tuned model predicts.

    Attributes:
        kind: ``classification``, ``multilabel``, ``regression``, ``segmentation`` or ``transcription``; or the kind
            of a plugin's head.
        label: Name of the label column, or ``masks``.
        classes: Names of the classes or labels, in the order of the outputs; of segmentation without the background;
            empty for regression. Of transcription the characters of the alphabet, without the blank.
        numbers: Segmentation: class number in the masks of each class. Number 0 is the background unless it is one of
            them.
        centre: Regression: mean of the training labels, in their unit.
        scale: Regression: standard deviation of the training labels. An output ``z`` means ``centre + scale · z``.
        head: Name of the head: ``linear``; for segmentation ``conv`` or ``deeplab``, for transcription ``ctc``.
        levels: Segmentation: the maps that the head reads, see `ssl_domains.encoders.feature_levels`.
        unicode: Transcription: Unicode form of the texts.
        rtl: Transcription: whether most training lines are written from right to left, and with them new lines of a
            table that doesn't say it.
    """

    kind: str
    label: str
    classes: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    centre: float = 0.0
    scale: float = 1.0
    head: str = "linear"
    levels: Levels = "hypercolumn"
    unicode: Form = FORM
    rtl: bool = False

    @property
    def background(self) -> bool:
        """Segmentation: whether number 0 is the background, with an output of its own before those of the classes."""
        return 0 not in self.numbers

    @property
    def channels(self) -> int:
        """Segmentation: number of outputs, the background included."""
        return len(self.classes) + self.background

    @property
    def alphabet(self) -> Alphabet:
        """Transcription: the alphabet."""
        return Alphabet(self.classes, self.unicode)

    @classmethod
    def of_labels(cls, labels: Labels, label: str) -> Task:
        """The task of predicting a label column; centre and scale are those of the known labels.

        Of `Transcripts` it is their transcription, with their alphabet.
        """
        if isinstance(labels, Transcripts):
            alphabet, rtl = labels.alphabet, labels.rtl[labels.known]
            mostly = bool(len(rtl)) and 2 * int(rtl.sum()) > len(rtl)
            return cls(TRANSCRIPTION, label, alphabet.characters, head="ctc", unicode=alphabet.form, rtl=mostly)
        centre, scale = 0.0, 1.0
        if labels.task == "regression" and labels.known.any():
            values = labels.y[labels.known]
            centre, scale = float(values.mean()), float(values.std()) or 1.0
        return cls(labels.task, label, tuple(labels.classes), centre=centre, scale=scale)

    @classmethod
    def of_masks(cls, targets: DenseTargets, head: str = "conv", levels: Levels = "hypercolumn") -> Task:
        """The task of predicting the class of each pixel."""
        return cls("segmentation", MASKS, targets.classes, targets.numbers, head=head, levels=levels)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "classes": list(self.classes), "numbers": list(self.numbers)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Task:
        """The reverse of `to_dict`."""
        return cls(**{**values, "classes": tuple(values["classes"]), "numbers": tuple(values["numbers"])})
