"""Encoders of recordings: a waveform comes in; one network reads it, another one its spectrogram."""

from ssl_domains_audio.encoders.formats_encoder import FormatsEncoder, wave_mel

__all__ = ["FormatsEncoder", "wave_mel"]
