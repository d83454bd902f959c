"""Two networks on one recording: one reads the waveform, the other one its log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import torch
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features, create_encoder, encoder_stages, map_shape
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains_audio.inputs import LogMel, log_mel_of_spec

__all__ = ["FormatsEncoder", "wave_mel"]

_LONG = 3_840  # places of the inputs by which the strides of a network are measured; a multiple of 128, 80 and 160


class FormatsEncoder(Encoder):
    """Pooled features of a waveform and of its spectrogram, one after the other: ``F = F_wave + F_mel``.

    Places of the map are those of the waveform's network. Beside its features stand those of the spectrogram's network
    at the same time, averaged over the bands.

    Args:
        branches: The two encoders, ``"wave"`` of waveforms of any length and ``"mel"`` of the spectrograms of ``mel``.
        name: The name with which `create_encoder` builds it.
        takes: Waveforms of any length, with the settings of the spectrogram as facts.
        mel: Makes the spectrograms.

    Attributes:
        branches: The two encoders by kind of input.
    """

    def __init__(self, branches: Mapping[str, Encoder], name: str, takes: InputSpec, mel: LogMel) -> None:
        super().__init__(nn.ModuleDict(branches), name, takes, sum(one.num_features for one in branches.values()))
        self.mel = mel
        wave, spectrogram = branches["wave"], branches["mel"]
        self.wave_stride = _LONG // map_shape(wave, (_LONG,))[1]
        self.mel_stride = _LONG // map_shape(spectrogram, (mel.bands, _LONG))[2]

    @property
    def branches(self) -> dict[str, Encoder]:
        """The two encoders by kind of input: ``"wave"``, ``"mel"``."""
        made: dict[str, Encoder] = dict(self.model.items())  # type: ignore[operator]
        return made

    def pool_in(self, segments: int) -> None:
        """Pool this many parts of equal length apart from now on, in both networks."""
        for branch in self.branches.values():
            branch.pool_in(segments)
        self.num_features = sum(branch.num_features for branch in self.branches.values())
        self.segments = segments

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode waveforms ``[B, 1, T]`` with their validity ``[B, 1, T]``."""
        branches = self.branches
        spectrogram = self.mel(Input(values, valid, "wave", (0,)))
        wave = branches["wave"](values, valid)
        mel = branches["mel"](spectrogram.values.to(values.dtype), spectrogram.valid)
        places = torch.arange(wave.map.shape[2], device=values.device) * self.wave_stride
        places = (places // (self.mel.hop * self.mel_stride)).clamp(max=mel.map.shape[3] - 1)
        beside = mel.map.mean(dim=2).index_select(2, places)
        if wave.mask is not None:
            beside = beside.masked_fill(~wave.mask, 0.0)
        joined = torch.cat([wave.map, beside], dim=1)
        return Features(torch.cat([wave.pooled, mel.pooled], dim=1), joined, wave.mask)

    def stages(self) -> Sequence[Sequence[str]]:
        """Stages from input to output; a stage of one network stands with that of the same number of the other."""
        each = [
            [[f"model.{kind}.{name}" for name in stage] for stage in encoder_stages(branch)]
            for kind, branch in self.branches.items()
        ]
        longest = max(len(stages) for stages in each)
        each = [[[]] * (longest - len(stages)) + stages for stages in each]
        return [[name for part in parts for name in part] for parts in zip_longest(*each, fillvalue=[])]


def wave_mel(takes: InputSpec, init: str) -> FormatsEncoder:
    """``wave+mel``: `conv1d` on waveforms and ``small_conv`` on spectrograms, from torch's global generator.

    Raises:
        UsageError: For an input that doesn't say which spectrogram is made of it, and for pretrained weights.
    """
    return _formats("wave+mel", "small_conv", takes, init)


def wave_mel_conv(takes: InputSpec, init: str) -> FormatsEncoder:
    """``wave+mel_conv``: `conv1d` on waveforms and `mel_conv` on spectrograms; else as `wave_mel`."""
    return _formats("wave+mel_conv", "mel_conv", takes, init)


def _formats(name: str, spectrograms: str, takes: InputSpec, init: str) -> FormatsEncoder:
    mel = log_mel_of_spec(takes)
    if mel is None or takes.kind != "wave" or takes.space != (None,):
        cause = f"the encoder {name} takes waveforms with the settings of a spectrogram, not {takes.kind!r} alone"
        raise UsageError(cause, "--set input.form=wave+mel")
    if init != "random":
        raise UsageError(f"there are no pre-trained weights for the encoder {name}", "start from random weights")
    seeds = torch.randint(2**31, (2,)).tolist()
    wave = create_encoder("conv1d", seed=seeds[0], takes=InputSpec("wave", 1, (None,)))
    spectrogram = create_encoder(spectrograms, seed=seeds[1], takes=mel.spec)
    return FormatsEncoder({"wave": wave, "mel": spectrogram}, name, takes, mel)
