"""Rows, the things that a loss compares: views of samples, parts of views, stored embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """``M`` rows of a global batch, of a queue, or of a bank; int64 tensors ``[M]`` on one device.

    Attributes:
        sample: Position in the bound table; −1 for an unfilled slot.
        view: Number of the view, from 0; −1 for a stored row of a queue or bank.
        part: Instance within the view: a piece of a text line, a location of a map, a format, a side. Rules match rows
            of equal part, unless they match across parts.
        row: Unique id in the global batch. An anchor and a candidate with equal ids are the same row.
        emitted: Numbers that views emitted, float64 ``[M]`` by name, NaN where unknown.
    """

    sample: Tensor
    view: Tensor
    part: Tensor
    row: Tensor
    emitted: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.sample.shape
        for name, values in (("view", self.view), ("part", self.part), ("row", self.row)):
            if values.shape != shape:
                raise UsageError(f"Rows.{name} has another length than Rows.sample", "every tensor is [M]")
        for name, values in self.emitted.items():
            if values.shape != shape:
                raise UsageError(f"the emitted number {name!r} has another length than the rows", "every tensor is [M]")

    @classmethod
    def of(
        cls,
        samples: Tensor | Sequence[int] | Any,
        views: int = 2,
        *,
        part: Tensor | Sequence[int] | int = 0,
        emitted: Mapping[str, Any] | None = None,
        first_row: int = 0,
    ) -> Rows:
        """The rows of ``views`` views of each sample, view-major, as ``torch.cat([z1, z2])``.

        Args:
            samples: Positions ``[n]`` in the bound table; a sample may appear twice.
            views: Views of each.
            part: One part for all, or one a sample ``[n]``.
            emitted: Numbers by name, ``[views · n]``.
            first_row: Id of the first row, when one batch is made of several groups of rows.

        Returns:
            ``views · n`` rows on the samples' device.
        """
        sample = torch.as_tensor(samples, dtype=torch.int64)
        n, device = sample.shape[0], sample.device
        if isinstance(part, int):
            parts = torch.from_numpy(np.full(views * n, part, dtype=np.int64)).to(device)
        else:
            parts = torch.as_tensor(part, dtype=torch.int64, device=device).expand(views, n).reshape(-1)
        return cls(
            sample=sample.expand(views, n).reshape(-1),
            view=torch.from_numpy(np.arange(views, dtype=np.int64).repeat(n)).to(device),
            part=parts,
            row=torch.from_numpy(np.arange(first_row, first_row + views * n, dtype=np.int64)).to(device),
            emitted=_float64(emitted, device) if emitted else {},
        )

    @classmethod
    def stored(
        cls,
        samples: Tensor | Sequence[int] | Any,
        *,
        part: Tensor | Sequence[int] | int = 0,
        emitted: Mapping[str, Any] | None = None,
    ) -> Rows:
        """Rows of a queue or bank.

        Args:
            samples: Positions ``[n]`` in the bound table; −1 for an unfilled slot.
            part: One part for all, or one a row ``[n]``.
            emitted: Numbers by name, ``[n]``.

        Returns:
            Rows with negative ids, which no row of a batch has.
        """
        sample = torch.as_tensor(samples, dtype=torch.int64)
        return cls(
            sample=sample,
            view=torch.full_like(sample, -1),
            part=torch.as_tensor(part, dtype=torch.int64, device=sample.device).expand(len(sample)),
            row=-1 - torch.arange(len(sample), device=sample.device),
            emitted=_float64(emitted, sample.device),
        )

    @classmethod
    def cat(cls, groups: Sequence[Rows]) -> Rows:
        """The rows of all groups in order. A number that only some groups have is NaN in the others.

        Row ids are kept, so groups that form one batch need different ``first_row``. The rows come to the device of the
        first group.
        """
        groups = [rows.to(groups[0].device) for rows in groups]
        names = sorted({name for rows in groups for name in rows.emitted})
        return cls(
            sample=torch.cat([rows.sample for rows in groups]),
            view=torch.cat([rows.view for rows in groups]),
            part=torch.cat([rows.part for rows in groups]),
            row=torch.cat([rows.row for rows in groups]),
            emitted={name: torch.cat([rows._emitted_or_nan(name) for rows in groups]) for name in names},
        )

    def __len__(self) -> int:
        return self.sample.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.sample.device

    def to(self, device: torch.device | str) -> Rows:
        """The rows on another device."""
        return self._map(lambda values: values.to(device))

    def take(self, idx: Tensor | slice) -> Rows:
        """The rows at ``idx``, with their ids."""
        return self._map(lambda values: values[idx])

    def _map(self, change: Any) -> Rows:
        emitted = {name: change(values) for name, values in self.emitted.items()}
        return Rows(change(self.sample), change(self.view), change(self.part), change(self.row), emitted)

    def _emitted_or_nan(self, name: str) -> Tensor:
        if name in self.emitted:
            return self.emitted[name]
        return torch.full(self.sample.shape, float("nan"), dtype=torch.float64, device=self.device)


def _float64(emitted: Mapping[str, Any] | None, device: torch.device) -> dict[str, Tensor]:
    return {
        name: torch.as_tensor(values, dtype=torch.float64, device=device) for name, values in (emitted or {}).items()
    }
