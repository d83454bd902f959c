"""Whether the samples of a 4-byte float format are IBM or IEEE numbers, whatever the format code says.

IBM numbers are usually normalised: the first hexadecimal digit of the fraction is not zero. In IEEE numbers read as IBM
it is zero for about one word in sixteen. Some programs write unnormalised IBM numbers, so the digit alone decides
nothing: the wrong reading distorts amplitudes, so neighbouring samples of a trace correlate less by it than by the
right one.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.segy.ibm import decode_ibm
from ssl_domains_seismic.segy.layout import Layout
from ssl_domains_seismic.segy.sample_format import IBM, IEEE

__all__ = ["NumberType", "number_type", "sampled_words"]

_TRACES = 64
_ZERO_DIGITS = 0.01


@dataclass(frozen=True)
class NumberType:
    """Signs of the type of float samples.

    Attributes:
        zero_digits: Share of the non-zero words whose fraction begins with a zero digit.
        ibm: Median correlation of neighbouring samples of a trace, read as IBM numbers.
        ieee: The same, read as IEEE numbers.
        code: Format code of the header.
    """

    zero_digits: float
    ibm: float
    ieee: float
    code: int

    @property
    def contradicts(self) -> bool:
        """Whether the code says IBM, and the samples fit IEEE better. The code for IEEE is never contradicted."""
        return self.code == IBM and self.zero_digits > _ZERO_DIGITS and abs(self.ieee) > abs(self.ibm)

    @property
    def words(self) -> str:
        """The signs in words."""
        return (
            f"neighbouring samples correlate by {self.ieee:.3f} as IEEE, {self.ibm:.3f} as IBM; "
            f"{100 * self.zero_digits:.2g} % of the words have a zero digit"
        )


def number_type(layout: Layout) -> NumberType | None:
    """Look at some traces of a file of code 1 or 5; None for other codes, or without a non-zero sample.

    Raises:
        ReadError: When the file can't be read.
    """
    if layout.format.code not in (IBM, IEEE):
        return None
    words = sampled_words(layout, _TRACES).astype(np.uint32)
    used = words[words != 0]
    if not len(used):
        return None
    zero_digits = float(np.mean((used & np.uint32(0x00F00000)) == 0))
    correlations = _correlation(decode_ibm(words)), _correlation(words.view(np.float32))
    return NumberType(zero_digits, *correlations, layout.format.code)


def sampled_words(layout: Layout, count: int) -> NDArray[np.generic]:
    """The samples of some traces at equal distances, in the type of the file and the byte order of the machine.

    Returns:
        ``[traces, samples]``.

    Raises:
        ReadError: When the file can't be read.
    """
    chosen = np.unique(np.linspace(0, layout.traces - 1, num=count, dtype=np.int64))
    stored = layout.words if layout.format.code not in (IBM, IEEE) else np.dtype(layout.header.order + "u4")
    try:
        with open(layout.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            made = [
                np.ndarray(
                    (layout.samples,), stored, mapped, layout.first + number * layout.trace_bytes + layout.head
                ).astype(stored.newbyteorder("="))
                for number in chosen.tolist()
            ]
    except (OSError, ValueError, TypeError) as error:
        raise ReadError(f"the samples can't be read: {error}") from error
    return np.stack(made)


def _correlation(traces: NDArray[np.float32]) -> float:
    """Median over traces of the correlation of each sample with the next; 0 where no trace varies."""
    with np.errstate(all="ignore"):
        values = traces.astype(np.float64)
        values[~np.isfinite(values).all(axis=1)] = 0
        first, second = values[:, :-1], values[:, 1:]
        first = first - first.mean(axis=1, keepdims=True)
        second = second - second.mean(axis=1, keepdims=True)
        spread = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
        all_of = (first * second).sum(axis=1) / spread
    usable = all_of[np.isfinite(all_of)]
    return float(np.median(usable)) if len(usable) else 0.0
