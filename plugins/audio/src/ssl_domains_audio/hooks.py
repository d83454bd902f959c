"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, EncoderEntry, MethodEntry, PairSampler
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_encoders", "ssl_domains_methods", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The audio domain."""
    return [AUDIO]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Speakers, recordings, sessions, and what lies close in time."""
    return list(SAMPLERS)


def ssl_domains_encoders() -> list[EncoderEntry]:
    """Pairs of networks on waveform and spectrogram, and single ones with fine steps in time."""
    return [
        EncoderEntry(
            "mel_conv",
            "three convolutions on spectrograms with a place every four frames; for short sounds such as words",
            "ssl_domains_audio.encoders.mel_conv:mel_conv",
        ),
        EncoderEntry(
            "conv1d_80",
            "conv1d with a place every 80 samples, 10 ms at 8 kHz; for cpc",
            "ssl_domains_audio.encoders.conv1d_80:conv1d_80",
        ),
        EncoderEntry(
            "wave+mel",
            "conv1d on the waveform and small_conv on its spectrogram; features one after the other",
            "ssl_domains_audio.encoders.formats_encoder:wave_mel",
        ),
        EncoderEntry(
            "wave+mel_conv",
            "conv1d on the waveform and mel_conv on its spectrogram; for short sounds such as words",
            "ssl_domains_audio.encoders.formats_encoder:wave_mel_conv",
        ),
    ]


def ssl_domains_methods() -> list[MethodEntry]:
    """The waveform against the spectrogram."""
    return [
        MethodEntry(
            "multi_format",
            "waveform against spectrogram of the same recording, an encoder each; needs a rule across parts",
            "Wang & van den Oord 2021, Multi-Format Contrastive Learning of Audio Representations",
            "ssl_domains_audio.methods.multi_format:MultiFormat",
            inputs="recordings, with the encoder wave+mel",
        )
    ]
