"""Contrastive predictive coding: a summary of a sequence so far predicts its later places among all of the batch.

van den Oord et al. 2018, Representation Learning with Contrastive Predictive Coding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.rows.place_sequences import MapSequences, PatchSequences, sequences_of
from ssl_domains.pairs import BoundObjective, Objective, Rows, same

__all__ = ["CPC", "CPCOptions", "Negatives"]

Negatives = Literal["all", "sequence"]


class CPCOptions(MethodOptions):
    """Options of CPC."""

    projection_head: ClassVar[bool] = False

    steps: int | None = Field(
        default=None, ge=1, description="places ahead that are predicted; unset is 12 for sequences, 5 for patches"
    )
    context: int = Field(default=256, ge=1, description="width of the GRU that summarises a sequence")
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="temperature τ of the loss")
    negatives: Negatives = Field(
        default="all",
        description="places that a prediction is compared with: 'all' of the batch but those that the rule ignores, or "
        "'sequence' for those of the same view of the same sample",
    )
    patch: int | None = Field(
        default=None, ge=2, description="pictures: side of a patch in pixels; unset is a quarter of the picture's"
    )
    stride: int | None = Field(
        default=None, ge=1, description="pictures: pixels from one patch to the next; unset is half a patch"
    )


class CPC(Method):
    """Encoder, a GRU along each sequence of places, and a linear prediction for each number of places ahead.

    Sequences are the places of the encoder's map in time, or the columns of a picture's grid of patches, downward.

    Args:
        encoder: The encoder to train.
        sequences: Encodes the sequences, whose places have ``width`` features.
        steps: Largest number of places ahead, K.
        context: Width of the GRU.
        tau: Temperature τ; scores are dot products.
        negatives: ``"all"``: every place of the batch but the predicted one is a negative, unless the rule ignores it;
            ``none.ignore((~same('speaker')).across_parts())`` leaves places of the same speaker. ``"sequence"``: places
            of the same view of the same sample; a rule is refused.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, unit_z=False)
    options: ClassVar[type[BaseModel]] = CPCOptions

    def __init__(
        self,
        encoder: Encoder,
        sequences: MapSequences | PatchSequences,
        width: int,
        steps: int,
        context: int,
        tau: float,
        negatives: Negatives = "all",
    ) -> None:
        super().__init__()
        self.negatives = negatives
        self.encoder, self.sequences = encoder, sequences
        self.steps, self.tau = steps, tau
        self.context = nn.GRU(width, context, batch_first=True)
        self.predict = nn.Linear(context, steps * width, bias=False)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        sequences, width, places = sequences_of(encoder, options["patch"], options["stride"])
        steps = options["steps"] or (5 if isinstance(sequences, PatchSequences) else 12)
        if places is not None and steps >= places:
            hint = f"use --set method.steps={places - 1}" if places > 1 else "use larger inputs or smaller patches"
            raise UsageError(f"cpc predicts {steps} places ahead, but its sequences have {places}", hint)
        return cls(encoder, sequences, width, steps, options["context"], options["temperature"], options["negatives"])

    def embed(self, views: Views) -> Embeddings:
        """Rows ``z`` are the valid places; ``ahead [M, K, F]`` predicts each of them from 1 … K places before it."""
        places, valid, of, part, pooled = self.sequences(self.encoder, views)
        summary, _ = self.context(places)
        forward = self.predict(summary).unflatten(-1, (self.steps, -1))
        ahead, known = torch.zeros_like(forward), valid.new_zeros(*valid.shape, self.steps)
        for k in range(1, min(self.steps, places.shape[1] - 1) + 1):
            ahead[:, k:, k - 1] = forward[:, :-k, k - 1]
            known[:, k:, k - 1] = valid[:, k:] & valid[:, :-k]
        dtype = torch.promote_types(places.dtype, torch.float32)
        more = {"ahead": ahead[valid].to(dtype), "known": known[valid].to(dtype)}
        return Embeddings(
            places[valid].to(dtype), pooled.detach()[: views.samples], more, of=of[valid], part=part[valid]
        )

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Each prediction is to pick its place among others; see ``negatives``.

        Raises:
            UsageError: When nothing can be predicted, or the rule doesn't go with ``negatives``.
        """
        known = out.more["known"] > 0
        if pairs.anchors is not None:
            known &= torch.zeros_like(known[:, :1]).index_fill_(0, pairs.anchors.to(known.device), True)
        row, step = known.nonzero(as_tuple=True)
        if not int(out.total(torch.tensor(len(row)))):
            hint = "use longer inputs or crops, or an encoder of a smaller stride"
            raise UsageError("cpc has nothing to predict: no sequence of the batch has two valid places", hint)
        if self.negatives == "sequence":
            pairs, places = _in_sequences(pairs), out.z
        else:
            _require_all_places(pairs.objective)
            places = out.whole()
        # A prediction is another row than the place that it predicts, which is thus its own positive.
        first = int(pairs.whole.row.max()) + 1
        anchors = replace(pairs.rows.take(row.cpu()), row=first + torch.arange(len(row)))
        batch = pairs(anchors, pairs.whole)
        return contrastive_loss(out.more["ahead"][row, step], batch, self.tau, places, total_anchors=out.total)

    @property
    def temperature(self) -> float:  # noqa: D102
        return self.tau


def _in_sequences(pairs: RowPairs) -> RowPairs:
    """Pairs of the places of this process, in which each view of a sample is a sample of its own.

    Raises:
        UsageError: When there is a rule: samples don't meet.
    """
    bound = pairs.objective
    if pairs.names != ("none",) or bound.ignored is not None:
        cause = "with method.negatives=sequence no two samples meet, and a rule on them says nothing"
        raise UsageError(cause, "leave --pairs and --rule out, or use --set method.negatives=all")
    rows = pairs.rows
    # `row` counts views and, within a view, parts.
    _, sequence = torch.unique(rows.row - rows.part, return_inverse=True)
    alone = Objective().ignore((~same("sample")).across_parts())
    own = alone.bind({"sample": list(range(int(sequence.max()) + 1))})
    local = Rows(sequence, torch.zeros_like(sequence), rows.part, rows.row)
    return replace(pairs, objective=own, rows=local, whole=local)


def _require_all_places(bound: BoundObjective) -> None:
    """Refuse an ignore rule that holds for places of equal number alone: other places would stay negatives."""
    if bound.ignored is not None and not bound.ignored_across_parts:
        cause = "the ignore rule holds for places of the same number only: others of these samples stay negatives"
        raise UsageError(cause, "--rule \"none.ignore((~same('speaker')).across_parts())\"")
