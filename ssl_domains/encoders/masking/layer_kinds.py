"""Kinds of layers: those that can be masked so that padding has no effect, and the reasons why others can't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from timm.layers import LayerNorm2d, ScaledStdConv2d, StdConv2d
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["LayerKind", "layer_kind", "layers", "refusal", "strides"]

LayerKind = Literal["convolution", "maximum", "average", "batch norm", "each place"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, ScaledStdConv2d, StdConv2d)
_MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVERAGES = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_EACH_PLACE = (nn.Identity, LayerNorm2d)
_EACH_PLACE_MODULES = ("torch.nn.modules.activation", "torch.nn.modules.dropout", "timm.layers.activations")
_NOT_EACH_PLACE = ("Softmax", "Softmin", "LogSoftmax", "MultiheadAttention", "GLU")

_AVERAGED = "it weights the channels by an average over the whole map, padding included"
_NORMALISED = "it normalises over the places of a sample, padding included"
_ATTENDED = "it lets every place attend to all others, padding included"
_NAMED: dict[str, str] = {
    **dict.fromkeys(
        ("SEModule", "SqueezeExcite", "SEBlock", "EffectiveSEModule", "EcaModule", "CecaModule"), _AVERAGED
    ),
    **dict.fromkeys(("GlobalContext", "GatherExcite", "CbamModule", "SelectiveKernel", "SplitAttn"), _AVERAGED),
    **dict.fromkeys(("GroupNorm", "GroupNorm1", "GroupNormAct"), _NORMALISED),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "GlobalResponseNorm"), _NORMALISED),
    "MultiheadAttention": _ATTENDED,
}


def layers(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Name and module of each layer, a module without submodules. BatchNorm with its activation is one layer."""
    children = list(model.named_children())
    if not children or isinstance(model, _BatchNorm):
        yield prefix, model
        return
    for name, child in children:
        yield from layers(child, f"{prefix}.{name}" if prefix else name)


def layer_kind(layer: nn.Module) -> LayerKind | None:
    """The kind of a layer; None for a type that is not known."""
    if type(layer) in _CONVOLUTIONS:
        return "convolution"
    if isinstance(layer, _MAXIMA):
        return "maximum"
    if isinstance(layer, _AVERAGES):
        return "average"
    if isinstance(layer, _BatchNorm):
        return "batch norm"
    if isinstance(layer, _EACH_PLACE) or type(layer).__name__ == "DropPath":
        return "each place"
    if type(layer).__module__ in _EACH_PLACE_MODULES and type(layer).__name__ not in _NOT_EACH_PLACE:
        return "each place"
    return None


def refusal(module: nn.Module, sides: Sequence[int], *, layer: bool) -> str:
    """The reason why a module lets padding change valid places; "" if there is no known reason.

    Args:
        module: Any module of the network.
        sides: Numbers of the ragged sides.
        layer: Whether it is a layer that runs in a forward pass; then a layer of an unknown type is refused as well.
            Otherwise only modules that are known to mix places are refused.
    """
    kind = layer_kind(module)
    if kind is None:
        name = type(module).__name__
        if name in _NAMED or "Attention" in name:
            return _NAMED.get(name, _ATTENDED)
        return "it is of a type that isn't known to keep padding out" if layer else ""
    if kind in ("convolution", "maximum", "average") and layer:
        return _window_refusal(module, kind, sides)
    return ""


def strides(layer: nn.Module, sides: Sequence[int]) -> tuple[int, ...]:
    """Stride of a convolution or pooling layer along each ragged side."""
    window: Any = layer
    return tuple(_along(window.stride, side) for side in sides)


def _window_refusal(layer: Any, kind: LayerKind, sides: Sequence[int]) -> str:
    if kind == "convolution" and layer.padding_mode != "zeros":
        return f"its padding_mode {layer.padding_mode!r} repeats what stands at the end of the padded batch"
    if getattr(layer, "ceil_mode", False):
        return "with ceil_mode, its last window holds fewer places alone than in a padded batch"
    for side in sides:
        kernel, dilation = _along(layer.kernel_size, side), _along(getattr(layer, "dilation", 1), side)
        if isinstance(layer.padding, str):
            same = layer.padding == "same"
            padding = 0
        else:
            padding = _along(layer.padding, side)
            same = 2 * padding == dilation * (kernel - 1)
        if not same:
            return (
                f"with kernel {kernel} and padding {padding} it doesn't turn n places into ceil(n / stride), "
                "so the last places of a short input are lost"
            )
        if kind == "average" and padding and not layer.count_include_pad:
            return "with count_include_pad=False it divides by fewer places at the end of a sample than in a batch"
    return ""


def _along(value: Any, side: int) -> int:
    return int(value[side]) if isinstance(value, tuple | list) else int(value)
