"""Refresh between two epochs: embeds all training rows, from which the method computes columns, edges and state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.precision import Precision
from ssl_domains.engine.step.encoding import encode_rows, pooled
from ssl_domains.errors import DataError, UsageError
from ssl_domains.methods import Method
from ssl_domains.pairs import Computed
from ssl_domains.samples import SampleTable

__all__ = ["Refresher"]


@dataclass(frozen=True)
class Refresher:
    """Runs the refresh of a method; the result is the same in every process.

    Attributes:
        method: The method, with its `Refresh`.
        dataset: Inputs of the training rows.
        table: The training rows, without computed columns.
        device: Device of the encoder.
        precision: Precision of the encoder.
        world: The processes.
    """

    method: Method
    dataset: Dataset[Any]
    table: SampleTable
    device: torch.device
    precision: Precision
    world: World

    def __call__(self, before: Computed | None, optimiser: torch.optim.Optimizer | None = None) -> Computed:
        """Compute new columns and edges, and set the method's state.

        Args:
            before: Result of the last refresh; None at the first one.
            optimiser: Optimiser, whose state (momentum) of parameters that are set is deleted.

        Returns:
            The new columns and edges; those that the method left out are taken from ``before``.

        Raises:
            UsageError: When the method computes a name that it didn't declare, or its first refresh leaves out a
                declared one.
            DataError: When the features are not finite.
        """
        assert self.method.refresh is not None
        refresh, table = self.method.refresh, self.table
        features = self.features()

        def compute() -> tuple[Computed, dict[str, Tensor]]:
            if not torch.isfinite(features).all():
                raise DataError("the encoder's features are not finite", "lower train.lr or set train.clip_norm")
            answer = refresh.compute(features, table)
            absent = sorted({*refresh.columns, *refresh.edges} - {*answer.columns, *answer.edges})
            if before is None and absent:
                raise UsageError(f"the first refresh left out {', '.join(absent)}", "compute all that Refresh declares")
            undeclared = sorted(set(answer.state) - set(refresh.state))
            if undeclared:
                raise UsageError(f"the refresh sets {undeclared[0]!r}, which it didn't declare", "name it in `state`")
            known = Computed.nothing(len(table), refresh.columns, refresh.edges) if before is None else before
            return known.rewritten(answer.columns, answer.edges), {k: v.cpu() for k, v in answer.state.items()}

        computed, state = self.world.from_first(compute)
        self._set(state, optimiser)
        return computed

    @torch.no_grad()
    def _set(self, state: Mapping[str, Tensor], optimiser: torch.optim.Optimizer | None) -> None:
        present = {**dict(self.method.named_parameters()), **dict(self.method.named_buffers())}
        for name, values in state.items():
            if name not in present or present[name].shape != values.shape:
                actual = list(present[name].shape) if name in present else "absent"
                raise UsageError(
                    f"a refresh sets {name!r} to {list(values.shape)}, which is {actual}",
                    "give the shape of the method's own",
                )
            present[name].copy_(values)
            if optimiser is not None:
                optimiser.state.pop(present[name], None)

    def features(self) -> Tensor:
        """Pooled features of all training rows, without augmentation: float32 ``[n, F]`` on the CPU.

        The encoder is in evaluation mode. Each process embeds equally many rows, and gets the features of all.
        """
        rows, world = len(self.table), self.world
        share = -(-rows // world.size)
        # The last processes may embed the last row again, so that all have equally many; repeats are cut off below.
        share_of = torch.arange(world.rank * share, (world.rank + 1) * share).clamp(max=rows - 1)
        # Unless BatchNorm is synchronised, its running statistics differ between processes; all take the first's.
        world.like_first(self.method.buffers())
        with world.together():
            encoded = encode_rows(
                self.method.encoder, self.dataset, pooled, device=self.device, rows=share_of, precision=self.precision
            )
            features = torch.cat([part.cpu() for _, part in encoded])
        return world.everywhere(features)[:rows]
