"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, EncoderEntry, PairSampler
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_encoders", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The audio domain."""
    return [AUDIO]


def ssl_domains_encoders() -> list[EncoderEntry]:
    """The encoder of spectrograms that averages four segments apart."""
    summary = "three convolutions on spectrograms, four segments of time averaged apart, for short sounds such as words"
    return [EncoderEntry("mel_conv", summary, "ssl_domains_audio.encoders:mel_conv")]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Speakers, recordings, sessions, and what lies close in time."""
    return list(SAMPLERS)
