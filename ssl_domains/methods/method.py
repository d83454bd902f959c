"""Contract 3, the method: what is trained, and how it is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.embeddings import Embeddings, Target
from ssl_domains.methods.refresh import Refresh
from ssl_domains.methods.row_pairs import RowPairs
from ssl_domains.methods.view_plan import ViewPlan

__all__ = ["Method", "MethodOptions"]


class MethodOptions(BaseModel):
    """Base of a method's options: the section ``[method]`` of a configuration, beside ``name``."""

    # Strict: `method.momentum = true` is a slip, not a number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Method(nn.Module, ABC):
    """A self-supervised method: an encoder, what sits on top of it while training, and a loss.

    A step calls `target`, `embed`, `loss`, then, after the update, `after_step`. `ssl_domains.testing.check_method`
    holds a method to the rules stated here.

    Attributes:
        needs: Views of each sample, and what else the method reads.
        options: Its section ``[method]`` of the configuration.
        encoder: What is kept and exported; a ``ModuleDict`` by kind where inputs of several kinds have one each.
        refresh: What it computes from training rows at the start of an epoch; None for nothing.
    """

    needs: ClassVar[ViewPlan] = ViewPlan()
    options: ClassVar[type[BaseModel]] = MethodOptions
    encoder: Encoder
    refresh: Refresh | None = None

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build the method.

        Args:
            encoder: The encoder to train.
            options: Values of `options` and of the section ``[head]``, by name.
        """
        return cls(encoder, **{name: options[name] for name in cls.options.model_fields})

    def forward(self, views: Views) -> Embeddings:
        """The same as `embed`, so that wrappers around ``forward`` (DistributedDataParallel) see it."""
        return self.embed(views)

    @abstractmethod
    def embed(self, views: Views) -> Embeddings:
        """Embed the views of some samples.

        Every trained parameter acts here, as nothing else is differentiated. With gradient caching it runs twice a
        step, on a few samples at a time.
        """

    def target(self, views: Views) -> Mapping[str, Tensor | Target]:
        """What the loss compares with but never differentiates: keys of a momentum branch, codes.

        Runs once a step, before `embed`, without gradient, on all views of this process. Random numbers drawn here
        don't change those that `embed` draws.

        Returns:
            By name: values aligned with the view-major rows, or a `Target` with the rows that they belong to.
        """
        return {}

    @abstractmethod
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Score the embeddings of a batch; pure, given the method's state.

        Reads ``z``, ``more``, ``shared`` and ``targets`` only. With several processes these are the rows of this one,
        and the losses of all processes must add up to that of the whole batch: either a sum over own rows is divided
        by ``out.total(count)``, or a function of ``out.whole(…)`` goes through ``out.of_all(…)``. Never multiply by
        the number of processes; the engine does.
        """

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Update what gradients don't: momentum encoder, queue, bank.

        Reads ``out.targets``, ``out.whole(…)`` and ``out.rows`` only, so that every process comes to the same state.

        Args:
            out: What the loss saw.
            progress: From 0 to 1 over the run.
        """

    @property
    def temperature(self) -> float:
        """The temperature τ in use, for the log; NaN where there is none."""
        return float("nan")
