"""Signs that the traces were not stacked: shots × channels, and several offsets in one place."""

from __future__ import annotations

import numpy as np

from ssl_domains_seismic.geometry.line_axis import distinct
from ssl_domains_seismic.geometry.pair_score import MOST_DUPLICATES, PairScore, pair_score
from ssl_domains_seismic.segy.trace_words import TraceWords

__all__ = ["offset_gathers", "shot_gathers"]

_OFFSET = 37
_RECORDS = (9, 17)
_CHANNELS = (13, 25)


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
    fold = (score.filled + score.duplicates) / score.filled
    a, b = (words[byte] for byte in score.words)
    triples = np.unique(np.stack([a, b, words[_OFFSET]], axis=1), axis=0)
    if len(triples) < (1 - MOST_DUPLICATES) * score.traces:
        return None
    return f"gathers before stack: about {fold:.3g} traces in each cell, with offsets {_offsets(words)}"


def _offsets(words: TraceWords) -> str:
    numbers, _ = distinct(words[_OFFSET])
    if len(numbers) <= 5:
        return ", ".join(str(number) for number in numbers.tolist())
    return f"from {numbers[0]:,} to {numbers[-1]:,}"
