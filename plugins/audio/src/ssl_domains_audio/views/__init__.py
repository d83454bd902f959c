"""Views of recordings: steps on waveforms ``[B, 1, T]``, the step to the spectrogram, and steps on spectrograms.

All of them run on the device, for whole batches. A view depends on its sample and on (seed, step, slot, view) alone:
not on the padding of the batch and not on other samples. `recipe` gives the steps of the domain, each with its reason.
"""

from ssl_domains_audio.methods.formats_recipe import FormatsRecipe
from ssl_domains_audio.views.background import Background
from ssl_domains_audio.views.band_filter import BandFilter
from ssl_domains_audio.views.log_mel_step import LogMelStep
from ssl_domains_audio.views.mel_shift import MelShift
from ssl_domains_audio.views.noise import NoiseAtSnr
from ssl_domains_audio.views.recipe import recipe
from ssl_domains_audio.views.reverberation import Reverberation
from ssl_domains_audio.views.silence import Silence
from ssl_domains_audio.views.speed import Speed
from ssl_domains_audio.views.time_shift import TimeShift
from ssl_domains_audio.views.whole_window import WholeWindow

__all__ = [
    "Background",
    "BandFilter",
    "FormatsRecipe",
    "LogMelStep",
    "MelShift",
    "NoiseAtSnr",
    "Reverberation",
    "Silence",
    "Speed",
    "TimeShift",
    "WholeWindow",
    "recipe",
]
