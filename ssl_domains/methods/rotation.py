"""Rotation: a network says by which angle a picture was turned, or which of some named transforms it shows.

Gidaris, Singh & Komodakis 2018, Unsupervised Representation Learning by Predicting Image Rotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field, field_validator
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.rows.transforms import Transform, transform_of, transforms

__all__ = ["Rotation", "RotationOptions"]


class RotationOptions(MethodOptions):
    """Options of the prediction of transforms."""

    projection_head: ClassVar[bool] = False

    transforms: list[str] = Field(
        default=["identity", "rotate_90", "rotate_180", "rotate_270"],
        min_length=2,
        description=f"transforms to tell apart, of {', '.join(transforms())}",
    )

    @field_validator("transforms")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in transforms():
                raise ValueError(f"there is no transform {name!r}")
        if len(set(names)) < len(names):
            raise ValueError("a transform is named twice")
        return names


class Rotation(Method):
    """Every view is shown under each of K transforms, and a linear classifier names the transform.

    All K copies of a sample are in one batch, as in the paper: nothing is drawn, and BatchNorm can't tell transforms
    apart by the statistics of a batch. ``z`` are the logits; the part of a row is the number of its transform.

    Args:
        encoder: The encoder to train.
        shown: The transforms.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = RotationOptions

    def __init__(self, encoder: Encoder, shown: tuple[Transform, ...]) -> None:
        super().__init__()
        self.encoder = encoder
        self.shown = shown
        self.classifier = nn.Linear(encoder.num_features, len(shown))

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`.

        Raises:
            UsageError: When the encoder's inputs can't be transformed so: a rotation needs square pictures.
        """
        return cls(encoder, tuple(transform_of(name, encoder.takes) for name in options["transforms"]))

    def embed(self, views: Views) -> Embeddings:
        """Logits ``z [K · views · b, K]`` of every view under each transform."""
        rows = views.together
        copies = Input.cat([transform.change(rows) for transform in self.shown])
        pooled = self.encoder(copies.values, copies.valid).pooled
        logits = self.classifier(pooled)
        unchanged = next((k for k, one in enumerate(self.shown) if one.name == "identity"), 0) * len(rows)
        return Embeddings(
            logits.to(torch.promote_types(logits.dtype, torch.float32)),
            pooled.detach()[unchanged : unchanged + views.samples],
            of=torch.arange(len(rows)).repeat(len(self.shown)),
            part=torch.arange(len(self.shown)).repeat_interleave(len(rows)),
        )

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Cross-entropy of the logits and the transforms, averaged over all rows."""
        shown: Tensor = pairs.rows.part.to(out.z.device)
        each = F.cross_entropy(out.z, shown, reduction="sum")
        return LossOutput.plain(each / out.total(torch.tensor(len(shown), device=out.z.device)))
