"""Gradient caching: the encoder embeds micro-batches, while the loss compares the rows of the whole batch.

Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup. First all micro-batches are
embedded without a graph, and the gradient of the loss by the embeddings is computed. Then each micro-batch is embedded
again, with a graph, and this gradient is propagated to the parameters. The result is exact, and takes 4/3 of the
encoder's time.
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
    """Embeds micro-batches, and computes the gradient of the loss of the whole batch.

    The views are made again in the second pass: they are cheap to compute, and would take most of the memory if kept.

    Attributes:
        model: The method, or DistributedDataParallel around it.
        method: The method.
        precision: Precision of the encoder.
        micro_batch_size: Samples in the encoder at a time, each with all its views.
        processes: Number of processes.
    """

    model: nn.Module
    method: Method
    precision: Precision
    micro_batch_size: int
    processes: int = 1

    def __call__(self, samples: int, views_of: MakeViews, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed and score the samples of this process; adds the gradients to the parameters' ``grad``.

        Args:
            samples: Number of samples of this process.
            views_of: Makes the views of a slice of the samples.
            score: Computes the loss of the embeddings."""
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
        # A forward pass updates running statistics; the update of this first pass is undone below.
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
        # Sorted by view-major row and then by part (stable), the order of one pass over all samples.
        key = joined if number is None or not len(number) else joined * (int(number.max()) + 1) + number
        order = torch.argsort(key, stable=True)
        plain = last.of is None and last.part is None

        def together(rows: list[Tensor]) -> Tensor:
            whole = torch.cat(rows)
            if not whole.is_floating_point():
                raise UsageError(f"embed gives rows of type {whole.dtype}", "z and `more` hold floating-point numbers")
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
                    # A shared value has one gradient, which is added in the last micro-batch only.
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
    """Result of the first pass: embeddings that the loss is differentiated by, and generator states to repeat the pass.

    Attributes:
        leaves: Embeddings of all samples of this process.
        order: int64 ``[M]``, for each of their rows its place in the concatenated micro-batches.
        states: States of the random generators before each micro-batch.
    """

    leaves: Embeddings
    order: Tensor
    states: Sequence[_States]

    def by_part(self, leaf: Tensor) -> Tensor:
        """The gradient of a leaf, with rows in the order of the concatenated micro-batches."""
        gradient = torch.empty_like(leaf)
        gradient[self.order.to(leaf.device)] = _gradient(leaf)
        return gradient


def _rows_of_process(out: Embeddings, views: Views, part: slice, samples: int) -> Tensor:
    """Convert view-major rows of a micro-batch to view-major rows of this process: int64 ``[m]`` on the CPU."""
    of: Tensor = torch.arange(len(views) * views.samples) if out.of is None else out.of.cpu()
    rows: Tensor = of // views.samples * samples + part.start + of % views.samples
    return rows


def _known(part: Tensor | None) -> Tensor:
    if part is None:
        raise UsageError("embed gives parts for some samples only", "give `part` always, or never")
    return part.cpu()


def batch_norms(method: nn.Module) -> list[str]:
    """Names of the trained BatchNorm layers, whose output for a row depends on the other rows of the batch.

    Those of a momentum encoder are left out: it has no trained parameters, and always embeds the whole batch. So are
    layers in evaluation mode, which use their stored statistics.
    """
    return [
        name
        for name, module in method.named_modules()
        if isinstance(module, _BatchNorm) and module.training and _trained(module)
    ]


def _trained(module: nn.Module) -> bool:
    parameters = list(module.parameters(recurse=False))
    return not parameters or any(parameter.requires_grad for parameter in parameters)


def refuse_micro_batch_norm(method: nn.Module, micro_batch_size: int) -> None:
    """Refuse micro-batches with BatchNorm, whose statistics would be those of a micro-batch.

    Raises:
        UsageError: When the method has a trained BatchNorm layer.
    """
    norms = batch_norms(method)
    if norms:
        few = ", ".join(norms[:2]) + (", …" if len(norms) > 2 else "")
        raise UsageError(
            f"with train.micro_batch_size BatchNorm ({few}) would see {micro_batch_size} samples instead of the batch",
            "take an encoder without BatchNorm and head.layers=1, or accept it: --set train.micro_batch_norm=true",
        )


_States = tuple[Tensor, Tensor | None]


def _generators(device: torch.device) -> _States:
    """States of the random generators that dropout uses: of the CPU, and of the GPU if there is one."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _restore(states: _States, device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1], device)


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
