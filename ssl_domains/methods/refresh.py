"""Refresh: columns, edges and state that a method computes between epochs, such as clusters or mined neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable

__all__ = ["Refresh", "Refreshed"]


@dataclass(frozen=True, eq=False)
class Refreshed:
    """The result of a refresh, by the names that the `Refresh` declares.

    Attributes:
        columns: Codes (negative: missing) or numbers (NaN: missing) ``[n]``, in the order of the training table.
        edges: Edge tables for ``linked``, see `ssl_domains.pairs.edges_between`.
        state: New values of parameters or buffers of the method, by their names in its ``state_dict``: centroids,
            or a new initial head. The optimiser's state (momentum) of such a parameter is deleted.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    edges: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Refresh:
    """Declares columns or edge tables that a method computes, for rules such as ``same("cluster")``.

    Before the first epoch, and then at the start of every ``every``-th, the engine embeds all training
    rows, without augmentation and in evaluation mode, and calls ``compute``. Batches and loss use its result until the
    next refresh.

    Attributes:
        compute: Function from the encoder's pooled features, float32 ``[n, F]`` on the CPU, and the training table to
            the new columns, edges and state. It is called in one process only and the result is sent to all, so it
            must not change the method.
        columns: Names of the columns that it computes; the table must not have columns of these names.
        edges: Names of the edge tables that it computes.
        every: Number of epochs from one refresh to the next.
        state: Names of the method's parameters or buffers that it sets.

    Raises:
        UsageError: When ``every`` is not positive or nothing is computed.
    """

    compute: Callable[[Tensor, SampleTable], Refreshed]
    columns: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    every: int = 1
    state: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"a refresh every {self.every} epochs", "1 is the most often")
        if not self.columns and not self.edges and not self.state:
            raise UsageError("a refresh that computes nothing", "name its columns, edges or state")
