"""Deep InfoMax: the vector of a sample is to tell its own places from the places of other samples.

Hjelm et al. 2019, Learning deep representations by mutual information estimation and maximization; the local objective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, map_shape, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.donsker_varadhan import donsker_varadhan
from ssl_domains.losses.info_nce import info_nce
from ssl_domains.losses.jensen_shannon import jensen_shannon
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["DeepInfoMax", "DeepInfoMaxOptions"]

_BOUNDS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "jsd": jensen_shannon,
    "info_nce": info_nce,
    "dv": donsker_varadhan,
}


class DeepInfoMaxOptions(MethodOptions):
    """Options of Deep InfoMax."""

    bound: Literal["jsd", "info_nce", "dv"] = Field(
        default="jsd", description="estimate of mutual information: Jensen–Shannon, InfoNCE or Donsker–Varadhan"
    )


class DeepInfoMax(Method):
    """Encoder, a head for its pooled features and one for each place of its map; scores are their dot products.

    Args:
        encoder: The encoder to train.
        whole_head: Maps pooled features ``[B, F]`` to ``[B, d]``.
        place_head: Maps features of places ``[P, F']`` to ``[P, d]``.
        bound: Name of the estimate.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = DeepInfoMaxOptions

    def __init__(
        self,
        encoder: Encoder,
        whole_head: nn.Module,
        place_head: nn.Module,
        bound: Literal["jsd", "info_nce", "dv"] = "jsd",
    ) -> None:
        super().__init__()
        self.encoder, self.whole_head, self.place_head = encoder, whole_head, place_head
        self.bound = bound

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        channels, *space = map_shape(encoder)
        if not encoder.takes.ragged and torch.Size(space).numel() < 2:
            raise UsageError(
                f"deep_infomax compares places, and the map of {encoder.name!r} has only one for this input",
                "use larger inputs (--set views.size=64), or an encoder of a finer map",
            )
        widths = encoder.num_features, channels
        if options["layers"] == 0 and widths[0] != widths[1]:
            cause = f"the map of {encoder.name!r} has {channels} channels, its pooled features {encoder.num_features}"
            raise UsageError(cause, "use --set head.layers=1")
        whole, place = (projection_head(w, options["hidden"], options["out"], options["layers"]) for w in widths)
        return cls(encoder, whole, place, options["bound"])

    def embed(self, views: Views) -> Embeddings:
        """Rows ``z``: part 0 of a view is its whole, the others are its valid places."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        places = features.map.flatten(2).movedim(1, -1)
        if features.mask is None:
            valid = places.new_ones(places.shape[:2], dtype=torch.bool)
        else:
            valid = features.mask.flatten(1)
        of, place = valid.nonzero(as_tuple=True)
        whole = self.whole_head(features.pooled)
        z = torch.cat([whole, self.place_head(places[of, place])])
        return Embeddings(
            z.to(torch.promote_types(z.dtype, torch.float32)),
            features.pooled.detach()[: views.samples],
            of=torch.cat([torch.arange(len(whole), device=of.device), of]),
            part=torch.cat([of.new_zeros(len(whole)), place + 1]),
        )

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Wholes against places: those of the same sample are positives, those of other samples negatives."""
        z, rows = out.whole(), pairs.whole.to(out.z.device)
        is_whole = rows.part == 0
        positive = rows.sample[is_whole, None] == rows.sample[None, ~is_whole]
        scores = z[is_whole] @ z[~is_whole].T
        return LossOutput.plain(out.of_all(_BOUNDS[self.bound](scores, positive, ~positive)))
