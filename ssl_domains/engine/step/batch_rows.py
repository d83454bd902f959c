"""Rows of a batch: the sample, view and part of each embedding, for this process and for all processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.gathering import gather_rows
from ssl_domains.errors import UsageError
from ssl_domains.methods import Embeddings
from ssl_domains.pairs import Rows

__all__ = ["BatchRows", "Locate", "ProcessExchange"]

Locate: TypeAlias = Callable[[Tensor | None], Rows]
"""Gives the rows of all processes of view-major rows ``of`` of this process; None for all of them in order."""


@dataclass(frozen=True, eq=False)
class BatchRows:
    """Makes the `Rows` of the embeddings of a batch.

    View ``v`` shows seat ``v mod S`` of each slot; the row ``v · b + i`` of this process is view ``v`` of its ``i``-th
    slot, which is slot ``rank · b + i`` of the global batch.

    Attributes:
        seats: int64 ``[S, B]`` on the CPU, positions of the samples of the global batch in the training table.
        views: Views of each slot.
        world: The processes; each has ``B / size`` slots.
        negatives: Number of seats, at the end, that are drawn negatives.
    """

    seats: Tensor
    views: int
    world: World
    negatives: int = 0

    @property
    def slots(self) -> int:
        """Number ``b`` of slots of this process."""
        return self.seats.shape[1] // self.world.size

    def of_process(self, of: Tensor | None, part: Tensor | None, emitted: Mapping[str, Tensor], parts: int = 1) -> Rows:
        """The rows of this process.

        Args:
            of: int64 ``[M]``, view-major row of each embedding; None for all of them in order.
            part: int64 ``[M]``, part of each embedding; None for 0.
            emitted: Emitted numbers of all view-major rows, float64 ``[views · b]`` by name.
            parts: One more than the largest part of any process; row ids are spaced by it.

        Raises:
            UsageError: When ``of`` points outside the batch, or (of, part) repeats.
        """
        count = self.views * self.slots
        of_all = of is None
        of = torch.arange(count) if of is None else of.cpu()
        part = torch.zeros_like(of) if part is None else part.cpu()
        if len(of) and not (int(of.min()) >= 0 and int(of.max()) < count):
            raise UsageError(f"embed gives rows {int(of.min())} to {int(of.max())} of {count}", "`of` counts its views")
        if len(part) and int(part.min()) < 0:
            raise UsageError(f"embed gives the part {int(part.min())}", "parts count from 0")
        view = of // self.slots
        slot = self.world.rank * self.slots + of % self.slots
        row = (view * self.seats.shape[1] + slot) * parts + part
        if not of_all and len(torch.unique(row)) < len(row):
            raise UsageError("embed gives the same (of, part) twice", "number the instances of a view by `part`")
        return Rows(
            sample=self.seats[view % len(self.seats), slot],
            view=view,
            part=part,
            row=row,
            emitted={name: values.cpu()[of] for name, values in emitted.items()},
        )

    def rows(
        self, out: Embeddings, part: Tensor | None, emitted: Mapping[str, Tensor]
    ) -> tuple[Rows, Rows, ProcessExchange | None, Locate]:
        """The rows of this process, those of all processes, the exchange of embeddings, and what gives rows of targets.

        The exchange is None for one process.

        Args:
            out: The embeddings of this process.
            part: Default part of each view-major row; None where views declare none.
            emitted: Emitted numbers of all view-major rows of this process.
        """
        local_part = out.part
        if local_part is None and part is not None:
            local_part = part if out.of is None else part[out.of.cpu()]
        if local_part is not None:
            local_part = local_part.cpu()
        largest = 0 if local_part is None or not len(local_part) else int(local_part.max())
        parts = 1 + (largest if self.world.size == 1 else max(self.world.collect(largest)))
        rows = self.of_process(out.of, local_part, emitted, parts)

        def of_targets(of: Tensor | None) -> Rows:
            local = part if part is None or of is None else part[of.cpu()]
            return self._of_all(self.of_process(of, local, emitted, parts))

        exchange = None if self.world.size == 1 else ProcessExchange(self, parts)
        return rows, self._of_all(rows), exchange, of_targets

    def _of_all(self, rows: Rows) -> Rows:
        """The rows of all processes, by their row id; the same object for one process."""
        if self.world.size == 1:
            return rows
        counts = self.world.collect(len(rows))
        together = Rows(
            sample=gather_rows(rows.sample, counts),
            view=gather_rows(rows.view, counts),
            part=gather_rows(rows.part, counts),
            row=gather_rows(rows.row, counts),
            emitted={name: gather_rows(values, counts) for name, values in rows.emitted.items()},
        )
        return together.take(torch.argsort(together.row))

    def anchors(self, rows: Rows, which: str) -> Tensor | None:
        """Positions in ``rows`` of the anchors, int64; None where all are.

        Args:
            rows: Rows of this process.
            which: Value of ``ViewPlan.anchors``.
        """
        if not self.negatives or which == "all":
            return None
        return torch.nonzero(rows.view % len(self.seats) < len(self.seats) - self.negatives).squeeze(1)


@dataclass(frozen=True, eq=False)
class ProcessExchange:
    """Gathers rows and sums counts of several processes; see `ssl_domains.methods.Exchange`.

    Attributes:
        batch: Rows of the batch.
        parts: One more than the largest part of any process.
    """

    batch: BatchRows
    parts: int

    @property
    def size(self) -> int:
        """Number of processes."""
        return self.batch.world.size

    def total(self, counts: Tensor) -> Tensor:
        """Sum over the processes, without gradient."""
        return self.batch.world.total(counts)

    def whole(self, values: Tensor, of: Tensor | None, part: Tensor | None) -> Tensor:
        """The rows of all processes, ordered by view, slot of the global batch and part."""
        rows = self.batch.of_process(of, part, {}, self.parts).row
        counts: Sequence[int] = self.batch.world.collect(len(rows))
        order = torch.argsort(gather_rows(rows, counts))
        return gather_rows(values, counts)[order.to(values.device)]
