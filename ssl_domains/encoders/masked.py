"""Masked encoder: a convolutional network for ragged inputs, whose features don't depend on padding."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.map_shape import map_shape
from ssl_domains.encoders.masking.layer_kinds import layers, refusal
from ssl_domains.encoders.masking.masked_layers import Masking
from ssl_domains.encoders.masking.padding_check import require_padding_proof
from ssl_domains.encoders.masking.valid_places import ValidPlaces
from ssl_domains.encoders.segments import segment_means
from ssl_domains.encoders.timm_encoder import timm_width
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["MaskedEncoder", "masked_mean"]

Lengths = TypeVar("Lengths")


class MaskedEncoder(Encoder):
    """A convolutional network whose layers read valid places only, pooled by the mean over valid places.

    Padding is replaced before each convolution and each pooling layer. A layer turns a valid length ``n`` into
    ``ceil(n / stride)``. BatchNorm in training uses the statistics of valid places. Pooling layers are masked as well
    as convolutions, because the stem of a resnet pools.

    Args:
        model: A network with ``forward_features`` (``[B, C, *space]`` to ``[B, F, *space']``), ``forward_head`` and
            ``num_features``, as in timm, made with ``num_classes=0``.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input; its ragged sides are masked.
        segments: Parts of equal length along the last side (time) that are pooled apart; the pooled features are those
            of the parts, one behind the other.

    Raises:
        UsageError: When a layer lets padding through; the message names the layer, its type and the reason. To check
            this, the network is run on random numbers.
    """

    def __init__(self, model: nn.Module, name: str, takes: InputSpec, segments: int = 1) -> None:
        super().__init__(model, name, takes, timm_width(model) * segments)
        self.segments = segments
        # Without ragged sides all sides are masked, as an input may still come with padding.
        self.sides = takes.ragged or tuple(range(len(takes.space)))
        for path, module in model.named_modules():
            if reason := refusal(module, self.sides, layer=False):
                raise self.refused(path, module, reason)
        used = self._used_layers()
        for path, layer in used:
            if reason := refusal(layer, self.sides, layer=True):
                raise self.refused(path, layer, reason)
        self.masking = Masking([layer for _, layer in used], self.sides)
        require_padding_proof(self)

    @cached_property
    def stride(self) -> int:
        """Places of the input along its last side, time, for which the map has one place."""

        def one_place(length: int) -> bool:
            return map_shape(self, (*self.takes.space[:-1], length))[-1] == 1

        # n places of the input become ceil(n / stride), so the stride is the longest input whose map has one place.
        longest = 1
        while one_place(2 * longest):
            longest *= 2
        shortest_of_two = 2 * longest
        while shortest_of_two - longest > 1:
            middle = (longest + shortest_of_two) // 2
            longest, shortest_of_two = (middle, shortest_of_two) if one_place(middle) else (longest, middle)
        return longest

    def frames(self, lengths: Lengths) -> Lengths:
        """Number of places of the map along time, ``ceil(length / stride)``, without a run of the network.

        Args:
            lengths: Valid places of inputs along their last side: a whole number, or whole numbers in a NumPy array, a
                tensor or a column of a table.
        """
        # The encoder refuses all layers that don't turn n places into ceil(n / stride), and ceil(ceil(n / a) / b) is
        # ceil(n / (a · b)).
        some: Any = lengths
        made: Lengths = -(-some // self.stride)
        return made

    def pool_in(self, segments: int) -> None:
        """Pool this many parts of equal length in time apart from now on."""
        self.num_features = self.map_features * segments
        self.segments = segments

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode a padded batch.

        Args:
            values: ``[B, C, *space]``; padding may hold any values, NaN included.
            valid: bool ``[B, 1, *space]``, true up to each sample's length; invalid places before that count as 0.
        """
        if valid is None:
            features = self._features(values)
            return Features(self._pooled(features, None), features)
        return self.encode(values, valid, ValidPlaces(valid, self.sides))

    def encode(self, values: Tensor, valid: Tensor, places: ValidPlaces) -> Features:
        """Encode a padded batch whose valid places are known."""
        with self.masking.during(places):
            features = self._features(values.masked_fill(~valid, 0.0))
        padding = places.padding(features.shape[2:])
        features = features.masked_fill(padding, 0.0)
        return Features(self._pooled(features, ~padding), features, ~padding)

    def _pooled(self, features: Tensor, valid: Tensor | None) -> Tensor:
        if self.segments == 1:
            return masked_mean(features, valid)
        return segment_means(features, valid, self.segments)

    def example_sizes(self, ragged: int) -> list[int]:
        """Sides of an example input with ``ragged`` places along each ragged side."""
        space = self.takes.space
        return [ragged if number in self.sides else length or ragged for number, length in enumerate(space)]

    def refused(self, path: str, module: nn.Module, reason: str) -> UsageError:
        """The error for a module that lets padding change valid places, with the reason."""
        where = f"its {path} ({type(module).__name__})" if path else f"its {type(module).__name__}"
        return UsageError(
            f"encoder {self.name!r} can't take inputs of differing length: {where}: {reason}",
            "take small_conv, resnet18 or resnet50, or conv1d for waveforms; or inputs of one size",
        )

    def _features(self, values: Tensor) -> Tensor:
        model: Any = self.model
        return torch.as_tensor(model.forward_features(values))

    def _used_layers(self) -> list[tuple[str, nn.Module]]:
        """Name and module of the layers that run in a forward pass from the input to the map."""
        used: dict[nn.Module, None] = {}
        every = dict(layers(self.model))

        def note(layer: nn.Module, inputs: object) -> None:
            used[layer] = None

        handles = [layer.register_forward_pre_hook(note) for layer in every.values()]
        training = self.model.training
        weight = next(self.model.parameters())
        values = torch.zeros(1, self.in_chans, *self.example_sizes(64), dtype=weight.dtype, device=weight.device)
        try:
            with torch.no_grad():
                self.model.eval()
                self._features(values)
        except Exception as error:  # architectures refuse a size with different exceptions
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise self.refused("", self.model, f"it can't be run on {list(values.shape)}: {cause}") from error
        finally:
            self.model.train(training)
            for handle in handles:
                handle.remove()
        names = {layer: path for path, layer in every.items()}
        return [(names[layer], layer) for layer in used]


def masked_mean(features: Tensor, valid: Tensor | None = None) -> Tensor:
    """Mean over the valid places of a map.

    Args:
        features: ``[B, F, *space]``, 0 at invalid places.
        valid: bool ``[B, 1, *space]``; None where all are valid.

    Returns:
        ``[B, F]``; 0 for a sample without a valid place. Sums are at least float32.
    """
    places = features.flatten(2)
    wide = torch.promote_types(features.dtype, torch.float32)
    if valid is None:
        return places.mean(dim=2, dtype=wide).to(features.dtype)
    count = valid.flatten(2).sum(dim=2).clamp(min=1)
    return (places.sum(dim=2, dtype=wide) / count).to(features.dtype)
