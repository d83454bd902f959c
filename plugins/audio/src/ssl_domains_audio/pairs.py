"""Pair samplers of the domain: speakers, recordings, sessions, and what lies close in time."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler

__all__ = ["EXTRA_COLUMNS", "SAMPLERS", "near_in_time", "other_session"]

EXTRA_COLUMNS = {
    "speaker": "scan --folders speaker/session names it by folders, or scan --join TABLE --on path=file by a table",
    "session": "scan --folders speaker/session names it by folders, or scan --join TABLE --on path=file by a table",
    "site": "scan --folders site names it by folders, or scan --join TABLE --on path=file by a table",
    "recording": "cut recordings into pieces: scan --cut 5",
    "start_s": "cut recordings into pieces: scan --cut 5",
    "recorded_at_s": "scan files that are named by their start, such as 20240501_063000.wav (--names time)",
}
"""Columns that a scan gives only with an option, or only of some files: name → how to get it."""


def near_in_time(s: float = 10.0, by: str = "recording") -> str:
    """Positives start at most ``s`` seconds apart: pieces of one recording, or recordings of one site.

    ``near_in_time(s=10)`` compares where the pieces of a recording start (column ``start_s``). With another column,
    such as ``near_in_time(s=600, by='site')``, recordings that share it are compared by the time at which they were
    made (column ``recorded_at_s``), pieces included.

    Args:
        s: Largest distance in seconds.
        by: Column that positives share.
    """
    if isinstance(s, bool) or not isinstance(s, int | float):
        raise UsageError(f"near_in_time: s={s!r} is no number of seconds", "write near_in_time(s=10)")
    if not isinstance(by, str) or not by:
        raise UsageError(f"near_in_time: by={by!r} names no column", "write near_in_time(s=600, by='site')")
    clock = "start_s" if by == "recording" else "recorded_at_s"
    return f"same({by!r}) & within({clock!r}, {s!r})"


def other_session(by: str = "speaker") -> str:
    """Positives are the same speaker in another session; pairs within a session are neither pulled nor pushed.

    A recording shares microphone, room and noise with others of its session. Without these pairs, they tell nothing.

    Args:
        by: Column that positives share.
    """
    if not isinstance(by, str) or not by:
        raise UsageError(f"other_session: by={by!r} names no column", "write other_session(by='speaker')")
    return f"(same({by!r}) & ~same('session')).ignore(same({by!r}))"


SAMPLERS = (
    PairSampler("speaker", "audio", "positives share a speaker", "same('speaker')"),
    PairSampler("recording", "audio", "positives are pieces of one recording", "same('recording')"),
    PairSampler(
        "formats",
        "audio",
        "positives are waveform and spectrogram of one recording; for the method multi_format",
        "same('sample').across_parts()",
    ),
    PairSampler("session", "audio", "positives share a session", "same('session')"),
    PairSampler("near_in_time", "audio", "positives are close in time, in one recording or at one site", near_in_time),
    PairSampler("other_session", "audio", "positives share a speaker, but not the session", other_session),
    PairSampler(
        "within_speaker",
        "audio",
        "positives are views of one sample; only samples of the same speaker are negatives",
        "none.ignore(~same('speaker'))",
    ),
)
