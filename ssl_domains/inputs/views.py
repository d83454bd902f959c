"""The views of a batch: several augmented copies of each sample, which may differ in size and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs.input import Input

__all__ = ["View", "ViewGroup", "Views"]


@dataclass(frozen=True, eq=False)
class View:
    """One view of ``b`` samples.

    Attributes:
        input: Input of the encoder.
        emitted: Numbers recorded with this view by name, float64 ``[b]`` on the CPU, such as the area of a crop.
        part: Default part of its rows; for instance, the waveform and the spectrogram of one clip have different parts.
        beside: Further inputs of the same samples after the same geometric steps: label maps, block masks.
        keys: int64 ``[b]`` on the CPU, a random integer of each row, from which a method draws; None unless
            `ViewPlan.draws`. A row has the same key however the batch is divided, and in both passes of gradient
            caching.
        flags: bool ``[b]`` on the device of the input, by name: rows whose number is measured in a training and warned
            of, such as ``"silent"`` ones.
    """

    input: Input
    emitted: Mapping[str, Tensor] = field(default_factory=dict)
    part: int = 0
    beside: tuple[Input, ...] = ()
    keys: Tensor | None = None
    flags: Mapping[str, Tensor] = field(default_factory=dict)

    def take(self, index: Tensor | slice) -> View:
        """The view of the samples at ``index``."""
        emitted = {name: values[index] for name, values in self.emitted.items()}
        beside = tuple(one.take(index) for one in self.beside)
        keys = None if self.keys is None else self.keys[index]
        flags = {name: values[index] for name, values in self.flags.items()}
        return replace(self, input=self.input.take(index), emitted=emitted, beside=beside, keys=keys, flags=flags)

    def pin_memory(self) -> View:
        """The view with its inputs in page-locked memory; called by a ``DataLoader``."""
        beside = tuple(one.pin_memory() for one in self.beside)
        return replace(self, input=self.input.pin_memory(), beside=beside)


@dataclass(frozen=True, eq=False)
class ViewGroup:
    """The views of one kind and size, joined in one input.

    Attributes:
        numbers: Numbers of the views.
        input: Their samples, view by view: ``[len(numbers) · b, C, *space]``.
    """

    numbers: tuple[int, ...]
    input: Input


@dataclass(frozen=True, eq=False)
class Views:
    """All views of ``b`` samples. Rows are view-major: row ``v · b + i`` is view ``v`` of sample ``i``.

    Attributes:
        each: The views; all of the same samples, in the same order.

    Raises:
        UsageError: Without a view, or with views of different numbers of samples.
    """

    each: tuple[View, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "each", tuple(self.each))
        if len({len(view.input) for view in self.each}) != 1:
            raise UsageError("views of different numbers of samples", "every view shows every sample of the batch")

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, number: int) -> Input:
        """The input of one view."""
        return self.each[number].input

    @property
    def samples(self) -> int:
        """Number of samples ``b``."""
        return len(self.each[0].input)

    @property
    def device(self) -> torch.device:
        """Device of the inputs."""
        return self.each[0].input.device

    @cached_property
    def together(self) -> Input:
        """All rows joined in one input; ragged sides are padded to the longest.

        Raises:
            UsageError: When the views differ in kind, channels or a fixed side; then use `by_shape`.
        """
        return Input.cat([view.input for view in self.each])

    @property
    def emitted(self) -> dict[str, Tensor]:
        """Emitted numbers of all rows, float64 ``[views · b]``; NaN in views that don't emit a name."""
        names = dict.fromkeys(name for view in self.each for name in view.emitted)
        nothing = torch.full((self.samples,), torch.nan, dtype=torch.float64)
        return {name: torch.cat([view.emitted.get(name, nothing) for view in self.each]) for name in names}

    @property
    def keys(self) -> Tensor:
        """A random integer of each row, int64 ``[views · b]`` on the CPU.

        Raises:
            UsageError: When the views have none.
        """
        keys = [view.keys for view in self.each if view.keys is not None]
        if len(keys) < len(self.each):
            raise UsageError("these views have no random keys", "declare needs = ViewPlan(draws=True)")
        return torch.cat(keys)

    @property
    def part(self) -> Tensor | None:
        """Default part of each row, int64 ``[views · b]`` on the CPU; None where all are 0."""
        if not any(view.part for view in self.each):
            return None
        return torch.tensor([view.part for view in self.each]).repeat_interleave(self.samples)

    def rows(self, numbers: Sequence[int]) -> Tensor:
        """The view-major rows of some views, int64 ``[len(numbers) · b]`` on the CPU; a value for ``Embeddings.of``."""
        starts = torch.as_tensor(numbers, dtype=torch.int64) * self.samples
        return (starts[:, None] + torch.arange(self.samples)).flatten()

    def by_shape(self) -> list[ViewGroup]:
        """Group the views by kind and size, so that an encoder is called once for each group.

        Example:
            >>> groups = views.by_shape()                                             # doctest: +SKIP
            >>> z = views.in_order(groups, [encoder(g.input.values) for g in groups])     # doctest: +SKIP
        """
        grouped: dict[tuple[object, ...], list[int]] = {}
        for number, view in enumerate(self.each):
            one = view.input
            fixed = tuple(side for place, side in enumerate(one.space) if place not in one.ragged)
            grouped.setdefault((one.kind, one.values.dtype, one.values.shape[1], one.ragged, fixed), []).append(number)
        return [ViewGroup(tuple(n), Input.cat([self[number] for number in n])) for n in grouped.values()]

    def in_order(self, groups: Sequence[ViewGroup], values: Sequence[Tensor]) -> Tensor:
        """Join the rows of all groups in view-major order.

        Args:
            groups: Result of `by_shape`.
            values: ``[len(numbers) · b, …]`` of each group, equal in their further sides.

        Returns:
            ``[views · b, …]``.
        """
        order = torch.cat([self.rows(group.numbers) for group in groups])
        return torch.cat(list(values))[torch.argsort(order)]
