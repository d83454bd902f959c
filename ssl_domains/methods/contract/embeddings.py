"""Embeddings and targets of a batch, with access to the rows of all processes for the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows

__all__ = ["Embeddings", "Exchange", "Target"]


@dataclass(frozen=True, eq=False)
class Target:
    """Targets of some rows only; a value in the result of `Method.target`.

    Attributes:
        values: Targets ``[n, …]``.
        of: int64 ``[n]``, the view-major row that each value belongs to; ascending.
    """

    values: Tensor
    of: Tensor


class Exchange(Protocol):
    """Gathers rows of several processes; made by the engine."""

    def whole(self, values: Tensor, of: Tensor | None, part: Tensor | None) -> Tensor:
        """The rows of all processes, ordered by view, slot of the global batch and part; gradients flow back."""
        ...

    def total(self, counts: Tensor) -> Tensor:
        """Sum over the processes."""
        ...

    @property
    def size(self) -> int:
        """Number of processes."""
        ...


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Embeddings of the views of ``b`` samples.

    `Method.embed` sets the first six fields; the engine sets the others before it calls `Method.loss`.

    Attributes:
        z: ``[M, d]``, the embeddings that the loss compares; of length 1 if `ViewPlan.unit_z` is true.
        pooled: ``[b, F]``, detached: the encoder's features of each sample, before any head, as a probe reads them. One
            view of each sample is enough; features of several kinds are concatenated.
        more: Further rows that the loss reads, ``[M, …]`` by name, with gradient; aligned with ``z``.
        shared: Tensors without a row axis by name, with gradient, such as a learned temperature or prototypes. Equal in
            all processes.
        of: int64 ``[M]``, the view-major row of this call's views that each row of ``z`` belongs to; None where row
            ``i`` belongs to ``i``. A method that embeds one of two views, or several instances of a view, gives it.
        part: int64 ``[M]``, the instance within the view (frame, cell, window); None takes the part of the view. The
            pair (of, part) is unique.
        targets: Result of `Method.target`, by name; never differentiated.
        target_of: View-major rows of the targets that were given for some rows only, by name.
        rows: Rows of the whole batch, in the order of ``whole()``, on the CPU; a queue stores them with its keys.
        exchange: Gathers the rows of all processes; None for one process.
        locate: Gives the `Rows` of the whole batch of some view-major rows of this process; see `target_rows`.
    """

    z: Tensor
    pooled: Tensor
    more: Mapping[str, Tensor] = field(default_factory=dict)
    shared: Mapping[str, Tensor] = field(default_factory=dict)
    of: Tensor | None = None
    part: Tensor | None = None
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    target_of: Mapping[str, Tensor] = field(default_factory=dict)
    rows: Rows | None = None
    exchange: Exchange | None = None
    locate: Callable[[Tensor | None], Rows] | None = None

    def whole(self, name: str = "z") -> Tensor:
        """Rows of the whole batch, the same in every process: ``z``, one of ``more``, or one of ``targets``.

        Gradients of rows of ``z`` and ``more`` flow back to the process that embedded them. With one process, it is the
        tensor itself. Every process must call this with the same names in the same order.

        Raises:
            UsageError: When there are no such rows.
        """
        if name == "z" or name in self.more:
            values = self.z if name == "z" else self.more[name]
            return values if self.exchange is None else self.exchange.whole(values, self.of, self.part)
        if name not in self.targets:
            raise UsageError(f"there are no rows {name!r}", f"known: {', '.join(['z', *self.more, *self.targets])}")
        values = self.targets[name]
        return values if self.exchange is None else self.exchange.whole(values, self.target_of.get(name), None)

    def target_rows(self, name: str) -> Rows:
        """Sample, view, part and emitted numbers of a target's rows, in the order of ``whole(name)``, on the CPU.

        With several processes, every process must call this with the same names in the same order.

        Raises:
            UsageError: When there is no such target.
        """
        if name not in self.targets or self.locate is None:
            raise UsageError(f"there is no target {name!r}", f"known: {', '.join(self.targets) or 'none'}")
        return self.locate(self.target_of.get(name))

    def total(self, counts: Tensor) -> Tensor:
        """The sum of ``counts`` (int64, any shape) over all processes: the divisor of a mean over the rows of all."""
        return counts if self.exchange is None else self.exchange.total(counts)

    def of_all(self, loss: Tensor) -> Tensor:
        """This process's share of a loss that was computed from `whole` rows, the same in every process."""
        return loss if self.exchange is None else loss / self.exchange.size
