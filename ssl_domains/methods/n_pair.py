"""N-pair loss: each positive against all negatives of its anchor, on embeddings that aren't normalised.

Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from ssl_domains.losses import LossOutput, n_pair
from ssl_domains.methods.bases.pair_method import PairMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["NPair", "NPairOptions"]


class NPairOptions(MethodOptions):
    """Options of the N-pair loss."""

    l2: float = Field(
        default=0.002, ge=0, allow_inf_nan=False, description="weight λ of the mean squared length of the embeddings"
    )


class NPair(PairMethod):
    """Encoder, projection head, and the N-pair loss with every row of the batch as an anchor."""

    needs: ClassVar[ViewPlan] = ViewPlan(unit_z=False)
    options: ClassVar[type[BaseModel]] = NPairOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `ssl_domains.losses.n_pair`."""
        z, candidates = self.operands(out, pairs)
        return n_pair(z, pairs(), l2=self.settings.l2, candidates=candidates, total=out.total)
