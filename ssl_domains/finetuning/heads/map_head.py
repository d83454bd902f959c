"""Head for masks: a segmentation head of the dense probe on the encoder's feature maps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, feature_levels
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.evaluation import dense_features
from ssl_domains.finetuning.heads.head import Head, LabelledRows, widened
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.probes import (
    ConvHead,
    DeepLabHead,
    DenseFit,
    DenseHead,
    Labels,
    dense_loss_of_sums,
    dense_sums,
    fit_dense_head,
)
from ssl_domains.probes.dense import standardised
from ssl_domains.probes.transcripts import TranscriptFit

__all__ = ["MapHead"]

_HEADS: dict[str, type[ConvHead] | type[DeepLabHead]] = {"conv": ConvHead, "deeplab": DeepLabHead}


class MapHead(Head):
    """Predicts the class of each pixel of the canvas, the background included.

    The loss is cross-entropy over the counted pixels of the batch plus soft Dice, as in the dense probe. Pixels of the
    label map with 255 are left out.

    Args:
        task: What it predicts; ``task.head`` and ``task.levels`` say with which head, from which maps.
        encoder: The encoder; it is run once to see its maps.
        dice: Weight of the soft Dice loss.

    Raises:
        UsageError: When the head is unknown, or the encoder takes no pictures of one size or doesn't give its maps.
    """

    def __init__(self, task: Task, encoder: Encoder, dice: float = 1.0) -> None:
        super().__init__()
        self.task = task
        self.dice = dice
        self.settings = _settings(task.head)
        with torch.no_grad(), _evaluating(encoder):
            widths = [one.shape[1] for one in feature_levels(encoder, _example(encoder), task.levels)]
        size = _example(encoder).shape[-1]
        self.module: nn.Module = self.settings.build(widths, task.channels, size)
        self.shifts = nn.ParameterList([_constant(width, 0.0) for width in widths])
        self.scales = nn.ParameterList([_constant(width, 1.0) for width in widths])

    @classmethod
    def build(cls, task: Task, encoder: Encoder, labels: Labels | None, options: FineTuneOptions) -> Self:
        """See `Head.build`."""
        return cls(task, encoder, options.dice)

    def embed(self, encoder: Encoder, views: Views) -> Embeddings:
        """Sums over the pixels of each view (``more["sums"]``), and its mean logits as ``z [M, K]``."""
        if any(not view.beside for view in views.each):
            raise UsageError("the views have no label maps", "give the masks of the training rows")
        maps = feature_levels(encoder, views.together.values, self.task.levels)
        logits = self._logits(maps)
        target = torch.cat([view.beside[0].values for view in views.each])[:, 0].long()
        pooled = maps[-1].detach().mean(dim=(2, 3))[: views.samples]
        return Embeddings(logits.mean(dim=(2, 3)), pooled, {"sums": dense_sums(logits, target, self.task.background)})

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Loss of the whole batch, from the sums of the rows of all processes."""
        return LossOutput.plain(out.of_all(dense_loss_of_sums(out.whole("sums"), self.dice)))

    def outputs(self, encoder: Encoder, x: Input) -> Tensor:
        """Logits ``[B, K, S, S]`` on the canvas, K the `Task.channels`."""
        return self._logits(feature_levels(encoder, x.values, self.task.levels))

    def _logits(self, maps: list[Tensor]) -> Tensor:
        return widened(self.module(standardised(maps, list(self.shifts), list(self.scales))))

    def start(self, encoder: Encoder, rows: LabelledRows) -> tuple[str, ...]:
        """Take over the head that the dense probe fits on the maps of the frozen encoder, and its standardisation."""
        assert rows.masks is not None
        features = dense_features(
            encoder, rows.preprocess, rows.table, rows.store, levels=self.task.levels, device=rows.device
        )
        fitted = fit_dense_head(
            features, rows.masks, rows.groups, np.arange(len(rows.table)), head=self.settings,
            fit=DenseFit(dice=self.dice) if rows.fit is None or isinstance(rows.fit, TranscriptFit) else rows.fit,
            seed=rows.seed, device=resolve_device(rows.device),
        )  # fmt: skip
        self.module.load_state_dict(fitted.module.state_dict())
        with torch.no_grad():
            for own, value in zip((*self.shifts, *self.scales), (*fitted.shifts, *fitted.scales), strict=True):
                own.copy_(value)
        return fitted.notes

    def unreached(self, encoder: Encoder) -> tuple[str, ...]:
        """Parameters behind the last map, such as the final norm of a transformer whose blocks are read."""
        named = dict(encoder.named_parameters())
        moving = {name: one for name, one in named.items() if one.requires_grad}
        if not moving:
            return ()
        with torch.enable_grad(), _evaluating(encoder):
            total = sum(one.sum() for one in feature_levels(encoder, _example(encoder), self.task.levels))
            assert isinstance(total, Tensor)
            gradients = torch.autograd.grad(total, list(moving.values()), allow_unused=True)
        return tuple(name for name, one in zip(moving, gradients, strict=True) if one is None)


def _settings(name: str) -> DenseHead:
    if name not in _HEADS:
        raise UsageError(f"there is no segmentation head {name!r}", did_you_mean(name, set(_HEADS)))
    return _HEADS[name]()


def _example(encoder: Encoder) -> Tensor:
    space = encoder.takes.space
    if len(space) != 2 or any(side is None for side in space):
        raise UsageError(f"{encoder.name!r} takes no pictures of one size, which masks need", "predict a label column")
    weight = next(encoder.parameters())
    sides = [int(side) for side in space if side is not None]
    return torch.zeros(2, encoder.in_chans, *sides, dtype=weight.dtype, device=weight.device)


@contextmanager
def _evaluating(encoder: Encoder) -> Iterator[None]:
    """A block with the encoder in evaluation mode, so that its statistics don't move."""
    modes = [(layer, layer.training) for layer in encoder.modules()]
    encoder.eval()
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


def _constant(width: int, value: float) -> nn.Parameter:
    """Standardisation of a level: saved with the head, but not trained."""
    return nn.Parameter(torch.full((1, width, 1, 1), value), requires_grad=False)
