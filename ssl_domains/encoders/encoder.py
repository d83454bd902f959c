"""The contract of an encoder: from a batch of inputs to one vector for each sample, and the map before pooling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from ssl_domains.encoders.segments import require_one_segment
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["Encoder", "Features"]


@dataclass(frozen=True)
class Features:
    """Features that an encoder computes of a batch of ``B`` inputs.

    Attributes:
        pooled: ``[B, F]``, one vector for each sample; of encoders that pool parts apart, ``[B, parts · F]``.
        map: ``[B, F, *space]``, the features before pooling: ``[B, F, h, w]`` of pictures, ``[B, F, t]`` of waveforms
            and token ids.
        mask: bool ``[B, 1, *space]`` with the sides of the map, true where a place of the map comes from valid input;
            None when every place does.
    """

    pooled: Tensor
    map: Tensor
    mask: Tensor | None = None


class Encoder(nn.Module, ABC):
    """Base class of all encoders.

    A subclass must implement `forward`. An encoder whose ``takes`` has ragged sides must give the same vector for a
    sample alone, in a batch, and with extra padding of any value; `ssl_domains.testing.check_encoder` checks it.

    Args:
        model: The network inside. Exports write its weights; their names in a checkpoint start with ``model.``.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input.
        num_features: Width ``F`` of the pooled features and channels of the map.

    Attributes:
        segments: Parts of a sample that are pooled apart.
        vocabulary: Number of token ids, for encoders of token ids; else None.
        reads_all: Whether every place of the map holds something of the whole input, as behind a BiLSTM or attention.
            Methods that predict one place from others refuse such an encoder.
        resampled: A sentence on each initial weight that was resampled, or was made for inputs of another form.
    """

    vocabulary: int | None = None
    resampled: Sequence[str] = ()
    frozen: bool = False
    segments: int = 1
    reads_all: bool = False

    def __init__(self, model: nn.Module, name: str, takes: InputSpec, num_features: int) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.takes = takes
        self.num_features = num_features

    @property
    def map_features(self) -> int:
        """Channels of the map. With ``segments`` parts pooled apart, there are as many times more features."""
        return self.num_features // self.segments

    @property
    def branches(self) -> Mapping[str, Encoder]:
        """Networks whose pooled features stand one after the other in those of this one; empty for one network."""
        return {}

    @property
    def in_chans(self) -> int:
        """Channels of the input."""
        return self.takes.channels

    def pool_in(self, segments: int) -> None:
        """Pool so many parts of equal length apart from now on; an encoder that can do so overrides it.

        Raises:
            UsageError: When there is more than one part, and this encoder pools all of a sample at once.
        """
        require_one_segment(self.name, segments)

    def freeze(self, names: Collection[str]) -> None:
        """Keep some parameters as they are. Modules with frozen parameters alone stay in evaluation mode.

        So a frozen BatchNorm layer normalises with its stored statistics, and keeps them.

        Args:
            names: Names of parameters, as in ``named_parameters()``.
        """
        for name, parameter in self.named_parameters():
            if name in names:
                parameter.requires_grad_(False)
        self.frozen = True
        self.train(self.training)

    def set_dropout(self, probability: float) -> None:
        """Set the probability of every dropout layer (``nn.Dropout`` and its kind, and that of attention in torch).

        Views that differ by nothing but dropout are those of SimCSE (Gao, Yao & Chen 2021).

        Args:
            probability: From 0 to below 1.

        Raises:
            UsageError: When the encoder has no dropout layer.
        """
        found = False
        for module in self.modules():
            if isinstance(module, _DropoutNd):
                module.p, found = probability, True
            elif isinstance(module, nn.MultiheadAttention):
                module.dropout, found = probability, True
        if not found:
            raise UsageError(f"the encoder {self.name!r} has no dropout layer", "leave encoder.dropout out")

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen modules stay in evaluation mode."""
        super().train(mode)
        if mode and self.frozen:
            for module in self.modules():
                parameters = list(module.parameters())
                if parameters and not any(one.requires_grad for one in parameters):
                    module.eval()
        return self

    @abstractmethod
    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode a batch.

        Args:
            values: ``[B, C, *space]`` of the form ``takes``.
            valid: bool ``[B, 1, *space]``, false where there is padding; None where all is valid.
        """
        ...
