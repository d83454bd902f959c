"""Gradient caching: the encoder sees a few samples at a time, the loss all of them.

Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup. The loss needs the embeddings
of all rows, the encoder's backward only its own activations: embed without a graph, take the gradient of the loss by
the embeddings, then embed again part by part and go on from there. Exact, for 4/3 of the encoder's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from ssl_domains.encoders import Features
from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.engine.step.embedding import Score, See, backward
from ssl_domains.errors import UsageError
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method

__all__ = ["GradientCaching", "batch_norms", "refuse_micro_batch_norm"]


@dataclass
class GradientCaching:
    """Embeds a few samples at a time, with the gradient of the whole.

    Views are made anew in the second pass rather than kept: they cost little and would be the larger part of memory.

    Attributes:
        model: The method, or DistributedDataParallel around it.
        method: The method.
        precision: Of the encoder.
        micro_batch_size: Samples in the encoder at a time, all their views with them.
        views: Views of each sample.
        processes: How many take part.
    """

    model: nn.Module
    method: Method
    precision: Precision
    micro_batch_size: int
    views: int
    processes: int = 1

    def __call__(self, samples: int, see: See, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed, score, and leave gradients in the parameters."""
        starts = range(0, samples, self.micro_batch_size)
        parts = [slice(start, min(start + self.micro_batch_size, samples)) for start in starts]
        states, out, emitted = self._embed(parts, see)
        out, loss = score(out, emitted)
        backward(loss, self.processes)
        after = _generators(out.z.device)
        self._embed_again(parts, states, see, out)
        _restore(after, out.z.device)
        return out, loss

    @torch.no_grad()
    def _embed(self, parts: Sequence[slice], see: See) -> tuple[list[_States], Embeddings, dict[str, Tensor]]:
        """Leaves for the loss to differentiate by, what views emitted, and the generators before each part."""
        # Running statistics move in the forward pass; only those of the second count.
        buffers = [(buffer, buffer.clone()) for buffer in self.method.buffers()]
        states, z, pooled, emitted = [], [], [], []
        for part in parts:
            seen = see(part)
            states.append(_generators(seen.images.device))
            with autocast(seen.images.device, self.precision):
                out = self.method(seen.images, seen.mask)
            z.append(out.z)
            pooled.append(out.features.pooled)
            emitted.append(seen.emitted)
        for buffer, before in buffers:
            buffer.copy_(before)
        features = self._joined(pooled)
        leaves = Embeddings(
            z=self._joined(z).requires_grad_(),
            features=Features(features, features.new_zeros(*features.shape, 0, 0)),
            temperature=None if out.temperature is None else out.temperature.detach().clone().requires_grad_(),
        )
        return states, leaves, {name: self._joined([one[name] for one in emitted]) for name in emitted[0]}

    def _embed_again(self, parts: Sequence[slice], states: Sequence[_States], see: See, leaves: Embeddings) -> None:
        slopes = _by_view(_slope(leaves.z), self.views)
        for part, state in zip(parts, states, strict=True):
            last = part is parts[-1]
            seen = see(part)
            _restore(state, seen.images.device)
            with self._alone(last):
                with autocast(seen.images.device, self.precision):
                    out = self.model(seen.images, seen.mask)
                ends, at = [out.z], [slopes[:, part].flatten(0, 1)]
                if last and leaves.temperature is not None:
                    # One number for all parts: its gradient goes in once, where DistributedDataParallel adds up.
                    ends.append(out.temperature)
                    at.append(_slope(leaves.temperature))
                torch.autograd.backward(ends, at)

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        """View-major parts to the view-major whole."""
        return torch.cat([_by_view(part, self.views) for part in parts], dim=1).flatten(0, 1)

    def _alone(self, last: bool) -> AbstractContextManager[Any]:
        if last or not isinstance(self.model, DistributedDataParallel):
            return nullcontext()
        return self.model.no_sync()


def batch_norms(method: nn.Module) -> list[str]:
    """Names of the layers whose output for a row depends on the rows beside it."""
    return [name for name, module in method.named_modules() if isinstance(module, _BatchNorm)]


def refuse_micro_batch_norm(method: nn.Module, micro_batch_size: int) -> None:
    """Refuse to change what BatchNorm computes without being asked.

    Raises:
        UsageError: When the method has BatchNorm.
    """
    found = batch_norms(method)
    if found:
        few = ", ".join(found[:2]) + (", …" if len(found) > 2 else "")
        raise UsageError(
            f"with train.micro_batch_size BatchNorm ({few}) would see {micro_batch_size} samples instead of the batch",
            "take an encoder without BatchNorm and head.layers=1, or accept it: --set train.micro_batch_norm=true",
        )


_States = tuple[Tensor, Tensor | None]


def _generators(device: torch.device) -> _States:
    """What dropout and its like draw from: the generator of the CPU, and that of the GPU in use."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _restore(states: _States, device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1], device)


def _by_view(rows: Tensor, views: int) -> Tensor:
    return rows.reshape(views, -1, *rows.shape[1:])


def _slope(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
