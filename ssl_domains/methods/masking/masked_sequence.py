"""Signals cut into the places of an encoder's map, with a part of the places hidden from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.methods.masking.masks import sequence_mask

if TYPE_CHECKING:
    from ssl_domains.methods.masking.masked_picture import MaeDecoder

__all__ = ["MaskedSequence"]

_LENGTH = 4096  # of the example by which the number of time steps in a place of the map is found


class MaskedSequence:
    """Hides stretches of a signal from an encoder of one side: a learned value of each channel is in their place.

    A place is what the encoder's map has one vector for: 64 time steps of ``conv1d``.

    Args:
        encoder: The encoder; it is called once, on zeros.

    Raises:
        UsageError: When the map has no place for a fixed number of time steps.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        weight = next(encoder.parameters())
        zeros = torch.zeros(1, encoder.in_chans, _LENGTH, dtype=weight.dtype, device=weight.device)
        training = encoder.training
        with torch.no_grad():
            places = encoder.eval()(zeros).map.shape[-1]
        encoder.train(training)
        if _LENGTH % places:
            cause = f"the map of encoder {encoder.name!r} has {places} places for {_LENGTH} time steps"
            raise UsageError(cause, "take conv1d, or an encoder whose stride is a power of 2")
        self.stride = _LENGTH // places
        self.channels = encoder.in_chans
        self.width = encoder.map_features
        self.values = encoder.in_chans * self.stride

    def hidden(self) -> nn.Parameter:
        """The learned values in the place of hidden stretches, one for each channel."""
        return nn.Parameter(torch.zeros(self.channels, 1))

    def decoder(self, width: int, depth: int) -> None:
        """There is none."""

    def masks(self, keys: Tensor, rows: Input, ratio: float, block: int) -> tuple[Tensor, Tensor]:
        """Hidden places, all of which are predicted; bool ``[B, n]`` twice."""
        mask = sequence_mask(keys, self._cut(rows.with_valid()).all(dim=2), ratio, block)
        return mask, mask

    def truth(self, rows: Input) -> Tensor:
        """The values of each place, ``[B, n, channels · stride]``; an incomplete last place is filled with zeros."""
        return self._cut(rows.values)

    def encoded(
        self, rows: Input, mask: Tensor, hidden: Tensor | None, decoder: MaeDecoder | None
    ) -> tuple[Tensor, Tensor]:
        """A vector of each place ``[B, n, F]`` and pooled features ``[B, F]``, from the shown places."""
        assert hidden is not None
        steps = mask.repeat_interleave(self.stride, dim=1)[:, None, : rows.space[0]]
        features = self.encoder(torch.where(steps, hidden.to(rows.values.dtype), rows.values), rows.valid)
        return features.map.transpose(1, 2), features.pooled

    def _cut(self, values: Tensor) -> Tensor:
        """``[B, C, T]`` to ``[B, n, C · stride]``; the last place is filled up with zeros, which are false."""
        places = -(-values.shape[2] // self.stride)
        whole = F.pad(values, (0, places * self.stride - values.shape[2]))
        return whole.reshape(*values.shape[:2], places, self.stride).transpose(1, 2).reshape(len(values), places, -1)
