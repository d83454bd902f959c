"""Encoder of waveforms: that of a Whisper model in a local folder, with the spectrogram that it was trained on.

Radford et al. 2023, Robust Speech Recognition via Large-Scale Weak Supervision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.hugging_face.trained_waves import TrainedWaves
from ssl_domains.encoders.masked import masked_mean
from ssl_domains.encoders.stages import numbered_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["WhisperSoundEncoder", "is_whisper", "whisper_encoder"]

_FLOOR, _RANGE = 1e-10, 8.0  # smallest power, and decades below the loudest place that are kept


class WhisperSoundEncoder(Encoder):
    """Whisper's encoder on waveforms, pooled by the mean of the last hidden states over the valid places.

    As in Whisper's training, each waveform is followed by silence up to the length of the model (30 s), so a longer one
    is refused, and a vector doesn't depend on the batch. A place of the map is two hops of the spectrogram, 20 ms.

    Args:
        model: ``WhisperEncoder`` of transformers, called with ``input_features [B, bands, frames]``.
        name: ``transformers:FOLDER``.
        takes: One channel and one side.
        filters: Weights of the frequencies in each band, float32 ``[bands, n_fft // 2 + 1]``.
        n_fft: Samples of a frame and of its transform.
        hop: Samples between frames.
    """

    reads_all = True

    def __init__(self, model: nn.Module, name: str, takes: InputSpec, filters: Tensor, n_fft: int, hop: int) -> None:
        config: Any = model.config
        super().__init__(model, name, takes, int(config.d_model))
        self.n_fft, self.hop = n_fft, hop
        self.samples = 2 * int(config.max_source_positions) * hop
        # Constants of the folder, and no weights: neither buffers nor part of a checkpoint.
        self.constants = torch.hann_window(n_fft), filters

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode waveforms ``[B, 1, T]`` with their validity ``[B, 1, T]``; the map is ``[B, F, places]``.

        Raises:
            UsageError: For waveforms longer than those of the model.
        """
        waves = values[:, 0] if valid is None else values[:, 0].masked_fill(~valid[:, 0], 0.0)
        if waves.shape[1] > self.samples and bool((waves[:, self.samples :] != 0).any()):
            cause = f"waveforms of {waves.shape[1]:,} samples for {self.name!r}, which takes {self.samples:,} at most"
            raise UsageError(cause, "cut the recordings: scan --cut 30")
        longest = min(waves.shape[1], self.samples)
        waves = F.pad(waves[:, :longest], (0, self.samples - longest))
        hidden = self.model(self.spectrograms(waves).to(values.dtype)).last_hidden_state
        places = -(-longest // (2 * self.hop))
        features = hidden.transpose(1, 2)[..., :places]
        if valid is None:
            return Features(masked_mean(features), features)
        length = valid[:, 0].sum(dim=1).clamp(max=self.samples)
        count = torch.div(length + 2 * self.hop - 1, 2 * self.hop, rounding_mode="floor")
        mask = (torch.arange(places, device=waves.device) < count[:, None])[:, None]
        features = features.masked_fill(~mask, 0.0)
        return Features(masked_mean(features, mask), features, mask)

    def spectrograms(self, waves: Tensor) -> Tensor:
        """The model's log-mel spectrograms ``[B, bands, frames]`` of waveforms ``[B, T]``, float32.

        Powers are clipped at 8 decades below the loudest place of the waveform; ``(log10 power + 4) / 4``.
        """
        window, filters = (one.to(waves.device) for one in self.constants)
        with torch.autocast(waves.device.type, enabled=False):
            transform = torch.stft(waves.float(), self.n_fft, self.hop, window=window, return_complex=True)
            powers = filters @ (transform.real.square() + transform.imag.square())[..., :-1]
            decades = powers.clamp(min=_FLOOR).log10()
            loudest = decades.amax(dim=(1, 2), keepdim=True)
            return (torch.maximum(decades, loudest - _RANGE) + 4.0) / 4.0

    def stages(self) -> Sequence[Sequence[str]]:
        """The convolutions and the numbered layers; see `encoder_stages`."""
        return numbered_stages(self)


def is_whisper(model: Any) -> bool:
    """Whether a model is the encoder of a Whisper model."""
    return getattr(model.config, "model_type", "") == "whisper"


def whisper_encoder(model: Any, name: str, takes: InputSpec, trained: TrainedWaves) -> WhisperSoundEncoder:
    """Build a `WhisperSoundEncoder` with the spectrogram of the feature extractor in its folder.

    Raises:
        UsageError: When the folder has no feature extractor of Whisper, or one that doesn't fit the model.
    """
    from transformers import WhisperFeatureExtractor

    if not {"feature_size", "hop_length", "n_fft"} <= set(trained.settings):
        cause = f"the folder of {name!r} doesn't say how spectrograms are made (preprocessor_config.json)"
        raise UsageError(cause, "save the feature extractor beside the model: WhisperFeatureExtractor.save_pretrained")
    extractor = WhisperFeatureExtractor(**trained.settings)
    frames = 2 * int(model.config.max_source_positions)
    if extractor.feature_size != model.config.num_mel_bins or extractor.nb_max_frames != frames:
        cause = (
            f"the feature extractor of {name!r} gives {extractor.feature_size} × {extractor.nb_max_frames} numbers, "
            f"and the model takes {model.config.num_mel_bins} × {frames}"
        )
        raise UsageError(cause, "take model and feature extractor of one download")
    model.layerdrop = 0.0
    filters = torch.from_numpy(extractor.mel_filters).float().T.contiguous()
    return WhisperSoundEncoder(model, name, takes, filters, extractor.n_fft, extractor.hop_length)
