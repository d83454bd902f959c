"""Samples on pages: a spectrogram to look at, and a short wav file to listen to."""

from ssl_domains_audio.report.sound import wav_of
from ssl_domains_audio.report.spectrogram import thumbnail

__all__ = ["thumbnail", "wav_of"]
