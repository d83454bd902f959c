"""MoCo v2: queries of one view against keys of a momentum encoder: of the other view, and a queue of older ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Norm, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods.contract.embeddings import Embeddings, Target
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.memory.key_queue import KeyQueue
from ssl_domains.methods.memory.momentum import follow, momentum_copy
from ssl_domains.methods.rows.unit_length import unit_length
from ssl_domains.pairs import Rows

__all__ = ["MoCo", "MoCoOptions"]

_USUAL_QUEUE = 65_536


class MoCoOptions(MethodOptions):
    """Options of MoCo in both forms."""

    form: Literal["v2", "v3"] = Field(
        default="v2", description="'v2': first view against a queue of keys; 'v3': both views, a predictor, no queue"
    )
    temperature: float = Field(default=0.2, gt=0, allow_inf_nan=False, description="temperature τ of the loss")
    momentum: float = Field(
        default=0.999, ge=0, le=1, description="momentum of the copy that embeds the keys; in form v3 it rises to 1"
    )
    queue: int | None = Field(
        default=None, ge=1, description="form v2: older keys to keep; unset keeps 65,536, or one a training sample"
    )
    queue_positives: Literal["positive", "ignore"] = Field(
        default="positive", description="what an older key is that matches the rule: a positive, or left out"
    )
    norm: Norm | None = Field(
        default=None, description="norm in head and predictor: batch, layer or none; unset: none in v2, batch in v3"
    )
    predictor: int = Field(default=512, ge=1, description="form v3: width of the predictor's hidden layer")


class MoCo(Method):
    """MoCo v1 and v2 (He et al. 2020; Chen, Fan et al. 2020): the head decides, which v1 has linear.

    Candidates of a query are the keys of the batch's second view and the queue.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        width: Width d of the head's output.
        settings: The options.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True)
    options: ClassVar[type[BaseModel]] = MoCoOptions
    queue: KeyQueue

    def __init__(self, encoder: Encoder, head: nn.Module, width: int, settings: MoCoOptions) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.key_encoder, self.key_head = momentum_copy(encoder), momentum_copy(head)
        self.settings, self.width = settings, width

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> MoCo:
        """Build the form that the options name, a `MoCoV3` for form v3; see `Method.build`."""
        from ssl_domains.methods.moco_v3 import MoCoV3

        settings = MoCoOptions(**{name: options[name] for name in MoCoOptions.model_fields})
        if settings.form == "v3":
            return MoCoV3.of(encoder, options, settings)
        hidden, out, layers, norm = options["hidden"], options["out"], options["layers"], settings.norm or "none"
        head = projection_head(encoder.num_features, hidden, out, layers, norm)
        return cls(encoder, head, out if layers else encoder.num_features, settings)

    def prepare(self, training: TrainingSet) -> None:
        """Make the queue, which has room for one key of each training sample at most."""
        length = self.settings.queue or min(_USUAL_QUEUE, training.samples)
        if length > training.samples:
            cause = f"the queue of {length} keys is longer than the table of {training.samples} training samples"
            raise UsageError(cause, f"use --set method.queue={training.samples}")
        self.queue = KeyQueue(length, self.width, training.emitted)

    def embed(self, views: Views) -> Embeddings:
        """Queries of the first view, of length 1."""
        pooled = self.encoder(views[0].values, views[0].valid).pooled
        return Embeddings(unit_length(self.head(pooled)), pooled.detach(), of=views.rows([0]))

    def target(self, views: Views) -> Mapping[str, Tensor | Target]:
        """Keys of the second view by the momentum copy, of length 1."""
        pooled = self.key_encoder(views[1].values, views[1].valid).pooled
        return {"keys": Target(unit_length(self.key_head(pooled)), views.rows([1]))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of queries against keys and queue, see `contrastive_loss`."""
        rows = Rows.cat([out.target_rows("keys"), self.queue.rows])
        keys = torch.cat([out.whole("keys"), self.queue.keys.to(out.z.dtype)])
        found = pairs(pairs.rows, rows, stored=self.settings.queue_positives)
        return contrastive_loss(out.z, found, self.settings.temperature, keys, total_anchors=out.total)

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Move the momentum copy, and put the keys of the batch into the queue."""
        follow((self.key_encoder, self.key_head), (self.encoder, self.head), self.settings.momentum)
        self.queue.push(out.whole("keys"), out.target_rows("keys"))

    @property
    def temperature(self) -> float:
        """The temperature τ."""
        return self.settings.temperature
