"""Lifted structured loss: each positive pair against all negatives of both of its rows.

Song et al. 2016, Deep Metric Learning via Lifted Structured Feature Embedding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel, Field

from ssl_domains.losses import LossOutput, lifted_structure
from ssl_domains.methods.bases.pair_method import PairMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["LiftedStructure", "LiftedStructureOptions"]


class LiftedStructureOptions(MethodOptions):
    """Options of the lifted structured loss."""

    margin: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="margin: distance from which a negative counts little"
    )


class LiftedStructure(PairMethod):
    """Encoder, projection head, and the loss of all positive pairs of the whole batch.

    A pair reads the negatives of both of its rows, which may lie in different processes. So every process computes the
    loss of the whole batch; drawn negatives are rows as all others.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(unit_z=False, anchors="all")
    options: ClassVar[type[BaseModel]] = LiftedStructureOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `ssl_domains.losses.lifted_structure`."""
        of_batch = pairs() if pairs.square else pairs(pairs.whole, pairs.whole)
        found = lifted_structure(out.whole(), of_batch, margin=self.settings.margin)
        # Counts are added up over processes, like losses.
        counts = {name: out.of_all(value.double()) for name, value in found.counts.items()}
        return replace(found, loss=out.of_all(found.loss), counts=counts)
