"""SeqCLR: pieces of a sequence, such as the frames of a text line, against the same pieces of another view.

Aberdam et al. 2021, Sequence-to-Sequence Contrastive Learning for Text Recognition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder, map_shape, projection_head
from ssl_domains.encoders.heads import Norm
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.rows.instances import InstanceMapping, cut_instances, frames_of
from ssl_domains.methods.rows.unit_length import unit_length
from ssl_domains.methods.simclr import SimCLR, SimCLROptions
from ssl_domains.pairs import BoundObjective, Rows

__all__ = ["SeqCLR", "SeqCLROptions"]


class SeqCLROptions(SimCLROptions):
    """Options of SeqCLR."""

    mapping: InstanceMapping = Field(
        default="window",
        description="what is compared: 'frame', each frame of the encoder's map; 'window', means of neighbouring "
        "frames; 'all', the mean of all frames",
    )
    windows: int = Field(default=5, ge=1, description="windows of a sequence, T′, for mapping 'window'")
    norm: Norm = Field(
        default="batch", description="norm in the head: batch, layer or none; batch excludes gradient caching"
    )


class SeqCLR(SimCLR):
    """SimCLR of instances: a projection head for each instance of a sequence, and the contrastive loss of the pairs.

    Instances are parts of the loss's rows. Those of equal number in the views of a sample are positives of each other;
    all others are negatives, those of the same sample too, unless a rule says otherwise.

    Args:
        encoder: The encoder to train.
        head: Maps features of instances ``[M, F]`` to ``[M, d]``.
        mapping: What an instance is, see `cut_instances`.
        windows: Windows of a sequence.
        temperature: τ, or its initial value when it is learned.
        learnable_temperature: Learn log(1/τ), clamped to τ ≥ 0.01.
    """

    options: ClassVar[type[BaseModel]] = SeqCLROptions

    def __init__(
        self,
        encoder: Encoder,
        head: nn.Module,
        mapping: InstanceMapping = "window",
        windows: int = 5,
        temperature: float = 0.1,
        learnable_temperature: bool = False,
    ) -> None:
        super().__init__(encoder, head, temperature, learnable_temperature)
        self.mapping: InstanceMapping = mapping
        self.windows = windows

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`.

        Raises:
            UsageError: When the input is no sequence, or all inputs have too few frames.
        """
        mapping, windows = options["mapping"], options["windows"]
        width, *space = map_shape(encoder)
        if len(space) > 2:
            sides = " × ".join("any" if side is None else str(side) for side in encoder.takes.space)
            cause = f"seqclr takes lines, signals and spectrograms, not inputs of {sides}"
            raise UsageError(cause, "take simclr")
        frames = space[_time(encoder.takes.ragged, len(encoder.takes.space), len(space))]
        least = {"all": 1, "window": windows, "frame": 2}[mapping]
        if not encoder.takes.ragged and frames < least:
            cause = f"the map of {encoder.name!r} has {frames} frame{'s' if frames > 1 else ''} for this input"
            fewer = f"windows={frames}" if mapping == "window" and frames > 1 else "mapping=all"
            hint = f"take an encoder with narrower frames, such as small_crnn, or --set method.{fewer}"
            raise UsageError(cause, hint)
        head = projection_head(width, options["hidden"], options["out"], options["layers"], options["norm"])
        return cls(encoder, head, mapping, windows, options["temperature"], options["learnable_temperature"])

    def prepare(self, training: TrainingSet) -> None:
        """Refuse views whose frames of equal number show different places of a sample.

        Raises:
            UsageError: When a view step moves places, unless the mapping is ``"all"``.
        """
        if training.moving and self.mapping != "all":
            step = training.moving[0]
            without = "leave views.crop out" if step == "views.crop" else f"use --set 'views.without=[\"{step}\"]'"
            raise UsageError(
                f"the view step {step!r} moves places, so that instances of equal number don't show the same",
                f"{without}, or use --set method.mapping=all",
            )

    def embed(self, views: Views) -> Embeddings:
        """Rows ``z [M, d]`` of length 1: the instances of all views; ``part`` is the number within the view."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        frames, valid = frames_of(features, _time(rows.ragged, len(rows.space), features.map.ndim - 2))
        instances = cut_instances(frames, valid, self.mapping, self.windows)
        z = unit_length(self.head(instances.features))
        pooled = features.pooled.detach()[: views.samples]
        return Embeddings(z, pooled, shared=self._shared(), of=instances.of, part=instances.part)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of the pairs of instances, see `contrastive_loss`.

        Raises:
            UsageError: When the views of a sample have different numbers of instances, or an ignore rule holds for
                instances of equal number alone.
        """
        if self.mapping != "all":
            _require_all_instances(pairs.objective)
            _require_aligned(pairs.whole)
        return super().loss(out, pairs)


def _time(ragged: tuple[int, ...], sides: int, map_sides: int) -> int:
    """The side of the map along which frames follow each other: the ragged side of the input, else the last side."""
    return ragged[0] if len(ragged) == 1 and map_sides == sides else map_sides - 1


def _require_all_instances(bound: BoundObjective) -> None:
    """Refuse an ignore rule that leaves out instances of equal number alone: others of these samples stay negatives."""
    if bound.ignored is not None and not bound.ignored_across_parts:
        cause = "the ignore rule holds for instances of the same number only: others of these samples stay negatives"
        raise UsageError(cause, "--rule \"none.ignore((same('writer') & ~same('sample')).across_parts())\"")


def _require_aligned(rows: Rows) -> None:
    """Refuse views of a sample of which one has more instances than another: equal numbers aren't equal places then.

    It is asked of the rows of all processes, so that all raise.
    """
    if not len(rows.part):
        return
    parts = int(rows.part.max()) + 1
    keys, views = torch.unique(rows.sample * parts + rows.part, return_counts=True)
    part = keys % parts
    # Every sample has a part 0, which stands before its other parts.
    every = views[torch.cummax(torch.where(part == 0, torch.arange(len(keys)), 0), dim=0).values]
    if bool((views != every).any()):
        where = int((views != every).nonzero()[0])
        raise UsageError(
            f"instance {int(part[where])} of a sample is in {int(views[where])} of its {int(every[where])} views: the "
            "views differ in length, and instances of equal number don't show the same",
            "leave out view steps that change the length, or use --set method.mapping=all",
        )
