"""Checks that an encoder keeps its contract: declared shapes, and features that padding doesn't change."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_domains.encoders import Encoder, Features
from ssl_domains.encoders.masking.padding_check import inside, randomised, relative_difference
from ssl_domains.inputs import InputSpec

__all__ = ["check_encoder"]

_LENGTHS = {1: (1, 3, 50, 161, 400), 2: (1, 3, 20, 47, 100), 3: (1, 3, 8, 13, 24)}
_EXTRA = {1: 97, 2: 37, 3: 11}

_FEW_IDS = 16  # number of token ids, for an encoder without `vocabulary`


def check_encoder(encoder: Encoder, spec: InputSpec | None = None, *, seed: int = 0) -> None:
    """Check an encoder on random inputs of five lengths, the shortest of one place.

    The checks run on copies with random scales and shifts, because initial values of 0 and 1 could hide an error. For
    ragged inputs:

    - a sample gives the same map and vector alone, in a batch, and with extra padding of any value (zeros, large
      numbers, infinity, NaN; any token id): to 1e-4 of the largest number, 1e-5 for token ids, in evaluation mode;
    - ``mask`` is true at as many places as the map of the sample alone has;
    - the gradient with respect to padding is 0;
    - in training mode without dropout, statistics (BatchNorm) and vectors don't depend on padding. An encoder that
      draws random numbers by other means than modules with "Drop" in their name is not checked for this.

    For all inputs: ``num_features``, map and mask have the declared shapes, two calls give the same bits, and so does a
    copy by pickle or by ``state_dict``.

    Args:
        encoder: The encoder, on the CPU; it is not changed.
        spec: The form of the inputs; None takes ``encoder.takes``.
        seed: Seed of the inputs.

    Raises:
        AssertionError: When the encoder breaks the contract; the message says where.
    """
    assert isinstance(encoder, Encoder), f"an encoder is an `Encoder`, not {type(encoder).__name__}"
    assert isinstance(encoder.takes, InputSpec), "`takes` is an InputSpec"
    assert isinstance(encoder.name, str), "`name` is text"
    assert encoder.name, "`name` is what `create_encoder` takes"
    assert encoder.in_chans == encoder.takes.channels, "`in_chans` is the number of channels that `takes` declares"
    spec = spec or encoder.takes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        trial = copy.deepcopy(encoder)
        randomised(trial, generator)
        trial.eval()
        samples = _samples(spec, encoder.vocabulary or _FEW_IDS, generator)
        with torch.no_grad():
            _check_shapes(trial, samples[-1])
            _check_copies(encoder, trial, samples[-1], generator)
        if not spec.ragged:
            with torch.no_grad():
                _check_batch(trial, samples)
            return
        tolerance = 1e-5 if spec.dtype == "int64" else 1e-4
        with torch.no_grad():
            _check_padding(trial, spec, samples, tolerance)
            _check_training(trial, spec, samples, 10 * tolerance)
        if spec.dtype != "int64":
            _check_gradient(trial, spec, samples)


@dataclass(frozen=True)
class _Batch:
    """Samples in one batch with their validity."""

    values: Tensor
    valid: Tensor


def _samples(spec: InputSpec, vocabulary: int, generator: torch.Generator) -> list[Tensor]:
    """Five inputs ``[1, C, *space]``, the longest last; further ragged sides have the same lengths in another order."""
    lengths = _LENGTHS[len(spec.space)]
    orders = {side: lengths[number:] + lengths[:number] for number, side in enumerate(spec.ragged)}
    samples = []
    for row in range(len(lengths)):
        sides = [orders[number][row] if length is None else length for number, length in enumerate(spec.space)]
        if spec.dtype == "int64":
            samples.append(torch.randint(vocabulary, (1, spec.channels, *sides), generator=generator))
        else:
            samples.append(torch.randn(1, spec.channels, *sides, generator=generator))
    return samples


def _padded(samples: Sequence[Tensor], spec: InputSpec, extra: int, fill: float) -> _Batch:
    """One batch of all samples, ``extra`` places longer than the longest along ragged sides, padded with ``fill``."""
    sides = [max(sample.shape[2 + side] for sample in samples) for side in range(len(spec.space))]
    sides = [length + (extra if side in spec.ragged else 0) for side, length in enumerate(sides)]
    value = int(fill) if spec.dtype == "int64" else fill
    values = torch.full((len(samples), spec.channels, *sides), value, dtype=samples[0].dtype)
    valid = torch.zeros((len(samples), 1, *sides), dtype=torch.bool)
    for row, sample in enumerate(samples):
        inside(values[row], sample.shape[2:]).copy_(sample[0])
        inside(valid[row], sample.shape[2:]).fill_(True)
    return _Batch(values, valid)


def _check_shapes(trial: Encoder, values: Tensor) -> None:
    features = trial(values)
    assert isinstance(features, Features), f"`forward` returns Features, not {type(features).__name__}"
    width, space = trial.num_features, features.map.shape[2:]
    assert features.pooled.shape == (1, width), (
        f"`num_features` is the width of the pooled features: declared {width}, given {list(features.pooled.shape)}"
    )
    assert features.map.shape[:2] == (1, trial.map_features), (
        f"the map has `map_features` channels, by default `num_features`: declared {trial.map_features}, given "
        f"{list(features.map.shape)}"
    )
    assert torch.isfinite(features.pooled).all(), "pooled features of finite numbers are finite"
    given = trial(values, torch.ones_like(values[:, :1], dtype=torch.bool)).mask
    for mask in (features.mask, given):
        if mask is not None:
            assert mask.dtype == torch.bool, f"`mask` is bool, not {mask.dtype}"
            assert mask.shape == (1, 1, *space), f"`mask` is [B, 1, *space] of the map: {list(mask.shape)}"
            assert mask.all(), "`mask` is true everywhere where all of the input is valid"


def _check_copies(encoder: Encoder, trial: Encoder, values: Tensor, generator: torch.Generator) -> None:
    pooled = trial(values).pooled
    assert torch.equal(trial(values).pooled, pooled), "two calls in evaluation mode give the same bits"
    assert torch.equal(pickle.loads(pickle.dumps(trial))(values).pooled, pooled), "an encoder survives pickling"
    other = copy.deepcopy(encoder).eval()
    randomised(other, generator)
    other.load_state_dict(trial.state_dict())
    assert torch.equal(other(values).pooled, pooled), "`state_dict` holds all that the features depend on"


def _check_batch(trial: Encoder, samples: Sequence[Tensor]) -> None:
    """Check for inputs of one size that a sample alone has the same vector as in a batch."""
    together = trial(torch.cat(list(samples))).pooled
    for row, sample in enumerate(samples):
        difference = relative_difference(together[row], trial(sample).pooled[0])
        assert difference <= 1e-4, f"a sample gives the same vector alone and in a batch, not {difference:.1e} off"


def _check_padding(trial: Encoder, spec: InputSpec, samples: Sequence[Tensor], tolerance: float) -> None:
    alone = [trial(sample) for sample in samples]
    largest = (trial.vocabulary or _FEW_IDS) - 1
    fills = (spec.pad, 0, largest, -1, 2**40) if spec.dtype == "int64" else (spec.pad, 0.0, 1e6, torch.inf, torch.nan)
    for extra in (0, _EXTRA[len(spec.space)]):
        for fill in fills:
            batch = _padded(samples, spec, extra, fill)
            padding = f"in a batch padded with {fill:g}, {extra} places longer than the longest sample"
            _compare(trial(batch.values, batch.valid), alone, samples, padding, tolerance)


def _compare(
    features: Features, alone: Sequence[Features], samples: Sequence[Tensor], padding: str, tolerance: float
) -> None:
    mask, space = features.mask, features.map.shape[2:]
    assert mask is not None, f"`mask` says which places of the map are valid {padding}; it is None"
    assert mask.dtype == torch.bool, f"`mask` is bool, not {mask.dtype}"
    assert mask.shape == (len(samples), 1, *space), f"`mask` is [B, 1, *space] of the map: {list(mask.shape)}"
    for row, (one, sample) in enumerate(zip(alone, samples, strict=True)):
        what = f"a sample of {list(sample.shape[2:])} places"
        size = one.map.shape[2:]
        expected = torch.zeros(space, dtype=torch.bool)
        inside(expected, size).fill_(True)
        assert torch.equal(mask[row, 0], expected), (
            f"{what} has a map of {list(size)} places alone; `mask` has {int(mask[row].sum())} {padding}"
        )
        difference = relative_difference(inside(features.map[row], size), one.map[0])
        assert difference <= tolerance, (
            f"{what} gives the same map alone and {padding}: they differ by {difference:.1e}, as a layer sees padding"
        )
        difference = relative_difference(features.pooled[row], one.pooled[0])
        assert difference <= tolerance, (
            f"{what} gives the same vector alone and {padding}: they differ by {difference:.1e} though the maps "
            "are the same, as the pooling sees padding"
        )


def _check_training(trial: Encoder, spec: InputSpec, samples: Sequence[Tensor], tolerance: float) -> None:
    """Check that a step in training mode gives the same with little and with much padding."""
    short = _padded(samples, spec, 0, 0.0)
    pooled, buffers = _training_step(trial, short)
    if not torch.equal(_training_step(trial, short)[0], pooled):
        return  # it draws random numbers in training, so that two calls can't be compared
    pooled_longer, buffers_longer = _training_step(trial, _padded(samples, spec, 2 * _EXTRA[len(spec.space)], 3.0))
    for name, before in trial.named_buffers():
        difference = relative_difference(buffers_longer[name] - before, buffers[name] - before)
        assert difference <= tolerance, (
            f"statistics in training don't depend on padding: {name} changes by {difference:.1e} more or less with it"
        )
    difference = relative_difference(pooled_longer, pooled)
    assert difference <= tolerance, f"vectors in training don't depend on padding: they differ by {difference:.1e}"


def _training_step(trial: Encoder, batch: _Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Vectors and buffers after one call of a copy in training mode, without dropout."""
    trained = copy.deepcopy(trial).train()
    for module in trained.modules():
        if "Drop" in type(module).__name__:  # it would draw different numbers for a batch of another size
            module.eval()
    return trained(batch.values, batch.valid).pooled, dict(trained.named_buffers())


