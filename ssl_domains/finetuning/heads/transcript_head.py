"""Head for transcripts: a linear layer on each frame of the encoder's map, trained by CTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import frame_features
from ssl_domains.finetuning.heads.head import Head, LabelledRows, widened
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.probes import Labels
from ssl_domains.probes.transcripts import (
    BLANK,
    TranscriptFit,
    Transcripts,
    ctc_losses,
    decode,
    fit_frame_head,
    reading_order,
    require_frames,
)
from ssl_domains.samples import Transcribed

__all__ = ["TOO_LONG", "TranscriptHead"]

TOO_LONG = "transcripts longer than their view"
"""Count in ``metrics.jsonl``: rows of the steps whose transcript did not fit the frames of their view."""

_NEVER = -1e4  # logarithm of a probability, finite so that outputs can be checked


class TranscriptHead(Head):
    """Predicts a text with a linear layer on each frame, and the connectionist temporal classification loss (CTC).

    The loss of a row is −log P(transcript | frames) divided by its number of characters; a batch has the mean over its
    rows. Rows without a transcript are left out. So are rows whose transcript does not fit the frames of their view,
    and these are counted: a view may be narrower than its sample.

    Args:
        task: What it predicts; ``task.classes`` are the characters of the alphabet.
        encoder: The encoder; only the form of its features is read.
        labels: Transcripts of the training rows; None for a head that is not trained.
        fit: How the head of the frozen probe is fitted, see `start`.

    Raises:
        UsageError: When the encoder gives no sequence of frames, or the labels are no transcripts.
    """

    def __init__(
        self, task: Task, encoder: Encoder, labels: Labels | None = None, fit: TranscriptFit | None = None
    ) -> None:
        super().__init__()
        require_frames(encoder)
        if labels is not None and not isinstance(labels, Transcripts):
            raise UsageError("a recogniser is trained on transcripts", "read them by read_transcripts")
        self.task = task
        self.fit = fit or TranscriptFit()
        self.layer = nn.Linear(encoder.map_features, len(task.classes) + 1)
        # Labels belong to the table, so they are not saved in checkpoints.
        self._codes: Sequence[Sequence[int]] = []
        if labels is not None:
            own = labels.with_alphabet(task.alphabet)
            self._codes = [own.codes(row) if known else [] for row, known in enumerate(own.known.tolist())]

    @classmethod
    def build(cls, task: Task, encoder: Encoder, labels: Labels | None, options: FineTuneOptions) -> Self:
        """See `Head.build`."""
        return cls(task, encoder, labels, TranscriptFit(steps=options.probe_steps))

    def embed(self, encoder: Encoder, views: Views) -> Embeddings:
        """Log-probabilities of each valid frame as rows ``z [frames of all views, K + 1]``; ``part`` is its number."""
        rows = views.together
        features = encoder(rows.values, rows.valid)
        log_probs, valid = self._log_probs(features)
        of, part = valid.nonzero(as_tuple=True)
        return Embeddings(log_probs[of, part], features.pooled.detach()[: views.samples], of=of, part=part)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Mean loss over the rows of the batch whose transcript fits its frames."""
        assert out.of is not None
        _, frames = torch.unique_consecutive(out.of, return_counts=True)
        first = frames.cumsum(0) - frames
        labels = [self._codes[sample] for sample in pairs.rows.sample[first.cpu()].tolist()]
        losses, fits = ctc_losses(_padded(out.z, frames, first), frames.to(out.z.device), labels)
        lengths = torch.tensor([max(1, len(one)) for one in labels], dtype=out.z.dtype, device=out.z.device)
        count = out.total(fits.sum())
        known = torch.tensor([len(one) > 0 for one in labels], dtype=torch.bool, device=fits.device)
        # Without a row that fits the sum is 0 and keeps its graph; a mean would be NaN.
        mean = ((losses / lengths).sum() + 0.0 * out.z.sum()) / count.clamp(min=1)
        return replace(LossOutput.plain(mean), counts={TOO_LONG: (known & ~fits).sum()})

    def outputs(self, encoder: Encoder, x: Input) -> Tensor:
        """Log-probabilities ``[B, T, K + 1]``; frames of padding are a certain blank, which changes no text."""
        log_probs, valid = self._log_probs(encoder(x.values, x.valid))
        padding = torch.full_like(log_probs[:1, :1], _NEVER)
        padding[..., BLANK] = 0.0
        return torch.where(valid[..., None], log_probs, padding)

    def transcribed(self, outputs: Tensor, rtl: Sequence[bool], beam: int = 1) -> list[Transcribed]:
        """Texts of samples in reading order, from `outputs`.

        Args:
            outputs: ``[B, T, K + 1]``.
            rtl: Which of them are written from right to left.
            beam: Number of prefixes that decoding keeps; 1 takes the best path.

        Raises:
            UsageError: When ``beam`` is below 1.
        """
        out = []
        for one, turned in zip(outputs.detach().double().cpu().numpy(), rtl, strict=True):
            found = decode(one, beam)
            text = reading_order(self.task.alphabet.decode(found.codes), turned)
            out.append(Transcribed(" ".join(text.split()), min(1.0, math.exp(found.log_probability))))
        return out

    def start(self, encoder: Encoder, rows: LabelledRows) -> tuple[str, ...]:
        """Take over the CTC head that is fitted on the frames of the frozen encoder, its standardisation included."""
        assert isinstance(rows.labels, Transcripts)
        known = np.flatnonzero(rows.labels.known)
        transcripts = rows.labels.take(known).with_alphabet(self.task.alphabet)
        features = frame_features(
            encoder, rows.preprocess, rows.table.take(known), rows.store, device=rows.device, workers=rows.workers,
            crop=rows.crop,
        )  # fmt: skip
        fitted = fit_frame_head(
            features, transcripts, rows.groups[known], np.arange(len(known)),
            fit=rows.fit if isinstance(rows.fit, TranscriptFit) else self.fit, seed=rows.seed,
            device=resolve_device(rows.device),
        )  # fmt: skip
        with torch.no_grad():
            self.layer.weight.copy_(torch.from_numpy(fitted.weight))
            self.layer.bias.copy_(torch.from_numpy(fitted.bias))
        return fitted.notes

    def _log_probs(self, features: Features) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``[B, T, K + 1]``, at least float32, and bool ``[B, T]``: the valid frames."""
        frames = features.map.transpose(1, 2)
        log_probs = widened(self.layer(frames)).log_softmax(dim=2)
        valid = frames.new_ones(frames.shape[:2]).bool() if features.mask is None else features.mask[:, 0]
        return log_probs, valid


def _padded(z: Tensor, frames: Tensor, first: Tensor) -> Tensor:
    """Rows of frames ``[M, C]`` as ``[R, T, C]``, by the number of frames of each row and the place of its first."""
    rows = len(frames)
    longest = int(frames.max()) if rows else 0
    row = torch.repeat_interleave(torch.arange(rows, device=frames.device), frames)
    place = torch.arange(len(z), device=frames.device) - first[row]
    out = z.new_zeros(rows, longest, z.shape[1])
    return out.index_put((row.to(z.device), place.to(z.device)), z)
