"""A linear CTC head on frozen frames: fitted on labelled rows, its learning rate chosen inside their groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from torch import nn

from ssl_domains.errors import DataError
from ssl_domains.probes.dense import step_batches
from ssl_domains.probes.transcripts.ctc_loss import ctc_losses
from ssl_domains.probes.transcripts.decoding import best_path
from ssl_domains.probes.transcripts.frame_features import FrameFeatures
from ssl_domains.probes.transcripts.frame_order import reading_order
from ssl_domains.probes.transcripts.scores import CHARACTER_ACCURACY, OF_TRANSCRIPTS, transcript_sums
from ssl_domains.probes.transcripts.transcripts import Transcripts
from ssl_domains.quantities import plural

__all__ = ["FittedFrameHead", "TranscriptFit", "fit_frame_head"]

_SHARE = 0.05


@dataclass(frozen=True)
class TranscriptFit:
    """How a CTC head is fitted; the same for every encoder that is compared.

    Attributes:
        steps: Number of AdamW steps; it doesn't depend on the number of labelled lines.
        batch: Lines in a step, drawn without replacement until all were drawn.
        lr: Grid of peak learning rates, which fall to 0 by a cosine; chosen inside the training groups.
        weight_decay: Decoupled weight decay.
    """

    steps: int = 500
    batch: int = 32
    lr: tuple[float, ...] = (0.01, 0.03, 0.1)
    weight_decay: float = 1e-3


@dataclass(frozen=True, eq=False)
class FittedFrameHead:
    """A linear head whose weights hold the standardisation of the features.

    Attributes:
        weight: float64 ``[K + 1, F]``.
        bias: float64 ``[K + 1]``.
        lr: The learning rate that it was fitted with.
        notes: Remarks on the choice of the learning rate, and on a loss that still fell.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    lr: float
    notes: tuple[str, ...] = ()

    def log_probs(self, frames: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Logarithms of probabilities ``[T, K + 1]`` of frames ``[T, F]``."""
        logits = np.asarray(frames, dtype=np.float64) @ self.weight.T + self.bias
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))

    def texts(self, features: FrameFeatures, transcripts: Transcripts, rows: NDArray[np.int64]) -> list[str]:
        """Greedy answers for some rows in reading order, see `best_path`."""
        alphabet = transcripts.alphabet
        return [
            reading_order(alphabet.decode(best_path(self.log_probs(features[row]))), bool(transcripts.rtl[row]))
            for row in rows.tolist()
        ]


def fit_frame_head(
    features: FrameFeatures,
    transcripts: Transcripts,
    groups: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    fit: TranscriptFit | None = None,
    folds: int = 2,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> FittedFrameHead:
    """Choose the learning rate by group k-fold inside the labelled rows, and fit the head on all of them.

    The features are standardised with mean and variance over the frames of the fitted rows. Rows whose transcript does
    not fit their frames must be left out before; see `label_problems`.

    Args:
        features: Frames of ``n`` samples.
        transcripts: Their transcripts, whose alphabet gives the classes.
        groups: Group of each sample ``[n]``.
        rows: Positions of the labelled rows.
        fit: Steps, batch size and grid.
        folds: Inner folds; fewer when there are fewer groups.
        seed: Seed of folds, weights and batches.
        device: Where heads are fitted.

    Raises:
        DataError: When there is no row.
    """
    if not len(rows):
        raise DataError("no training row has a transcript", "transcribe some lines of training groups")
    fit = fit or TranscriptFit()
    lr, notes = _chosen(features, transcripts, groups, rows, fit, folds, seed, device)
    (head,) = _fitted(features, transcripts, rows, fit, [lr], seed, device)
    return replace(head, notes=(*notes, *head.notes))


def _chosen(
    features: FrameFeatures,
    transcripts: Transcripts,
    groups: NDArray[Any],
    rows: NDArray[np.int64],
    fit: TranscriptFit,
    folds: int,
    seed: int,
    device: torch.device | str,
) -> tuple[float, tuple[str, ...]]:
    """The learning rate with the best mean character accuracy over the inner folds, the first of equal ones; notes."""
    if len(fit.lr) == 1:
        return fit.lr[0], ()
    names, codes = np.unique(groups[rows], return_inverse=True)
    folds = min(folds, len(names))
    middle = fit.lr[len(fit.lr) // 2]
    if folds < 2:
        note = f"the head used its middle learning rate, lr={middle:g}: one labelled group can't be held out of itself"
        return middle, (note,)
    order = np.random.default_rng(seed).permutation(len(names))
    totals = np.zeros(len(fit.lr))
    for inner, outer in GroupKFold(folds).split(rows, groups=order[codes]):
        held = rows[outer]
        truths = [transcripts.texts[row] or "" for row in held.tolist()]
        for place, head in enumerate(_fitted(features, transcripts, rows[inner], fit, fit.lr, seed, device)):
            sums = transcript_sums(truths, head.texts(features, transcripts, held))
            totals[place] += float(OF_TRANSCRIPTS[CHARACTER_ACCURACY](sums.sum(axis=0)))
    return fit.lr[int(np.argmax(totals))], ()


def _fitted(
    features: FrameFeatures,
    transcripts: Transcripts,
    rows: NDArray[np.int64],
    fit: TranscriptFit,
    grid: Sequence[float],
    seed: int,
    device: torch.device | str,
) -> list[FittedFrameHead]:
    """A head for each learning rate, on the same batches."""
    shift, scale = _standardisation(features, rows)
    shift_on, scale_on = (torch.from_numpy(one.astype(np.float32)).to(device) for one in (shift, scale))
    with torch.random.fork_rng(devices=[]):
        layers = []
        for _ in grid:
            torch.manual_seed(seed)
            layers.append(nn.Linear(features.width, transcripts.alphabet.classes).to(device))
    optimisers = [
        torch.optim.AdamW(layer.parameters(), lr=lr, weight_decay=fit.weight_decay)
        for layer, lr in zip(layers, grid, strict=True)
    ]
    history = np.zeros((fit.steps, len(layers)))
    for step, chosen in enumerate(step_batches(rows, fit.batch, fit.steps, seed)):
        values, counts = features.batch(chosen)
        values, counts = (values.to(device) - shift_on) * scale_on, counts.to(device)
        labels = [transcripts.codes(row) for row in chosen.tolist()]
        lengths = torch.tensor([max(1, len(one)) for one in labels], device=values.device)
        factor = 0.5 * (1 + np.cos(np.pi * step / fit.steps))
        for place, (layer, optimiser, lr) in enumerate(zip(layers, optimisers, grid, strict=True)):
            optimiser.param_groups[0]["lr"] = lr * factor
            optimiser.zero_grad(set_to_none=True)
            losses, _ = ctc_losses(layer(values).log_softmax(dim=2), counts, labels)
            loss = (losses / lengths).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            history[step, place] = loss.item()
    return [
        _folded(layer, shift, scale, lr, history[:, place])
        for place, (layer, lr) in enumerate(zip(layers, grid, strict=True))
    ]


def _standardisation(
    features: FrameFeatures, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift and factor of each feature, which make mean 0 and variance 1 over the frames of some rows."""
    frames = np.concatenate([features[row] for row in rows.tolist()]).astype(np.float64)
    deviation = frames.std(axis=0)
    # A feature that is constant in training is set to 0: a test line's tiny deviation would become huge.
    return frames.mean(axis=0), np.where(deviation > 1e-6, 1.0 / np.maximum(deviation, 1e-6), 0.0)


def _folded(
    layer: nn.Linear, shift: NDArray[np.float64], scale: NDArray[np.float64], lr: float, losses: NDArray[np.float64]
) -> FittedFrameHead:
    weight, bias = (one.detach().double().cpu().numpy() for one in (layer.weight, layer.bias))
    weight = weight * scale
    note = f"the CTC loss of the head had not levelled off after {plural(len(losses), 'step')}: more may raise it"
    return FittedFrameHead(weight, bias - weight @ shift, lr, () if _levelled(losses) else (note,))


def _levelled(losses: NDArray[np.float64]) -> bool:
    """Whether a loss fell by at most 5 % of its whole fall from the fourth to the last fifth of the steps."""
    fifth = len(losses) // 5
    if not fifth:
        return False
    first, before, last = (float(losses[k * fifth : (k + 1) * fifth].mean()) for k in (0, 3, 4))
    return before - last <= _SHARE * max(0.0, first - last)
