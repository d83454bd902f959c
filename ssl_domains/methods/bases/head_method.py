"""Base of methods that are an encoder, a projection head, and a loss over their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.inputs import Views
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions

__all__ = ["HeadMethod"]


class HeadMethod(Method):
    """Encoder and projection head; a sub-class gives `options` and the loss.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        settings: Values of `options`.

    Attributes:
        settings: Values of `options`. An option ``norm`` is the norm in the head.
    """

    def __init__(self, encoder: Encoder, head: nn.Module, settings: MethodOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.settings: Any = settings

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        settings: Any = cls.options(**{name: options[name] for name in cls.options.model_fields})
        norm = {"norm": settings.norm} if "norm" in cls.options.model_fields else {}
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"], **norm)
        return cls(encoder, head, settings)

    def embed(self, views: Views) -> Embeddings:
        """Embeddings ``z [M, d]`` in float32 or wider, of length 1 if the method's ``needs.unit_z``."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        projected = self.head(features.pooled)
        z = projected.to(torch.promote_types(projected.dtype, torch.float32))
        z = F.normalize(z, dim=1) if self.needs.unit_z else z
        return Embeddings(z, features.pooled.detach()[: views.samples], shared=self.learned())

    def learned(self) -> dict[str, Tensor]:
        """Learned numbers of the loss by name."""
        return {}
