"""The contract of a head: from the encoder's features to a loss while training, and to answers afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.probes import DenseFit, DenseTargets, Labels
from ssl_domains.probes.transcripts import TranscriptFit
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Crop, Preprocess

__all__ = ["Head", "LabelledRows", "widened"]


@dataclass(frozen=True)
class LabelledRows:
    """The training rows of a fine-tuning, for fitting a frozen probe on them.

    Attributes:
        table: ``n`` rows, all decodable.
        store: Their arrays.
        preprocess: Turns an array into the encoder's input.
        labels: Their labels, of a recogniser `Transcripts`; None for segmentation.
        masks: Their masks; None for other tasks.
        groups: Group of each row ``[n]``, by which the probe's setting is chosen.
        seed: Seed of the probe.
        device: Device that the encoder runs on.
        workers: Worker processes that read arrays.
        crop: Crop of the views; None where they show whole samples.
        fit: How the dense probe, or the head of transcripts, is fitted; None as it does by default.
    """

    table: SampleTable
    store: ArrayStore
    preprocess: Preprocess
    labels: Labels | None
    masks: DenseTargets | None
    groups: NDArray[Any]
    seed: int
    device: str
    workers: int = 0
    crop: Crop | None = None
    fit: DenseFit | TranscriptFit | None = None


class Head(nn.Module, ABC):
    """Base class of heads. The encoder is trained together with it, but is no part of it.

    A head must implement `build`, `embed`, `loss` and `outputs`. It should implement `answers`, where its answers are
    an array with a row for each sample, and `start`, so that training begins with the answers of a frozen probe. It may
    implement `unreached`. Its parameters are saved under ``head.`` in the checkpoints of the run.

    Attributes:
        task: What it predicts.
    """

    task: Task

    @classmethod
    @abstractmethod
    def build(cls, task: Task, encoder: Encoder, labels: Labels | None, options: FineTuneOptions) -> Self:
        """Build the head.

        Args:
            task: What it predicts.
            encoder: The encoder; only the form of its features is read.
            labels: Labels of the training rows, in the order of the training table; None for a head that reads none,
                and when a trained model is opened. They must not be saved in checkpoints (``persistent=False``).
            options: The options of the fine-tuning.
        """

    @abstractmethod
    def embed(self, encoder: Encoder, views: Views) -> Embeddings:
        """Encode the views and compute the rows that `loss` reads; the rules of `ssl_domains.methods.Method.embed`.

        Label maps are in ``views.each[v].beside``. Sums over the places of a row (pixels) belong here: they are then
        small rows that several processes can exchange.
        """

    @abstractmethod
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The loss of a batch; the rules of `ssl_domains.methods.Method.loss`.

        Of ``pairs``, only ``pairs.rows.sample`` is read: the positions of the rows in the training table.
        """

    @abstractmethod
    def outputs(self, encoder: Encoder, x: Input) -> Tensor:
        """Outputs ``[B, …]`` of whole samples in evaluation mode, at least float32."""

    def answers(self, outputs: Tensor) -> NDArray[np.float64]:
        """Answers of the samples from `outputs`, a row for each: probabilities, or numbers in the label's unit.

        Raises:
            UsageError: For a head whose answers are no array, such as masks.
        """
        raise UsageError(f"the head {type(self).__name__} gives no array of answers", "read its maps instead")

    def start(self, encoder: Encoder, rows: LabelledRows) -> tuple[str, ...]:
        """Set the parameters so that the outputs are those of a frozen probe of the encoder; returns remarks."""
        return ()

    def unreached(self, encoder: Encoder) -> tuple[str, ...]:
        """Names of the encoder's parameters that no output depends on; they are not trained."""
        return ()


def widened(outputs: Tensor) -> Tensor:
    """The outputs in float32, where autocast computed them in fewer bits."""
    return outputs.float() if outputs.element_size() < 4 else outputs
