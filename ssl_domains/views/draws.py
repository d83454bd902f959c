"""Counter-based random numbers: a pure function of (seed, step, slot, view, operation).

There is no generator state to save or to send to workers. A slot gets the same numbers on every device, and however
the batch is divided among processes or micro-batches. The mixing function is SplitMix64's finaliser (Steele, Lea &
Flood 2014, *Fast splittable pseudorandom number generators*); torch has no unsigned 64-bit arithmetic, so int64
overflow is used, and the sign bits that a right shift copies are masked out.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Draws", "fold", "normals", "operation_code", "row_keys", "spread"]

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_WORD = (1 << 64) - 1


def _signed(word: int) -> int:
    word &= _WORD
    return word - (1 << 64) if word >> 63 else word


def _mix(word: int) -> int:
    word &= _WORD
    word = ((word ^ (word >> 30)) * _FIRST) & _WORD
    word = ((word ^ (word >> 27)) * _SECOND) & _WORD
    return word ^ (word >> 31)


def _mix_tensor(words: Tensor) -> Tensor:
    """`_mix` on int64, in place: the argument is overwritten."""
    words ^= (words >> 30).bitwise_and_((1 << 34) - 1)
    words *= _signed(_FIRST)
    words ^= (words >> 27).bitwise_and_((1 << 37) - 1)
    words *= _signed(_SECOND)
    words ^= (words >> 31).bitwise_and_((1 << 33) - 1)
    return words


def _mix_array(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`_mix` on uint64, in place."""
    words ^= words >> np.uint64(30)
    words *= np.uint64(_FIRST)
    words ^= words >> np.uint64(27)
    words *= np.uint64(_SECOND)
    words ^= words >> np.uint64(31)
    return words


def fold(*words: int) -> int:
    """Hash integers, in order, to one signed 64-bit word."""
    state = 0
    for word in words:
        state = _mix((state ^ _mix(word)) + _GOLDEN)
    return _signed(state)


@functools.lru_cache(maxsize=256)
def operation_code(name: str) -> int:
    """Hash of an operation's name as int64: other operations keep their draws when one step leaves the recipe."""
    return _signed(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))


class Draws:
    """The random numbers of one operation on a batch.

    Args:
        seed: Seed of the run.
        step: Global training step.
        slots: int64 ``[B]``, places in the *global* batch, on any device.
        view: Number of the view.
        operation: Name or number of the operation.
    """

    def __init__(self, seed: int, step: int, slots: Tensor, view: int, operation: str | int) -> None:
        code = operation_code(operation) if isinstance(operation, str) else operation
        keys = _mix_tensor(slots.to(torch.int64) * _signed(_GOLDEN) + fold(seed, step, view, code))
        self._keys = keys
        self._used = 0

    def __len__(self) -> int:
        return int(self._keys.shape[0])

    def of_slot(self, place: int) -> Draws:
        """The random numbers of one slot, by its place among the slots; they are those that it has in the batch."""
        one = object.__new__(Draws)
        one._keys, one._used = self._keys[place : place + 1], self._used
        return one

    def _words(self, n: int) -> Tensor:
        if self._keys.device.type == "cpu":
            # The same in NumPy, which has less overhead for the few numbers of a step.
            steps = np.arange(self._used + 1, self._used + n + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
            self._used += n
            return torch.from_numpy(_mix_array(self._keys.numpy().view(np.uint64)[:, None] + steps).view(np.int64))
        counters = torch.arange(self._used + 1, self._used + n + 1, device=self._keys.device) * _signed(_GOLDEN)
        self._used += n
        return _mix_tensor(self._keys[:, None] + counters[None, :])

    def uniform(self, n: int = 1) -> Tensor:
        """The next ``n`` numbers of each slot, float64 ``[B, n]`` in [0, 1), 53 bits each."""
        return ((self._words(n) >> 11) & ((1 << 53) - 1)).to(torch.float64) * 2.0**-53

    def between(self, low: float, high: float) -> Tensor:
        """The next number of each slot, float64 ``[B]``, uniform in [low, high)."""
        return low + (high - low) * self.uniform()[:, 0]

    def happens(self, probability: float) -> Tensor:
        """bool ``[B]``, true with the given probability."""
        return self.uniform()[:, 0] < probability

    def keys(self) -> Tensor:
        """The next random integer of each slot, int64 ``[B]``: a key for `normals`, or a seed for another generator."""
        return self._words(1)[:, 0]

    def normal_like(self, images: Tensor) -> Tensor:
        """Standard normal noise in the shape of ``images`` ``[B, ...]``, float32, on the device of ``images``."""
        return normals(self.keys().to(images.device), images.shape[1:])


@functools.lru_cache(maxsize=8)
def _quantiles(device: torch.device) -> Tensor:
    """65,536 equally likely quantiles of the standard normal; a look-up gives the same bits on every device."""
    middle = (torch.arange(1 << 16, dtype=torch.float64) + 0.5) / (1 << 16)
    quantiles: Tensor = torch.special.ndtri(middle)
    return quantiles.to(torch.float32).to(device)


def row_keys(seed: int, step: int, slots: Tensor, view: int) -> Tensor:
    """The random integers from which a method draws, int64 ``[B]``, one for each row of a view; see `View.keys`."""
    return Draws(seed, step, slots, view, "method").keys()


def normals(keys: Tensor, shape: tuple[int, ...] | torch.Size) -> Tensor:
    """Standard normal numbers, float32 ``[B, *shape]``, from int64 keys ``[B]``.

    Each number uses 16 random bits, so that one 64-bit hash gives four. No number lies outside ±4.3, which is enough
    for noise on a picture.
    """
    count = 1
    for side in shape:
        count *= side
    words = -(-count // 4)
    counters = torch.arange(1, words + 1, device=keys.device) * _signed(_GOLDEN)
    hashed = _mix_tensor(keys[:, None] + counters[None, :])
    # All machines that torch supports are little-endian: the first of a word's four shorts is its lowest 16 bits.
    shorts = hashed.view(torch.int16)[:, :count].to(torch.int32)
    index = shorts.bitwise_and_(0xFFFF).reshape(-1)
    noise: Tensor = _quantiles(keys.device).index_select(0, index).reshape(len(keys), *shape)
    return noise


def spread(keys: Tensor, sides: tuple[int, ...] | torch.Size) -> Tensor:
    """A key for each place of some sides, int64 ``[B, *sides]``, from int64 keys ``[B]``.

    The key of a place depends on the numbers of the place alone, not on the lengths of the sides.
    """
    for side in sides:
        counters = torch.arange(1, side + 1, device=keys.device) * _signed(_GOLDEN)
        keys = _mix_tensor(keys[..., None] + counters)
    return keys
