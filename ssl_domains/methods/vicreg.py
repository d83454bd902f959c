"""VICReg: two views are close, each feature varies over the batch, and no two features vary together."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from ssl_domains.encoders import Norm
from ssl_domains.losses import LossOutput
from ssl_domains.losses.vicreg import vicreg_loss
from ssl_domains.methods.bases.head_method import HeadMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["VICReg", "VICRegOptions"]


class VICRegOptions(MethodOptions):
    """Options of VICReg."""

    invariance: float = Field(
        default=25.0, ge=0, allow_inf_nan=False, description="weight λ of the distance of the views"
    )
    variance: float = Field(
        default=25.0, ge=0, allow_inf_nan=False, description="weight μ of what standard deviations lack to 1"
    )
    covariance: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="weight ν of the covariances of different features"
    )
    norm: Norm = Field(
        default="batch", description="norm in the head: batch (paper); layer or none for gradient caching"
    )


class VICReg(HeadMethod):
    """VICReg (Bardes, Ponce, LeCun 2022). Its statistics are those of the whole batch of all processes.

    The paper's head is wide: 8,192.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = VICRegOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The loss of the whole batch, see `vicreg_loss`."""
        one, two = out.whole().chunk(2)
        weights = self.settings.invariance, self.settings.variance, self.settings.covariance
        return LossOutput.plain(out.of_all(vicreg_loss(one, two, *weights)))
