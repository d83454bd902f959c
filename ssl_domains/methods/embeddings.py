"""What a method makes of a batch, and how its loss reaches the rows of all processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows

__all__ = ["Embeddings", "Exchange", "Target"]


@dataclass(frozen=True, eq=False)
class Target:
    """What `Method.target` gives for some rows only.

    Attributes:
        values: ``[n, …]``.
        of: int64 ``[n]``, the view-major row that each value belongs to; ascending.
    """

    values: Tensor
    of: Tensor


class Exchange(Protocol):
    """How rows of several processes come together; made by the engine."""

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
    """What a method makes of the views of ``b`` samples.

    `Method.embed` fills the first six; the engine adds the others before it asks for the loss.

    Attributes:
        z: ``[M, d]``, what the loss compares; of unit length where `ViewPlan.unit_z` says so.
        pooled: ``[b, F]``, detached: what the encoder gave for each sample, before any head. A probe will see this.
            One view of a sample is enough; of several kinds the features stand side by side.
        more: Further rows that the loss reads, ``[M, …]`` by name, with gradient; aligned with ``z``.
        shared: Tensors without a row axis by name, with gradient: a learned temperature, prototypes. Equal in all
            processes.
        of: int64 ``[M]``, the view-major row of this call's views that each row of ``z`` belongs to; None where row
            ``i`` belongs to ``i``. A method that embeds one of two views, or several instances of a view, gives it.
        part: int64 ``[M]``, the instance within the view (frame, cell, window); None takes the view's own. The pair
            (of, part) is unique.
        targets: What `Method.target` gave, by name; never differentiated.
        target_of: Rows of those targets that aren't aligned with all views.
        rows: Rows of the whole batch, in the order of ``whole()``, on the CPU: what a queue stores beside its keys.
        exchange: Reaches the other processes; None where there is one.
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

    def whole(self, name: str = "z") -> Tensor:
        """Rows of the whole batch, the same in every process: ``z``, one of ``more``, or one of ``targets``.

        Rows of ``z`` and ``more`` carry gradients back to their process. On one process it is the tensor itself. Every
        process must ask for the same names in the same order.

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

    def total(self, counts: Tensor) -> Tensor:
        """The sum of ``counts`` (int64, any shape) over all processes: by this a mean over rows must be divided."""
        return counts if self.exchange is None else self.exchange.total(counts)

    def of_all(self, loss: Tensor) -> Tensor:
        """This process's share of a loss that was computed from `whole` rows, the same in every process."""
        return loss if self.exchange is None else loss / self.exchange.size
