"""Refresh between two epochs: embeds training rows, from which the method computes columns, edges and state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ssl_domains.engine.loop.feature_file import mapped, shared_file, write_rows
from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.processes.precision import Precision
from ssl_domains.engine.step.encoding import pooled
from ssl_domains.engine.step.length_order import encode_features
from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import Method, Refreshed
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
        folder: The run folder, where the features lie meanwhile; None takes a temporary folder.
    """

    method: Method
    dataset: Dataset[Any]
    table: SampleTable
    device: torch.device
    precision: Precision
    world: World
    folder: Path | None = None

    def __call__(self, before: Computed | None, optimiser: torch.optim.Optimizer | None = None) -> Computed:
        """Compute new columns and edges, and set the method's state.

        Args:
            before: Result of the last refresh; None at the first one.
            optimiser: Optimiser, whose state (momentum) of parameters that are set is deleted.

        Returns:
            The new columns and edges; those that the method left out are taken from ``before``.

        Raises:
            UsageError: When the method computes a name that it didn't declare, its first refresh leaves out a declared
                one, its choice of rows is impossible, or a process doesn't see the run folder.
            DataError: When the features are not finite, or a column has another length than the embedded rows.
            ResourceError: When the disk is full.
        """
        assert self.method.refresh is not None
        refresh = self.method.refresh
        known = Computed.nothing(len(self.table), refresh.columns, refresh.edges) if before is None else before
        rows = self.world.from_first(self._rows)
        count = len(self.table) if rows is None else len(rows)
        with exhaustion_as_resource_error(), shared_file(self.folder, self.world) as path:
            share = -(-count // self.world.size)
            start, stop = min(self.world.rank * share, count), min((self.world.rank + 1) * share, count)
            # Unless BatchNorm is synchronised, its running statistics differ between processes; all take the first's.
            self.world.like_first(self.method.buffers())
            with self.world.together():
                local = torch.arange(start, stop) if rows is None else torch.from_numpy(rows[start:stop])
                width = write_rows(path, start, self._features(local))

            def compute() -> tuple[Computed, dict[str, Tensor]]:
                table = self.table if rows is None else self.table.take(rows)
                answer = refresh.compute(mapped(path, count, width), table)
                self._require_declared(answer, first=known.version == 0)
                columns = {name: self._whole(name, values, rows) for name, values in answer.columns.items()}
                return known.rewritten(columns, answer.edges), {k: v.cpu() for k, v in answer.state.items()}

            computed, state = self.world.from_first(compute)
        self._set(state, optimiser)
        return computed

    def _rows(self) -> NDArray[np.int64] | None:
        """The positions that are embedded; None for all."""
        assert self.method.refresh is not None
        if self.method.refresh.rows is None:
            return None
        rows = np.asarray(self.method.refresh.rows(self.table))
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.reshape(-1).astype(np.int64)
        size = len(self.table)
        if not len(rows) or rows.min() < 0 or rows.max() >= size or len(np.unique(rows)) < len(rows):
            raise UsageError(
                "the refresh chooses no rows, a row twice, or rows that are not in the table",
                f"`rows` gives different positions from 0 to {size - 1}",
            )
        return rows

    def _features(self, rows: Tensor) -> Iterator[Tensor]:
        """Features of rows, without augmentation and in evaluation mode: float32 ``[m, F]`` on the CPU."""
        assert self.method.refresh is not None
        options: dict[str, Any] = {"device": self.device, "rows": rows, "precision": self.precision}
        if self.method.refresh.reads == "z":
            parts = encode_features(self.method, self.dataset, _embedded, **options)
        else:
            parts = encode_features(self.method.encoder, self.dataset, pooled, **options)
        for _, part in parts:
            features = part.cpu()
            if not torch.isfinite(features).all():
                raise DataError("the encoder's features are not finite", "lower train.lr or set train.clip_norm")
            yield features

    def _require_declared(self, answer: Refreshed, first: bool) -> None:
        refresh = self.method.refresh
        assert refresh is not None
        absent = sorted({*refresh.columns, *refresh.edges} - {*answer.columns, *answer.edges})
        if first and absent:
            raise UsageError(f"the first refresh left out {', '.join(absent)}", "compute all that Refresh declares")
        undeclared = sorted(set(answer.state) - set(refresh.state))
        if undeclared:
            raise UsageError(f"the refresh sets {undeclared[0]!r}, which it didn't declare", "name it in `state`")

    def _whole(self, name: str, values: Any, rows: NDArray[np.int64] | None) -> Any:
        """A column of some rows as a column of the whole table, missing in the other rows."""
        if rows is None:
            return values
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        if array.shape != rows.shape:
            raise DataError(
                f"the computed column {name!r} has {len(array)} values for {len(rows)} chosen rows",
                "compute one value for each chosen row, in their order",
            )
        whole = np.full(len(self.table), np.nan) if array.dtype.kind == "f" else np.full(len(self.table), -1)
        whole[rows] = array
        return whole

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


def _embedded(method: Method, rows: Input) -> Tensor:
    """The embeddings ``z`` of a batch that is its own only view, float32 ``[B, d]``."""
    rows = replace(rows, valid=rows.with_valid()) if method.needs.validity else rows
    out = method.embed(Views((View(rows),)))
    if len(out.z) != len(rows) or (out.of is not None and not torch.equal(out.of.cpu(), torch.arange(len(rows)))):
        raise UsageError(
            f"embed gives {len(out.z)} rows for one view of {len(rows)} samples",
            "a refresh reads z of one row a sample",
        )
    return out.z.float()
