"""SwAV: each view predicts the prototypes that another view is assigned to, by equal shares; no pairs are compared."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Norm
from ssl_domains.errors import UsageError
from ssl_domains.losses import LossOutput
from ssl_domains.losses.sinkhorn import sinkhorn
from ssl_domains.losses.swapped_prediction import swapped_prediction
from ssl_domains.methods.bases.multi_crop import GLOBAL_VIEWS, MultiCrop, MultiCropOptions
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.memory.key_queue import KeyQueue
from ssl_domains.methods.memory.prototypes import Prototypes, number_of_prototypes, steps_of_freeze

__all__ = ["SwAV", "SwAVOptions"]

_USUAL_PROTOTYPES = 3000  # of the paper


class SwAVOptions(MultiCropOptions):
    """Options of SwAV."""

    prototypes: int | None = Field(
        default=None, ge=2, description="prototypes; unset: 3,000, or a tenth of the training samples if fewer"
    )
    epsilon: float = Field(default=0.05, gt=0, allow_inf_nan=False, description="ε of the assignment; small is hard")
    iterations: int = Field(default=3, ge=1, description="iterations of the Sinkhorn algorithm")
    queue: int = Field(
        default=0, ge=0, description="older embeddings of each large view that are assigned with the batch; 0 for none"
    )
    norm: Norm = Field(
        default="batch", description="norm in the head: batch (paper); layer or none for gradient caching"
    )


class SwAV(MultiCrop):
    """SwAV (Caron et al. 2020): assignments over the whole batch of all processes, and a queue for small batches."""

    options: ClassVar[type[BaseModel]] = SwAVOptions
    settings: SwAVOptions

    def prepare(self, training: TrainingSet) -> None:
        """Make the prototypes, and a queue for each large view."""
        settings = self.settings
        self.queues = nn.ModuleList()
        number = number_of_prototypes(settings.prototypes, _USUAL_PROTOTYPES, training)
        self.prototypes = Prototypes(number, self.width, steps_of_freeze(settings.freeze_steps, training))
        if settings.queue > training.samples:
            cause = f"the queue of {settings.queue} is longer than the table of {training.samples} training samples"
            raise UsageError(cause, f"use --set method.queue={training.samples}")
        if settings.queue:
            self.queues.extend(KeyQueue(settings.queue, self.width) for _ in range(GLOBAL_VIEWS))

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Cross-entropy of predictions with the assignments of the large views, see `swapped_prediction`."""
        count = self.settings.local_views + GLOBAL_VIEWS
        scores = out.z @ out.shared["prototypes"].to(out.z.dtype).T
        scores = scores.reshape(count, -1, scores.shape[1])
        targets = self._assignments(out, pairs, scores.shape[1])
        return LossOutput.plain(swapped_prediction(scores, targets, self.settings.temperature, out.total))

    @torch.no_grad()
    def _assignments(self, out: Embeddings, pairs: RowPairs, samples: int) -> Tensor:
        """Assignments of this process's large views ``[2, b, K]``, made over the rows of all and the queue."""
        prototypes, z = out.shared["prototypes"].to(out.z.dtype), out.whole()
        local = torch.searchsorted(pairs.whole.row, pairs.rows.row).to(z.device).reshape(-1, samples)
        slots = len(z) // len(local)
        assigned = []
        for view in range(GLOBAL_VIEWS):
            rows = z[view * slots : (view + 1) * slots]
            counted = torch.ones(slots, dtype=torch.bool, device=z.device)
            for queue in self.queues[view : view + 1]:
                assert isinstance(queue, KeyQueue)
                rows = torch.cat([rows, queue.keys.to(rows.dtype)])
                counted = torch.cat([counted, queue.sample >= 0])
            q = sinkhorn(rows @ prototypes.T, self.settings.epsilon, self.settings.iterations, counted)
            assigned.append(q[local[view] - view * slots])
        return torch.stack(assigned)

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Count the step for the frozen prototypes, and put the large views into the queue."""
        self.prototypes.count_step()
        if self.settings.queue and out.rows is not None:
            z = out.whole()
            slots = len(z) // (self.settings.local_views + GLOBAL_VIEWS)
            for view, queue in enumerate(self.queues):
                assert isinstance(queue, KeyQueue)
                part = slice(view * slots, (view + 1) * slots)
                queue.push(z[part], out.rows.take(part))
