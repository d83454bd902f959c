"""Checks that padding doesn't change the features of a masked network, by running it on random numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders.masking.valid_places import ValidPlaces
from ssl_domains.errors import UsageError

if TYPE_CHECKING:
    from ssl_domains.encoders.masked import MaskedEncoder

__all__ = ["inside", "randomised", "relative_difference", "require_padding_proof"]

_LENGTHS = {1: (1, 150, 205, 333), 2: (1, 38, 45, 77), 3: (1, 18, 21, 37)}
_TOLERANCE = 1e-4


def randomised(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """Give a module's vectors of parameters and running statistics random values, in place.

    With initial values, a check could miss an error: a scale of 0 (the last BatchNorm of a residual branch) hides the
    layers before it, and with a shift of 0, padding of 0 stays 0.
    """
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if value.ndim != 1 or not value.is_floating_point():
                continue
            draws = torch.rand(value.shape, generator=generator).to(value)
            is_scale = name.endswith(("weight", "running_var", "gamma"))
            value.copy_(0.5 + draws if is_scale else draws - 0.5)
    return module


def relative_difference(one: Tensor, two: Tensor) -> float:
    """Largest absolute difference over the largest absolute value of ``two``; infinite if a value is not finite."""
    if one.shape != two.shape:
        return float("inf")
    if not one.numel():
        return 0.0
    one, two = one.detach().double(), two.detach().double()
    difference = (one - two).abs().max() / two.abs().max().clamp(min=1e-12)
    return float(difference) if torch.isfinite(difference) else float("inf")


def inside(x: Tensor, size: Sequence[int]) -> Tensor:
    """The first places of the last sides of ``x``, of the given size; a view of the same memory."""
    for side, length in enumerate(size, start=x.ndim - len(size)):
        x = x.narrow(side, 0, length)
    return x


def require_padding_proof(encoder: MaskedEncoder) -> None:
    """Compare samples alone with the same samples padded by random numbers, on a copy with random scales and shifts.

    Raises:
        UsageError: When the vectors differ by more than 1e-4, when the statistics of BatchNorm depend on padding, or
            when the network's head does more than average the map.
    """
    generator = torch.Generator().manual_seed(0)
    trial: Any = randomised(copy.deepcopy(encoder), generator).eval()
    weight = next(trial.parameters())
    *lengths, padded = _LENGTHS[len(encoder.takes.space)]

    def numbers(length: int, samples: int = 1) -> Tensor:
        values = torch.randn(samples, trial.in_chans, *trial.example_sizes(length), generator=generator)
        return values.to(weight)

    alone = [numbers(length) for length in lengths]
    batch, valid = numbers(padded, len(alone)), torch.zeros(len(alone), 1, *trial.example_sizes(padded))
    for row, values in enumerate(alone):
        inside(batch[row], values.shape[2:]).copy_(values[0])
        inside(valid[row], values.shape[2:]).fill_(1)
    valid = valid.to(weight.device) > 0
    with torch.no_grad():
        _require_average_pooling(trial, alone[-1])
        try:
            features = trial.encode(batch, valid, ValidPlaces(valid, trial.sides, strict=True))
        except UsageError as error:
            raise encoder.refused("", encoder.model, error.message) from error
        for row, values in enumerate(alone):
            if relative_difference(features.pooled[row], trial(values).pooled[0]) > _TOLERANCE:
                path, module = _first_to_differ(trial, values, batch[row, None], valid[row, None])
                raise encoder.refused(path, module, "a sample gives other numbers alone than padded by random ones")
        _require_same_statistics(encoder, trial, batch, valid)


def _require_average_pooling(trial: MaskedEncoder, values: Tensor) -> None:
    model: Any = trial.model
    expected = model.forward_head(model.forward_features(values), pre_logits=True)
    if relative_difference(trial(values).map.flatten(2).mean(dim=2), expected) > _TOLERANCE:
        raise trial.refused("", model, "its head does more than average the map, and would see padding")


def _require_same_statistics(encoder: MaskedEncoder, trial: MaskedEncoder, batch: Tensor, valid: Tensor) -> None:
    """Check that running statistics after one training step are the same with little and with much padding."""
    after = []
    for more in (0, 200):
        trained = copy.deepcopy(trial).train()
        _without_dropout(trained)
        sizes = [side + (more if number in trial.sides else 0) for number, side in enumerate(batch.shape[2:])]
        values = torch.full((*batch.shape[:2], *sizes), float(more), dtype=batch.dtype, device=batch.device)
        mask = torch.zeros((len(batch), 1, *sizes), dtype=torch.bool, device=batch.device)
        inside(values, batch.shape[2:]).copy_(batch)
        inside(mask, batch.shape[2:]).copy_(valid)
        trained(values, mask)
        after.append(dict(trained.named_buffers()))
    modules = dict(trial.model.named_modules())
    for name, before in trial.named_buffers():
        if relative_difference(after[1][name] - before, after[0][name] - before) > _TOLERANCE:
            path = name.removeprefix("model.").rpartition(".")[0]
            raise encoder.refused(path, modules[path], "its statistics in training depend on padding")


def _without_dropout(module: nn.Module) -> None:
    for part in module.modules():
        if "Drop" in type(part).__name__:
            part.eval()


def _first_to_differ(trial: MaskedEncoder, alone: Tensor, padded: Tensor, valid: Tensor) -> tuple[str, nn.Module]:
    """The first module whose output is changed by padding although its input is not."""
    names = {module: path for path, module in trial.model.named_modules()}
    calls = [_calls(trial, list(names), alone, torch.ones_like(alone[:, :1], dtype=torch.bool))]
    calls.append(_calls(trial, list(names), padded, valid))
    for (module, before, after), (_, before_padded, after_padded) in zip(*calls, strict=False):
        if _differ(after, after_padded) and not _differ(before, before_padded):
            return names[module], module
    return "", trial.model


def _calls(
    trial: MaskedEncoder, modules: list[nn.Module], values: Tensor, valid: Tensor
) -> list[tuple[nn.Module, Tensor, Tensor]]:
    """Module, valid part of its input and of its output, in the order in which the modules end."""
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []
    places = ValidPlaces(valid, trial.sides)

    def part(x: Tensor) -> Tensor:
        try:
            return x.movedim(1, -1).reshape(-1, x.shape[1])[places.index(x.shape[2:])]
        except UsageError:  # valid places of this size are unknown, so all are compared
            return x

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if inputs and isinstance(inputs[0], Tensor) and isinstance(output, Tensor) and output.ndim > 2:
            calls.append((module, part(inputs[0]), part(output)))

    handles = [module.register_forward_hook(note) for module in modules]
    try:
        trial.encode(values, valid, places)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _differ(one: Tensor, two: Tensor) -> bool:
    return relative_difference(one, two) > _TOLERANCE
