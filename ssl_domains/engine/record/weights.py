"""Read the weights of an encoder and load them, only if all of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ssl_domains.encoders import Encoder
from ssl_domains.engine.record.foreign_weights import adapted_weights
from ssl_domains.errors import DataError, UsageError

__all__ = ["load_weights", "read_weights"]


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict from a ``.safetensors`` file, or from a torch file that holds nothing but tensors.

    Raises:
        DataError: When the file can't be read, or holds objects whose loading could run code.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    except Exception as error:  # pickle.UnpicklingError, and any other error of a damaged archive
        raise _unreadable(path, error) from error
    for key in ("state_dict", "model", "method"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path} holds no state dict", "save model.state_dict(), not the model")
    return dict(state)


def load_weights(encoder: Encoder, weights: Mapping[str, Tensor], source: str, *, adapt: bool = False) -> list[str]:
    """Load weights into an encoder, only if all of them fit.

    The names may be those of the encoder, of its timm model (as `export` writes them), or of a method that holds the
    encoder. A classifier layer, which the encoder does not have, is left out.

    Args:
        encoder: The encoder.
        weights: The weights.
        source: Where they come from, for messages.
        adapt: Whether weights that don't fit are adapted by timm's rules for the architecture, see `adapted_weights`.

    Returns:
        A sentence on each weight that was resampled to another size.

    Raises:
        UsageError: When names or shapes don't fit; gives their number and the first three.
    """
    chosen = max(_readings(weights), key=lambda reading: len(reading.keys() & encoder.state_dict().keys()))
    wrong, resampled = _wrong(encoder, chosen), list[str]()
    adapted = adapted_weights(encoder, weights) if wrong and adapt else None
    if adapted is not None and not _wrong(encoder, adapted[0]):
        (chosen, resampled), wrong = adapted, []
    if wrong:
        shown = "; ".join(wrong[:3]) + ("; …" if len(wrong) > 3 else "")
        message = f"{len(wrong)} weights of {source} don't fit encoder {encoder.name!r}: {shown}"
        raise UsageError(message, "use the encoder.name and encoder.in_chans that the weights were made with")
    encoder.load_state_dict({name: chosen[name] for name in encoder.state_dict()})
    return resampled


def _wrong(encoder: Encoder, chosen: Mapping[str, Tensor]) -> list[str]:
    """What doesn't fit: missing and unknown names, and other shapes."""
    expected = encoder.state_dict()
    classifier = getattr(encoder.model, "pretrained_cfg", None) or {}
    heads = classifier.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)
    missing = [name for name in expected if name not in chosen]
    extra = [name for name in chosen if name not in expected and not _in_any(name, heads)]
    shapes = [name for name in expected if name in chosen and chosen[name].shape != expected[name].shape]
    wrong = [f"{name} is missing" for name in missing]
    wrong += [f"{name} is unknown" for name in extra]
    return wrong + [f"{name} is {_shape(chosen[name])}, not {_shape(expected[name])}" for name in shapes]


def _readings(weights: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    inside = {name.removeprefix("encoder."): value for name, value in weights.items() if name.startswith("encoder.")}
    bare = {name.removeprefix("module."): value for name, value in weights.items()}
    return [dict(weights), inside, {f"model.{name}": value for name, value in bare.items()}]


def _in_any(name: str, heads: tuple[str, ...]) -> bool:
    return any(name.removeprefix("model.").startswith(f"{head}.") for head in heads)


def _shape(tensor: Tensor) -> str:
    return "×".join(str(side) for side in tensor.shape) or "a scalar"


def _unreadable(path: Path, error: BaseException) -> DataError:
    lines = str(error).strip().splitlines()
    cause = lines[0][:160] if lines else type(error).__name__
    return DataError(
        f"the weights {path} can't be read: {cause}", "a safetensors file, or torch.save(model.state_dict())"
    )
