"""Pair samplers of the domain: speakers, recordings, sessions."""

from __future__ import annotations

from ssl_domains.extending import PairSampler

__all__ = ["SAMPLERS"]

SAMPLERS = (
    PairSampler("speaker", "audio", "positives share a speaker", "same('speaker')"),
    PairSampler("recording", "audio", "positives are parts of one recording", "same('recording')"),
    PairSampler(
        "formats",
        "audio",
        "positives are waveform and spectrogram of one recording; for the method multi_format",
        "same('sample').across_parts()",
    ),
    PairSampler("session", "audio", "positives share a session", "same('session')"),
)
