"""Multi-format contrastive learning: the waveform of a recording against its spectrogram.

Wang & van den Oord 2021, Multi-Format Contrastive Learning of Audio Representations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods import Embeddings, Method, MethodOptions, RowPairs, ViewPlan
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["MultiFormat", "MultiFormatOptions"]


class MultiFormatOptions(MethodOptions):
    """Options of multi_format."""

    temperature: float = Field(default=0.1, gt=0, allow_inf_nan=False, description="temperature τ of the loss")


class MultiFormat(Method):
    """Each view goes to the encoder of its kind and to a projection head of its own; contrastive loss of the pairs.

    The rule ``same('sample').across_parts()`` makes waveform and spectrogram of a recording positives of each other:
    they are parts 0 and 1 of it. All other rows of the batch, of both kinds, are negatives. The features of both
    encoders, one after the other, are what is measured and exported.

    Args:
        encoder: Has an encoder for each kind of view in its `branches`.
        heads: A projection head for each kind.
        tau: Temperature τ.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(variants={"wave": 1, "mel": 1}, rule=True)
    options: ClassVar[type[BaseModel]] = MultiFormatOptions

    def __init__(self, encoder: Encoder, heads: nn.ModuleDict, tau: float) -> None:
        super().__init__()
        self.encoder, self.heads, self.tau = encoder, heads, tau

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`.

        Raises:
            UsageError: For an encoder without branches.
        """
        branches = encoder.branches
        if not branches:
            cause = f"multi_format trains an encoder for each format, and {getattr(encoder, 'name', '')!r} is one"
            raise UsageError(cause, "--encoder wave+mel --set input.form=wave+mel")
        heads = {
            kind: projection_head(branch.num_features, options["hidden"], options["out"], options["layers"])
            for kind, branch in branches.items()
        }
        return cls(encoder, nn.ModuleDict(heads), options["temperature"])

    def embed(self, views: Views) -> Embeddings:
        """Embeddings ``z [2 · b, d]`` of length 1; the part of a row is the number of its format."""
        branches: Mapping[str, Encoder] = self.encoder.branches
        groups = views.by_shape()
        pooled = [branches[group.input.kind](group.input.values, group.input.valid).pooled for group in groups]
        heads = [self.heads[group.input.kind](one) for group, one in zip(groups, pooled, strict=True)]
        z = unit_length(views.in_order(groups, heads))
        features = {group.input.kind: one.detach()[: views.samples] for group, one in zip(groups, pooled, strict=True)}
        return Embeddings(z, torch.cat([features[kind] for kind in branches], dim=1))

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of the pairs, see `contrastive_loss`."""
        anchors = out.z if pairs.anchors is None else out.z[pairs.anchors]
        candidates = None if pairs.square else out.whole()
        return contrastive_loss(anchors, pairs(), self.tau, candidates, total_anchors=out.total)

    @property
    def temperature(self) -> float:  # noqa: D102
        return self.tau
