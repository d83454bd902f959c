"""What a method computes from the training rows between two epochs: clusters, mined neighbours, centroids."""

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
    """The result of a refresh, by declared name.

    Attributes:
        columns: Codes (negative: missing) or numbers (NaN: missing) ``[n]``, in the order of the training table.
        edges: Edge tables for ``linked``, see `ssl_domains.pairs.edges_between`.
        state: New values of parameters or buffers of the method, by their names in its ``state_dict``: centroids, a
            head that starts anew. What the optimiser remembers of such a parameter is forgotten.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    edges: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Refresh:
    """A computed column or edge table that a rule may read: ``same("cluster")``, ``linked("mined")``.

    The engine embeds every training row without augmentation, in evaluation mode, before the first epoch and then at
    the start of every ``every``-th; batches and loss follow what ``compute`` answers from there on.

    Attributes:
        compute: From the encoder's pooled features, float32 ``[n, F]`` on the CPU, and the training table to the new
            columns, edges and state. Called in one process only, whose answer all take: it must not change the method.
        columns: Names of the columns it computes; the table must not have them.
        edges: Names of the edge tables it computes.
        every: Epochs between two refreshes.
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
