"""What a scan says of the recordings that it found, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ssl_domains.quantities import plural
from ssl_domains_audio.rates import usual_rate
from ssl_domains_audio.scanning.contents import Contents
from ssl_domains_audio.scanning.sounds import SHORTEST_S, Sound

__all__ = ["channel_note", "contents_notes", "passed_note", "rate_note", "short_note"]

_SHOWN = 6


def rate_note(rates: Sequence[int]) -> str:
    """The rates of the samples with their counts, and the one to which the others are resampled; empty for none."""
    counts = Counter(rates)
    if not counts:
        return ""
    usual = usual_rate(rates)
    if len(counts) == 1:
        return f"all recordings have {usual:,} Hz"
    listed = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    shown = ", ".join(f"{rate:,} Hz ({count:,})" for rate, count in listed[:_SHOWN])
    more = f" and {len(listed) - _SHOWN:,} more" if len(listed) > _SHOWN else ""
    others = len(rates) - counts[usual]
    return (
        f"mixed rates: {shown}{more}; {plural(others, 'sample is', 'samples are')} resampled to {usual:,} Hz, "
        "the most common (of equally common ones the lowest)"
    )


def channel_note(sounds: Sequence[Sound], contents: Contents | None) -> str:
    """That recordings of several channels become mono, with what it costs; empty where all have one channel."""
    counts = Counter(sound.header.channels for sound in sounds if sound.header.channels > 1)
    if not counts:
        return ""
    shown = ", ".join(f"{plural(count, 'recording')} of {channels}" for channels, count in sorted(counts.items()))
    words = "stereo to mono" if list(counts) == [2] else "several channels to mono"
    text = f"{words}: {shown} channels; the mean of the channels is taken"
    if contents is None:
        return f"{text}; what it costs is not measured"
    rows = [one for one in contents.of if one is not None]
    losses = [one.mono_loss_db for one in rows if one.mono_loss_db > 0 and one.channel < 0]
    if losses:
        text += f", which loses {np.median(losses):.1f} dB (median), at most {max(losses):.1f} dB"
    taken = [one.mono_loss_db for one in rows if one.channel >= 0]
    if taken:
        text += (
            f"; in {plural(len(taken), 'sample')} the channels cancel or one is empty (the mean loses up to "
            f"{max(taken):.0f} dB): the loudest channel is taken, see the column channel"
        )
    return text


def contents_notes(contents: Contents) -> list[str]:
    """Notes on what the second pass found: kinds of problems, and equal contents."""
    notes = []
    if contents.causes:
        shown = ", ".join(f"{count:,} {kind}" for kind, count in sorted(contents.causes.items()))
        notes.append(f"contents: {shown}; they stay in the table")
    digests = Counter(one.digest for one in contents.of if one is not None and one.digest)
    groups = [count for count in digests.values() if count > 1]
    if groups:
        notes.append(
            f"{sum(groups):,} samples in {plural(len(groups), 'group')} are equal sample by sample, whatever their "
            "files: the column content is equal for them"
        )
    return notes


def passed_note(passed: Counter[str]) -> str:
    """The files that are no recordings, by suffix; empty where there is none."""
    if not passed:
        return ""
    kinds = ", ".join(f"{count:,} {suffix or 'without a suffix'}" for suffix, count in sorted(passed.items())[:_SHOWN])
    return f"passed over as no recordings: {kinds}" + (", …" if len(passed) > _SHOWN else "")


def short_note(count: int) -> str:
    """Segments that are shorter than a window; empty where there is none."""
    words = f"shorter than one {1000 * SHORTEST_S:g}-ms window"
    return f"{plural(count, 'segment is', 'segments are')} left out: {words}" if count else ""
