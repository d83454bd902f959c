"""Barlow Twins: equal features of two views correlate over the batch, different features don't; no negatives."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from ssl_domains.encoders import Norm
from ssl_domains.losses import LossOutput
from ssl_domains.losses.barlow_twins import barlow_twins_loss
from ssl_domains.methods.bases.head_method import HeadMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["BarlowTwins", "BarlowTwinsOptions"]


class BarlowTwinsOptions(MethodOptions):
    """Options of Barlow Twins."""

    redundancy: float = Field(
        default=5e-3, ge=0, allow_inf_nan=False, description="weight λ of the correlations of different features"
    )
    norm: Norm = Field(
        default="batch", description="norm in the head: batch (paper); layer or none for gradient caching"
    )


class BarlowTwins(HeadMethod):
    """Barlow Twins (Zbontar et al. 2021). The correlation is that of the whole batch of all processes.

    The paper's head is wide: 8,192.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = BarlowTwinsOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The loss of the whole batch, see `barlow_twins_loss`."""
        one, two = out.whole().chunk(2)
        return LossOutput.plain(out.of_all(barlow_twins_loss(one, two, self.settings.redundancy)))
