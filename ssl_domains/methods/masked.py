"""Masked prediction: patches of a picture or places of a sequence are hidden, and their values predicted.

Xie et al. 2022, SimMIM (hidden patches are replaced by a learned vector); He et al. 2022, Masked Autoencoders Are
Scalable Vision Learners (MAE: the encoder gets the shown patches only, and a small decoder predicts the hidden ones).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.masking.masked_picture import MaskedPicture
from ssl_domains.methods.masking.masked_sequence import MaskedSequence

__all__ = ["Masked", "MaskedOptions"]


class MaskedOptions(MethodOptions):
    """Options of masked prediction."""

    projection_head: ClassVar[bool] = False

    form: Literal["simmim", "mae"] = Field(
        default="simmim", description="'simmim' replaces hidden patches by a learned vector, 'mae' leaves them out"
    )
    ratio: float = Field(default=0.6, gt=0, lt=1, description="share of the patches that is hidden; 0.75 in MAE")
    block: int = Field(
        default=1, ge=1, description="side of a hidden square in patches, or length of a stretch in places of the map"
    )
    normalise: bool = Field(
        default=False, description="predict values scaled to mean 0 and variance 1 within each patch, as in MAE"
    )
    decoder_width: int = Field(default=128, ge=8, multiple_of=8, description="width of the decoder of 'mae'")
    decoder_depth: int = Field(default=2, ge=1, description="blocks of the decoder of 'mae'")


class Masked(Method):
    """Predicts hidden patches from the shown ones; the loss is over hidden patches alone.

    A patch with padding or missing data is never predicted. ``z`` are the predictions, a row for each hidden patch; the
    part of a row is the number of its patch. Which patches are hidden follows from the keys of the views.

    Args:
        encoder: The encoder to train.
        options: The options.

    Raises:
        UsageError: For pictures without a ViT, inputs without one or two sides, token ids, a picture that its patches
            don't fill, or ``form="mae"`` with a sequence.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False, draws=True)
    options: ClassVar[type[BaseModel]] = MaskedOptions

    def __init__(self, encoder: Encoder, options: MaskedOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.chosen = options
        self.reader = _reader(encoder, options)
        self.hidden = self.reader.hidden()
        self.decoder = self.reader.decoder(options.decoder_width, options.decoder_depth)
        self.head = nn.Linear(self.reader.width, self.reader.values)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        return cls(encoder, MaskedOptions(**{name: options[name] for name in MaskedOptions.model_fields}))

    def embed(self, views: Views) -> Embeddings:
        """Predictions ``z [M, D]`` of the D values of each hidden patch, and those values as ``more["truth"]``."""
        rows = views.together
        mask, scored = self.reader.masks(views.keys.to(rows.device), rows, self.chosen.ratio, self.chosen.block)
        places, pooled = self.reader.encoded(rows, mask, self.hidden, self.decoder)
        predicted = self.head(places[scored])
        truth = self.reader.truth(rows)[scored].to(torch.promote_types(predicted.dtype, torch.float32))
        if self.chosen.normalise:
            variance, mean = torch.var_mean(truth, dim=1, keepdim=True)
            truth = (truth - mean) / (variance + 1e-6).sqrt()
        of, part = torch.nonzero(scored.cpu(), as_tuple=True)
        return Embeddings(
            predicted.to(truth.dtype), pooled.detach()[: views.samples], more={"truth": truth}, of=of, part=part
        )

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Mean over all hidden values of the batch: absolute difference in 'simmim', squared difference in 'mae'."""
        difference = out.z - out.more["truth"]
        each = difference.abs() if self.chosen.form == "simmim" else difference.square()
        hidden = out.total(torch.tensor(len(out.z), device=out.z.device)).clamp(min=1)
        return LossOutput.plain(each.sum() / (hidden * self.reader.values))


def _reader(encoder: Encoder, options: MaskedOptions) -> MaskedPicture | MaskedSequence:
    takes = encoder.takes
    if takes.dtype == "int64" or len(takes.space) not in (1, 2):
        raise UsageError(
            f"masked prediction takes pictures and signals, not inputs of kind {takes.kind!r}", "take another method"
        )
    if len(takes.space) == 2:
        return MaskedPicture(encoder, options.block, shown_only=options.form == "mae")
    if options.form == "mae":
        cause = f"the form 'mae' leaves patches out, which the encoder {encoder.name!r} of signals can't"
        raise UsageError(cause, "use --set method.form=simmim")
    return MaskedSequence(encoder)
