"""Imax: two views of a sample are to have features that vary between samples and agree between views.

Becker & Hinton 1992, Self-organizing neural network that discovers surfaces in random-dot stereograms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.imax import imax
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["Imax", "ImaxOptions"]


class ImaxOptions(MethodOptions):
    """Options of Imax."""

    noise: float = Field(
        default=1e-4, gt=0, allow_inf_nan=False, description="variance ε below which views count as equal"
    )


class Imax(Method):
    """Imax: encoder, head, mutual information of both views' features over the batch.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        noise: ε, see `ssl_domains.losses.imax.imax`.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = ImaxOptions

    def __init__(self, encoder: Encoder, head: nn.Module, noise: float = 1e-4) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.noise = noise

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"])
        return cls(encoder, head, options["noise"])

    def embed(self, views: Views) -> Embeddings:
        """Features ``z [2b, d]``, in float32 or wider; first those of the first view."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        z = self.head(features.pooled)
        return Embeddings(z.to(torch.promote_types(z.dtype, torch.float32)), features.pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The negative mutual information; a function of the whole batch, as it reads variances over samples."""
        first, second = out.whole().chunk(2)
        return LossOutput.plain(out.of_all(imax(first, second, self.noise)))
