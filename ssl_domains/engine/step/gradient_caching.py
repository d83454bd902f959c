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

from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.engine.step.embedding import MakeViews, Score, backward
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
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
        processes: How many take part.
    """

    model: nn.Module
    method: Method
    precision: Precision
    micro_batch_size: int
    processes: int = 1

    def __call__(self, samples: int, views_of: MakeViews, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed, score, and leave gradients in the parameters."""
        starts = range(0, samples, self.micro_batch_size)
        parts = [slice(start, min(start + self.micro_batch_size, samples)) for start in starts]
        first = self._embed(parts, samples, views_of)
        out, loss = score(first.leaves)
        backward(loss, self.processes)
        after = _generators(out.z.device)
        self._embed_again(parts, first, views_of)
        _restore(after, out.z.device)
        return out, loss

    @torch.no_grad()
    def _embed(self, parts: Sequence[slice], samples: int, views_of: MakeViews) -> _FirstPass:
        # Running statistics move in the forward pass; only those of the second count.
        buffers = [(buffer, buffer.clone()) for buffer in self.method.buffers()]
        states, outs, of = [], [], []
        for part in parts:
            views = views_of(part)
            states.append(_generators(views.device))
            with autocast(views.device, self.precision):
                out: Embeddings = self.method(views)
            outs.append(out)
            of.append(_rows_of_process(out, views, part, samples))
        for buffer, before in buffers:
            buffer.copy_(before)
        joined = torch.cat(of)
        last = outs[-1]
        number = None if last.part is None else torch.cat([_known(out.part) for out in outs]).to(joined.device)
        # Stable, by view-major row and then by part: the order that one pass over all samples gives.
        key = joined if number is None or not len(number) else joined * (int(number.max()) + 1) + number
        order = torch.argsort(key, stable=True)
        plain = last.of is None and last.part is None

        def together(rows: list[Tensor]) -> Tensor:
            whole = torch.cat(rows)
            return whole[order.to(whole.device)].requires_grad_()

        leaves = Embeddings(
            z=together([out.z for out in outs]),
            pooled=torch.cat([out.pooled for out in outs]),
            more={name: together([out.more[name] for out in outs]) for name in last.more},
            shared={name: value.detach().clone().requires_grad_() for name, value in last.shared.items()},
            of=None if plain else joined[order],
            part=None if number is None else number[order],
        )
        return _FirstPass(leaves, order, states)

    def _embed_again(self, parts: Sequence[slice], first: _FirstPass, views_of: MakeViews) -> None:
        leaves = first.leaves
        gradients = {"z": first.by_part(leaves.z)}
        gradients |= {name: first.by_part(leaf) for name, leaf in leaves.more.items()}
        start = 0
        for part, state in zip(parts, first.states, strict=True):
            last = part is parts[-1]
            views = views_of(part)
            _restore(state, views.device)
            with self._alone(last):
                with autocast(views.device, self.precision):
                    out: Embeddings = self.model(views)
                stop = start + len(out.z)
                outputs = {"z": out.z, **out.more}
                ends, at = list(outputs.values()), [gradients[name][start:stop] for name in outputs]
                if last:
                    # One value for all parts: its gradient goes in once, where DistributedDataParallel adds up.
                    ends += [out.shared[name] for name in leaves.shared]
                    at += [_gradient(leaf) for leaf in leaves.shared.values()]
                needed = [place for place, end in enumerate(ends) if end.requires_grad]
                torch.autograd.backward([ends[place] for place in needed], [at[place] for place in needed])
            start = stop

    def _alone(self, last: bool) -> AbstractContextManager[Any]:
        if last or not isinstance(self.model, DistributedDataParallel):
            return nullcontext()
        return self.model.no_sync()


@dataclass(frozen=True, eq=False)
class _FirstPass:
    """What the first pass gives: leaves for the loss to differentiate by, and how to repeat it.

    Attributes:
        leaves: Embeddings of all samples of this process.
        order: int64 ``[M]``, for each of their rows its place when the micro-batches lie one below the other.
        states: The generators before each micro-batch.
    """

    leaves: Embeddings
    order: Tensor
    states: Sequence[_States]

    def by_part(self, leaf: Tensor) -> Tensor:
        """The gradient of a leaf, micro-batch by micro-batch."""
        gradient = torch.empty_like(leaf)
        gradient[self.order.to(leaf.device)] = _gradient(leaf)
        return gradient


def _rows_of_process(out: Embeddings, views: Views, part: slice, samples: int) -> Tensor:
    """View-major rows of a micro-batch as view-major rows of this process: int64 ``[m]`` on the CPU."""
    of: Tensor = torch.arange(len(views) * views.samples) if out.of is None else out.of.cpu()
    rows: Tensor = of // views.samples * samples + part.start + of % views.samples
    return rows


def _known(part: Tensor | None) -> Tensor:
    if part is None:
        raise UsageError("embed gives parts for some samples only", "give `part` always, or never")
    return part.cpu()


def batch_norms(method: nn.Module) -> list[str]:
    """Names of the trained layers whose output for a row depends on the rows beside it.

    A momentum copy's are left out: nothing in it is trained, and it sees the whole batch at once.
    """
    return [name for name, module in method.named_modules() if isinstance(module, _BatchNorm) and _trained(module)]


def _trained(module: nn.Module) -> bool:
    parameters = list(module.parameters(recurse=False))
    return not parameters or any(parameter.requires_grad for parameter in parameters)


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


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