def _check_gradient(trial: Encoder, spec: InputSpec, samples: Sequence[Tensor]) -> None:
    batch = _padded(samples, spec, _EXTRA[len(spec.space)], 1.0)
    values = batch.values.requires_grad_()
    features = trial(values, batch.valid)
    assert features.mask is not None, "`mask` says which places of the map are valid"
    pooled, valid_map = features.pooled, features.map.where(features.mask, 0.0).movedim(1, -1)
    of_pooled, of_map = (torch.linspace(0.5, 1.5, one.shape[-1]) for one in (pooled, valid_map))
    ((pooled * of_pooled).sum() + (valid_map * of_map).sum()).backward()
    assert values.grad is not None, "the features have a gradient by the input"
    assert torch.isfinite(values.grad).all(), "the gradient by the input is finite"
    by_pooled = torch.autograd.grad((trial(values, batch.valid).pooled * of_pooled).sum(), values, allow_unused=True)[0]
    assert by_pooled is not None, "the pooled features have a gradient by the input"
    assert by_pooled.abs().sum() > 0, "the pooled features have a gradient by the input"
    assert values.grad.abs().sum() > 0, "the features have a gradient by the input"
    by_padding = values.grad.masked_select(~batch.valid).abs().max()
    assert by_padding == 0, f"the gradient by padding is 0, not {float(by_padding):.1e}"
