"""Augmentation of signals, and of other inputs with any number of sides: the steps, and the recipe that joins them.

The input is ``[B, C, *space]`` with its validity: a waveform ``[B, C, T]``, a spectrogram ``[B, 1, 80, T]``, a volume
``[B, C, D, H, W]``. Values have any unit and any sign; nothing is clipped to [0, 1]. A view of a sample doesn't depend
on the padding of its batch.
"""

from ssl_domains.views.sequences.add_noise import AddNoise
from ssl_domains.views.sequences.crop_length import CropLength
from ssl_domains.views.sequences.drop_channels import DropChannels
from ssl_domains.views.sequences.gain import Gain
from ssl_domains.views.sequences.mask_stretches import MaskStretches
from ssl_domains.views.sequences.recipe import SequenceRecipe
from ssl_domains.views.sequences.step import Pointwise, SequenceStep

__all__ = [
    "AddNoise",
    "CropLength",
    "DropChannels",
    "Gain",
    "MaskStretches",
    "Pointwise",
    "SequenceRecipe",
    "SequenceStep",
]
