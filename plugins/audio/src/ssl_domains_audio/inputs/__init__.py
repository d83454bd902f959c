"""Inputs of an encoder: a recording becomes a waveform of one rate and level, and on the device a log-mel spectrogram.

`sounds_for` chooses the preprocess of a table. Views are made of waveforms; `LogMel` then makes spectrograms of whole
batches, and views may change those again.
"""

from ssl_domains_audio.inputs.choice import log_mel_of, sounds_for
from ssl_domains_audio.inputs.filterbank import empty_filters, mel_filters
from ssl_domains_audio.inputs.log_mel import LogMel
from ssl_domains_audio.inputs.resampling import resampled, resampled_length
from ssl_domains_audio.inputs.settings import SoundSettings
from ssl_domains_audio.inputs.sound_preprocess import MelPreprocess, SoundPreprocess

__all__ = [
    "LogMel",
    "MelPreprocess",
    "SoundPreprocess",
    "SoundSettings",
    "empty_filters",
    "log_mel_of",
    "mel_filters",
    "resampled",
    "resampled_length",
    "sounds_for",
]
