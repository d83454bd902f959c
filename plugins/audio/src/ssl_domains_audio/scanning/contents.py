"""The second pass: loudness, silence, clipping, opposite channels and equal contents, by reading every sample."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray, Problems, ReadError, each_file
from ssl_domains_audio.files import full_scale
from ssl_domains_audio.files.arrays import readable
from ssl_domains_audio.files.messages import decoder_messages
from ssl_domains_audio.scanning.clips import Clip
from ssl_domains_audio.scanning.sounds import Sound

__all__ = ["FLOOR_DB", "HOURS", "Contents", "Measured", "measure_clips", "measured", "usable"]

HOURS = 20.0
"""Hours of sound below which the contents are measured without being asked for."""

FLOOR_DB = -120.0
"""Level of silence, and the largest loss: there is no number below it."""

_CLIPPED_RUN, _CLIPPED_SHARE = 3, 1e-3
_NOT_FINITE = "not finite"
_LOSS_DB = 10.0
_HARMLESS = "Xing stream size off"  # the size that an mp3 file states; its samples are whole
_BLOCK = 1 << 22


class Measured(NamedTuple):
    """What the samples of one clip are.

    Attributes:
        level_db: RMS of the mono signal, dB of full scale; `FLOOR_DB` for silence.
        peak: Largest absolute value of any channel, 1 at full scale.
        mono_loss_db: Level that the mean over channels loses against the loudest channel, dB; 0 for one channel.
        channel: Channel to take in the place of the mean, or −1 for the mean.
        cause: What is wrong with it, as a sentence; empty for a usual recording.
        digest: Equal for equal samples, in whatever container; empty for one constant value.
    """

    level_db: float
    peak: float
    mono_loss_db: float
    channel: int
    cause: str
    digest: str


@dataclass
class Contents:
    """What the second pass found.

    Attributes:
        of: One for each clip; None where its file can't be decoded.
    """

    of: list[Measured | None] = field(default_factory=list)


def measure_clips(sounds: Sequence[Sound], clips: Sequence[Clip], problems: Problems) -> Contents:
    """Measure every clip; within a scan of the command line, a killed pass goes on where it was.

    Args:
        sounds: The recordings.
        clips: Their clips, those of one recording behind each other.
        problems: Takes what is wrong with a recording or a clip.
    """
    parts: dict[Path, list[tuple[int, int]]] = {}
    rows: dict[Path, list[int]] = {}
    for row, clip in enumerate(clips):
        path = sounds[clip.sound].path
        parts.setdefault(path, []).append((clip.start, clip.stop))
        rows.setdefault(path, []).append(row)
    version = hashlib.blake2b(repr(list(parts.values())).encode(), digest_size=8).hexdigest()
    found = Contents([None] * len(clips))

    def read(path: Path) -> list[Any]:
        return [list(measured(lazy, *part)) for lazy in [readable(path)] for part in parts[path]]

    for path, values in each_file(list(parts), read, problems, "contents", version):
        causes = []
        for row, value in zip(rows[path], values, strict=True):
            one = Measured(*value)
            found.of[row] = one
            causes += [one.cause] if one.cause else []
        for cause, count in Counter(causes).items():
            problems.add(path, cause if len(values) == 1 else f"{count:,} of its {len(values):,} cuts: {cause}")
    return found


def usable(contents: Contents) -> list[int]:
    """Positions of the clips that can be decoded and hold finite numbers only; the others are among the problems."""
    return [row for row, one in enumerate(contents.of) if one is not None and not one.cause.startswith(_NOT_FINITE)]


def measured(lazy: LazyArray, start: int, stop: int) -> Measured:
    """Measure the samples ``start … stop`` of a recording, in blocks, so that its length doesn't matter.

    Raises:
        ReadError: When they can't be decoded.
    """
    channels = lazy.shape[1]
    digest = hashlib.blake2b(f"{stop - start} {channels} ".encode(), digest_size=8)
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    power, mono = np.zeros(channels), 0.0
    clipped = 0
    with decoder_messages() if getattr(lazy, "messages", False) else nullcontext(list[str]()) as said:
        for first in range(start, stop, _BLOCK):
            try:
                block = lazy.read((slice(first, min(first + _BLOCK, stop)), slice(0, channels)))[0]
            except DataError as error:
                raise ReadError(error.message) from error
            values = full_scale(block)
            digest.update(np.ascontiguousarray(values).data)
            low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
            power += np.einsum("tc,tc->c", values, values, dtype=np.float64)
            if channels > 1:
                mean = values.mean(axis=1)
                mono += float(np.einsum("t,t->", mean, mean, dtype=np.float64))
            if max(high.max(), -low.min()) >= _top(block.dtype):
                clipped += _clipped(values, _top(block.dtype))
    if not (np.isfinite(low).all() and np.isfinite(high).all() and np.isfinite(power).all()):
        cause = f"{_NOT_FINITE}: some samples are NaN or infinite"
        return Measured(FLOOR_DB, 0.0, 0.0, -1, cause, "")
    made = _verdict(low, high, power / (stop - start), mono / (stop - start), clipped / (stop - start), digest)
    # Behind a jump into the middle, mpg123 also complains of whole files.
    return made if made.cause or start else made._replace(cause=_damage(said))


def _verdict(
    low: NDArray[np.float64], high: NDArray[np.float64], power: NDArray[np.float64], mono: float, clipped: float,
    digest: Any,
) -> Measured:  # fmt: skip
    loudest, peak = int(power.argmax()), float(max(high.max(), -low.min()))
    loss = 0.0 if len(power) == 1 else max(_db(power[loudest]) - _db(mono), 0.0)
    channel, level, cause = -1, _db(power[0] if len(power) == 1 else mono), ""
    empty = (low == high) & (low == 0)
    if peak == 0:
        cause = "silent: every sample is 0"
    elif (low == high).all():
        cause = f"constant: every sample is {low[0]:.4g}"
    elif loss > _LOSS_DB:
        lost = "nothing is left" if mono == 0 else f"{loss:.1f} dB are lost"
        channel, level = loudest, _db(power[loudest])
        cause = f"antiphase: the channels cancel ({lost} in their mean): channel {loudest} is taken"
    elif empty.any():
        channel, level = loudest, _db(power[loudest])
    if not cause and clipped > _CLIPPED_SHARE:
        cause = f"clipped: {100 * clipped:.2g} % of the samples stand at full scale"
    known = "" if (low == high).all() else digest.hexdigest()
    return Measured(round(level, 3), round(peak, 6), round(loss, 3), channel, cause, known)


def _damage(said: Sequence[str]) -> str:
    """A cause by the messages of a decoder; empty without any."""
    faults = [line for line in said if not line.startswith(_HARMLESS)]
    if not faults:
        return ""
    more = f" and {len(faults) - 1:,} more" if len(faults) > 1 else ""
    return f"damaged: parts of it can't be decoded ({faults[0]}{more})"


def _db(power: float) -> float:
    return max(10 * math.log10(power), FLOOR_DB) if power > 0 else FLOOR_DB


def _top(dtype: np.dtype[Any]) -> float:
    """The largest positive value of a type, where 1 is full scale; 1 for floats."""
    return 1.0 if dtype.kind == "f" else 1 - 2.0 ** (1 - 8 * dtype.itemsize) if dtype.itemsize < 4 else 1.0


def _clipped(values: NDArray[np.float32], top: float) -> int:
    """Number of samples in runs of at least `_CLIPPED_RUN` equal values at full scale, in the worst channel."""
    worst = 0
    for channel in values.T:
        at = np.abs(channel) >= top
        edges = np.flatnonzero(np.diff(np.concatenate(([False], at, [False])).astype(np.int8)))
        runs = edges[1::2] - edges[0::2]
        worst = max(worst, int(runs[runs >= _CLIPPED_RUN].sum()))
    return worst
