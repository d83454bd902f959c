"""Refresh: columns, edges and state that a method computes between epochs, such as clusters or mined neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable

__all__ = ["Refresh", "Refreshed"]


@dataclass(frozen=True, eq=False)
class Refreshed:
    """The result of a refresh, by the names that the `Refresh` declares.

    Attributes:
        columns: Codes (negative: missing) or numbers (NaN: missing) ``[n]``, in the order of the embedded rows.
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

    Before the epoch ``start``, and then at the start of every ``every``-th, the engine embeds the training rows,
    without augmentation and in evaluation mode, and calls ``compute``. Batches and loss use its result until the next
    refresh. Before the first one, columns are missing and edge tables empty.

    The features lie in a file of the run folder, of which ``compute`` gets a memory map; read them in blocks of rows
    and keep none. The file is removed afterwards, and is never part of a checkpoint.

    Attributes:
        compute: Function from features, float32 ``[n, F]`` on the CPU, and the embedded rows of the training table to
            the new columns, edges and state. It is called in one process only and the result is sent to all, so it
            must not change the method.
        columns: Names of the columns that it computes; the table must not have columns of these names.
        edges: Names of the edge tables that it computes.
        every: Number of epochs from one refresh to the next; with ``pairs.epoch_steps = N``, epochs of N steps.
        state: Names of the method's parameters or buffers that it sets.
        reads: ``"pooled"``: features are the encoder's pooled features. ``"z"``: they are `Embeddings.z` of the plain
            sample as the only view; `Method.embed` must then give one row a sample.
        rows: Function from the training table to the positions that are embedded, or a boolean mask; None embeds all.
            ``compute`` then gets the features and the table of these rows, in their order. Columns that it gives for
            them are missing in all other rows; `edges_between` of the table that it gets joins rows of the training
            table, as edges name samples.
        start: Epoch before which the first refresh takes place.

    Raises:
        UsageError: When ``every`` is not positive, ``start`` is negative, ``reads`` is none of the two, or nothing is
            computed.
    """

    compute: Callable[[Tensor, SampleTable], Refreshed]
    columns: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    every: int = 1
    state: tuple[str, ...] = ()
    reads: Literal["pooled", "z"] = "pooled"
    rows: Callable[[SampleTable], Any] | None = None
    start: int = 0

    def due(self, epoch: int) -> bool:
        """Whether a refresh takes place before this epoch."""
        return epoch >= self.start and (epoch - self.start) % self.every == 0

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"a refresh every {self.every} epochs", "1 is the most often")
        if self.start < 0:
            raise UsageError(f"a refresh from epoch {self.start} on", "epochs count from 0")
        if self.reads not in ("pooled", "z"):
            raise UsageError(f"a refresh that reads {self.reads!r}", "it reads 'pooled' or 'z'")
        if not self.columns and not self.edges and not self.state:
            raise UsageError("a refresh that computes nothing", "name its columns, edges or state")
