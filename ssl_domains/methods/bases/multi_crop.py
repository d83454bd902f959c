"""Multi-crop: a few large views of each sample and several small ones (Caron et al. 2020); shared by SwAV and DINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Activation, Encoder, allow_other_sizes, projection_head
from ssl_domains.inputs import Views
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.memory.prototypes import Prototypes
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["GLOBAL_VIEWS", "MultiCrop", "MultiCropOptions"]

GLOBAL_VIEWS = 2
"""Number of large views; they come first."""


class MultiCropOptions(MethodOptions):
    """Options of methods of multi-crop with prototypes: number and size of the small views, frozen prototypes."""

    local_views: int = Field(default=6, ge=0, description="small views of each sample, beside two large ones")
    local_size: int | None = Field(
        default=None,
        ge=1,
        description="side of the small views in pixels (places of a signal); unset: half that of the large ones",
    )
    temperature: float = Field(default=0.1, gt=0, allow_inf_nan=False, description="temperature τ of the predictions")
    activation: Activation = Field(
        default="relu", description="nonlinearity of the hidden layers of the head: relu, or gelu as in DINO's paper"
    )
    freeze_steps: int | None = Field(
        default=None, ge=0, description="steps for which the prototypes are frozen; unset: one epoch"
    )


class MultiCrop(Method):
    """A method of two large views and some small ones, as many as its options say.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        width: Width d of the head's output.
        settings: The options.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(variants={"global": GLOBAL_VIEWS, "local": 6}, pairs=False)
    options: ClassVar[type[BaseModel]] = MultiCropOptions
    prototypes: Prototypes

    def __init__(self, encoder: Encoder, head: nn.Module, width: int, settings: Any) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.width, self.settings = width, settings

    @classmethod
    def needs_with(cls, options: Mapping[str, Any]) -> ViewPlan:
        """Two large views and ``local_views`` small ones of side ``local_size``."""
        count, size = options["local_views"], options["local_size"]
        variants = {"global": GLOBAL_VIEWS, "local": count} if count else {"global": GLOBAL_VIEWS}
        return ViewPlan(variants=variants, sizes={"local": size} if size and count else {}, pairs=False)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        settings: Any = cls.options(**{name: options[name] for name in cls.options.model_fields})
        if settings.local_views:
            allow_other_sizes(encoder, settings.local_size)
        out, layers = options["out"], options["layers"]
        head = projection_head(
            encoder.num_features, options["hidden"], out, layers, settings.norm, activation=settings.activation
        )
        return cls(encoder, head, out if layers else encoder.num_features, settings)

    def embed(self, views: Views) -> Embeddings:
        """Embeddings of all views, of length 1, and the prototypes. The encoder is called once for each size."""
        groups = views.by_shape()
        pooled = views.in_order(groups, [self.encoder(g.input.values, g.input.valid).pooled for g in groups])
        shared = {"prototypes": self.prototypes()}
        return Embeddings(unit_length(self.head(pooled)), pooled.detach()[: views.samples], shared=shared)

    @property
    def temperature(self) -> float:
        """The temperature τ of the predictions."""
        return float(self.settings.temperature)
