"""Number of frames that an encoder gives for an input of some length, known before anything is encoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, map_shape
from ssl_domains.errors import UsageError

__all__ = ["frame_counts", "require_frames"]

_LONG = 4096


def require_frames(encoder: Encoder) -> None:
    """Refuse an encoder whose features are no sequence of frames.

    Raises:
        UsageError: When its map has not one side, time or width.
    """
    shape = map_shape(encoder)
    if len(shape) != 2:
        sides = len(shape) - 1
        cause = f"the encoder {encoder.name!r} gives a map of {sides} sides, and transcripts need a sequence of frames"
        raise UsageError(cause, "take small_crnn or bilstm:resnet18 for lines, conv1d for waveforms")


def frame_counts(encoder: Encoder, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Frames that the encoder gives for inputs of these lengths, int64 ``[n]``.

    An encoder may say it itself, by a method ``frames(length)``. Otherwise the stride is found on zeros, and a length
    ``n`` gives ``ceil(n / stride)`` frames, as layers that are padded by half their kernel do. Where this doesn't hold,
    every length is tried.

    Args:
        encoder: An encoder of sequences, see `require_frames`.
        lengths: Length of each input along its ragged side, or its last side, in places, int64 ``[n]``.
    """
    own: Any = getattr(encoder, "frames", None)
    if own is not None:
        known = {length: int(own(length)) for length in np.unique(lengths).tolist()}
        return np.array([known[length] for length in lengths.tolist()], dtype=np.int64)
    takes = encoder.takes
    if not takes.ragged:
        return np.full(len(lengths), map_shape(encoder)[-1], dtype=np.int64)
    stride = _LONG // max(1, _frames_of(encoder, _LONG))
    if all(_frames_of(encoder, n) == -(-n // stride) for n in (_LONG + 1, 8 * stride - 1, stride + 1)):
        return np.asarray(-(-lengths // stride), dtype=np.int64)
    known = {length: _frames_of(encoder, length) for length in np.unique(lengths).tolist()}
    return np.array([known[length] for length in lengths.tolist()], dtype=np.int64)


def _frames_of(encoder: Encoder, length: int) -> int:
    space = tuple(length if side is None else side for side in encoder.takes.space)
    return map_shape(encoder, space)[-1]
