"""Signs that the traces were not stacked: shots × channels, and several offsets in one place."""

from __future__ import annotations

import numpy as np

from ssl_domains_seismic.geometry.line_axis import distinct
from ssl_domains_seismic.geometry.pair_score import MOST_DUPLICATES, PairScore, pair_score
from ssl_domains_seismic.segy.trace_words import TraceWords

__all__ = ["map_gathers", "offset_gathers", "shot_gathers"]

_OFFSET = 37
_RECORDS = (9, 17)
_CHANNELS = (13, 25)
_PLACES = (21, 181, 185)  # number of the CDP, x and y of the CDP


def shot_gathers(words: TraceWords) -> str | None:
    """The sentence for shots × channels: word 13 or 25 counts anew in each record, and offsets differ; else None."""
    if not words.varies(_OFFSET):
        return None
    for channel in _CHANNELS:
        for record in _RECORDS:
            if not (words.varies(channel) and words.varies(record)):
                continue
            score = pair_score((record, channel), words[record], words[channel])
            if score.failure is None and score.duplicate_share <= MOST_DUPLICATES:
                assert score.inline is not None
                assert score.crossline is not None
                return (
                    f"gathers before stack: word {record} counts {score.inline.count:,} records and word {channel} "
                    f"{score.crossline.count:,} channels in each, with offsets {_offsets(words)}"
                )
    return None


def offset_gathers(words: TraceWords, score: PairScore) -> str | None:
    """The sentence for a grid with several offsets in a cell; None when its duplicates are not that."""
    if score.duplicate_share <= MOST_DUPLICATES or not score.filled or not words.varies(_OFFSET):
        return None
    if score.filled == 1 and _is_line(words):
        return None
    fold = (score.filled + score.duplicates) / score.filled
    a, b = (words[byte] for byte in score.words)
    triples = np.unique(np.stack([a, b, words[_OFFSET]], axis=1), axis=0)
    if len(triples) < (1 - MOST_DUPLICATES) * score.traces:
        return None
    return f"gathers before stack: about {fold:.3g} traces in each cell, with offsets {_offsets(words)}"


def _is_line(words: TraceWords) -> bool:
    """Whether traces have places of their own, by CDP number or coordinates, and no channels are counted."""
    return any(words.varies(byte) for byte in _PLACES) and not any(words.varies(byte) for byte in _CHANNELS)


def map_gathers(words: TraceWords, pair: tuple[int, int]) -> str | None:
    """The sentence for several offsets at each place of the map, in a file without line numbers; else None.

    Args:
        words: Header words of all traces.
        pair: The words of x and y.
    """
    if not words.varies(_OFFSET) or 2 * len(distinct(words[_OFFSET])[0]) > words.traces:
        return None  # an offset that is another in most traces counts them, as in some stacked data
    columns = np.stack([*(words[byte] for byte in pair), words[_OFFSET]], axis=1)
    places = len(np.unique(columns[:, :2], axis=0))
    if places > (1 - MOST_DUPLICATES) * words.traces:
        return None
    if len(np.unique(columns, axis=0)) < (1 - MOST_DUPLICATES) * words.traces:
        return None
    fold = words.traces / places
    return f"gathers before stack: about {fold:.3g} traces at each place of the map, with offsets {_offsets(words)}"


def _offsets(words: TraceWords) -> str:
    numbers, _ = distinct(words[_OFFSET])
    if len(numbers) <= 5:
        return ", ".join(str(number) for number in numbers.tolist())
    return f"from {numbers[0]:,} to {numbers[-1]:,}"
