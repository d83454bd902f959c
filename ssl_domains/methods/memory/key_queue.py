"""A queue of older keys with all that a rule reads of their rows, in buffers, so that checkpoints hold it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ssl_domains.pairs import Rows

__all__ = ["KeyQueue"]


class KeyQueue(nn.Module):
    """The last ``length`` keys; new keys take the places of the oldest ones.

    Places that no key has filled yet have sample −1, so that no anchor uses them.

    Args:
        length: Number of keys.
        width: Width of a key.
        emitted: Names of the emitted numbers that are kept with each key.
    """

    keys: Tensor
    sample: Tensor
    part: Tensor
    next: Tensor

    def __init__(self, length: int, width: int, emitted: Sequence[str] = ()) -> None:
        super().__init__()
        self.emitted = tuple(emitted)
        self.register_buffer("keys", torch.zeros(length, width))
        self.register_buffer("sample", torch.full((length,), -1))
        self.register_buffer("part", torch.zeros(length, dtype=torch.int64))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))
        for number, _ in enumerate(self.emitted):
            self.register_buffer(f"emitted_{number}", torch.full((length,), torch.nan, dtype=torch.float64))

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def rows(self) -> Rows:
        """The stored rows, in the order of ``keys``, on the CPU."""
        numbers = {name: self.get_buffer(f"emitted_{number}").cpu() for number, name in enumerate(self.emitted)}
        return Rows.stored(self.sample.cpu(), part=self.part.cpu(), emitted=numbers)

    @torch.no_grad()
    def push(self, keys: Tensor, rows: Rows) -> None:
        """Store keys; of more keys than places, the last ones.

        Args:
            keys: ``[n, width]``.
            rows: Their rows. An emitted number that they lack is stored as NaN.
        """
        kept = slice(max(0, len(keys) - len(self)), None)
        keys, rows = keys[kept], rows.take(kept).to(self.sample.device)
        places = (self.next + torch.arange(len(keys), device=self.sample.device)) % len(self)
        self.keys[places] = keys.to(self.keys.dtype)
        self.sample[places] = rows.sample
        self.part[places] = rows.part
        for number, name in enumerate(self.emitted):
            nothing = torch.full((len(keys),), torch.nan, dtype=torch.float64, device=places.device)
            self.get_buffer(f"emitted_{number}")[places] = rows.emitted.get(name, nothing)
        self.next.copy_((self.next + len(keys)) % len(self))
