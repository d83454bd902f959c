"""The refresh boundary: embed every training row, let the method compute, hand it to batches and loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.errors import DataError, UsageError
from ssl_domains.methods import Method
from ssl_domains.pairs import Computed
from ssl_domains.samples import SampleTable
from ssl_domains.views import CanvasDataset

__all__ = ["Refresher"]

_ROWS = 256  # in the encoder at a time


@dataclass(frozen=True)
class Refresher:
    """Computes what a method refreshes, the same in every process.

    Attributes:
        method: Declares it.
        dataset: Canvases of the training rows.
        table: The training rows, without what is computed.
        device: Where the encoder is.
        precision: Of the encoder.
        world: The processes.
    """

    method: Method
    dataset: CanvasDataset
    table: SampleTable
    device: torch.device
    precision: Precision
    world: World

    def __call__(self, before: Computed | None) -> Computed:
        """The next version after ``before``; None at first.

        Raises:
            UsageError: When the method names something it didn't declare, or at first leaves out what it did.
            DataError: When the features are not finite.
        """
        assert self.method.refresh is not None
        refresh, table = self.method.refresh, self.table
        features = self.features()

        def compute() -> Computed:
            if not torch.isfinite(features).all():
                raise DataError("the encoder's features are not finite", "lower train.lr or set train.clip_norm")
            answer = refresh.compute(features, table)
            absent = sorted({*refresh.columns, *refresh.edges} - {*answer.columns, *answer.edges})
            if before is None and absent:
                raise UsageError(f"the first refresh left out {', '.join(absent)}", "compute all that Refresh declares")
            known = Computed.nothing(len(table), refresh.columns, refresh.edges) if before is None else before
            return known.rewritten(answer.columns, answer.edges)

        return self.world.from_first(compute)

    @torch.no_grad()
    def features(self) -> Tensor:
        """Pooled features of all training rows, no augmentation, evaluation mode: float32 ``[n, F]`` on the CPU.

        Each process embeds an equal share, and all get all of them.
        """
        rows, world = len(self.table), self.world
        share = -(-rows // world.size)
        # The last shares may run over the end; what is made twice is cut off again.
        mine = torch.arange(world.rank * share, (world.rank + 1) * share).clamp(max=rows - 1)
        # BatchNorm's running statistics are each process's own where it isn't synchronised.
        world.like_first(self.method.buffers())
        with world.together():
            training = self.method.training
            self.method.eval()
            try:
                found = torch.cat([self._encode(part) for part in torch.split(mine, _ROWS)])
            finally:
                self.method.train(training)
        return world.everywhere(found)[:rows]

    def _encode(self, rows: Tensor) -> Tensor:
        batch = self.dataset.__getitems__(rows)
        images = batch["images"].to(self.device)
        images = images.float().div_(255) if images.dtype == torch.uint8 else images.float()
        mask = None if batch["mask"] is None else batch["mask"].to(self.device)
        with autocast(self.device, self.precision):
            return self.method.encoder(images, mask).pooled.float().cpu()  # type: ignore[no-any-return]
