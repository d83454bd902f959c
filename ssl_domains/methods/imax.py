"""Imax: two views of a sample are to have features that vary between samples and agree between views.

Becker & Hinton 1992, Self-organizing neural network that discovers surfaces in random-dot stereograms.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from ssl_domains.losses import LossOutput
from ssl_domains.losses.imax import imax
from ssl_domains.methods.bases.head_method import HeadMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["Imax", "ImaxOptions"]


class ImaxOptions(MethodOptions):
    """Options of Imax."""

    noise: float = Field(
        default=1e-4, gt=0, allow_inf_nan=False, description="variance ε below which views count as equal"
    )


class Imax(HeadMethod):
    """Imax: the mutual information of both views' features over the whole batch of all processes."""

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = ImaxOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The negative mutual information; a function of the whole batch, as it reads variances over samples."""
        first, second = out.whole().chunk(2)
        return LossOutput.plain(out.of_all(imax(first, second, self.settings.noise)))
