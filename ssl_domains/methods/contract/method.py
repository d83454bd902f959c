"""Contract 3, the method: the trained modules (encoder and head), their embeddings and their loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.contract.embeddings import Embeddings, Target
from ssl_domains.methods.contract.refresh import Refresh
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["Method", "MethodOptions"]


class MethodOptions(BaseModel):
    """Base of a method's options: the section ``[method]`` of a configuration, beside ``name``."""

    # Strict: `method.momentum = true` is an error, and isn't read as 1.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Method(nn.Module, ABC):
    """A self-supervised method: an encoder, further modules for training such as a projection head, and a loss.

    A step calls `target`, `embed`, `loss`, and after the update `after_step`. `ssl_domains.testing.check_method` checks
    the rules stated here.

    Attributes:
        needs: Number of views of each sample, and further needs of the method.
        options: Model of the section ``[method]`` of the configuration.
        encoder: The encoder, which is kept and exported; a ``ModuleDict`` by kind if each kind of input has its own.
        refresh: Columns, edges or state to compute from all training rows between epochs; None for nothing.
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

    @classmethod
    def needs_with(cls, options: Mapping[str, Any]) -> ViewPlan:
        """The needs under some options; `needs` unless an option says how many views there are.

        Only the number, variants and sizes of views may differ from `needs`.

        Args:
            options: Values of `options`, by name.
        """
        return cls.needs

    def prepare(self, training: TrainingSet) -> None:
        """Make buffers whose size follows from the data, and refuse options that don't fit it.

        Called once, after `build` and before the first step; a checkpoint is loaded afterwards.

        Args:
            training: Number of training samples, and other facts of the run.

        Raises:
            UsageError: When an option doesn't fit the training rows, such as a queue longer than the table.
        """

    def forward(self, views: Views) -> Embeddings:
        """Calls `embed`, so that wrappers around ``forward`` such as DistributedDataParallel work."""
        return self.embed(views)

    @abstractmethod
    def embed(self, views: Views) -> Embeddings:
        """Embed the views of some samples.

        Every trained parameter must take part, as only this method is differentiated with respect to parameters. With
        gradient caching it is called twice for each micro-batch of a step.
        """

    def target(self, views: Views) -> Mapping[str, Tensor | Target]:
        """Targets of the loss, which are never differentiated: for instance the keys of a momentum encoder.

        Called once for each step, before `embed`, without gradient, with all views of this process. Random numbers
        drawn here don't change those that `embed` draws.

        Returns:
            By name: values aligned with the view-major rows, or a `Target` for some of the rows.
        """
        return {}

    @abstractmethod
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Compute the loss of a batch; a pure function of the arguments and the method's state.

        It may read only ``z``, ``more``, ``shared`` and ``targets``. With several processes these are the rows of this
        process, and the losses of all processes must add up to the loss of the whole batch. So either divide a sum over
        the rows of this process by ``out.total(count)``, or compute a function of ``out.whole(…)`` and pass it through
        ``out.of_all(…)``. Don't multiply by the number of processes; the engine does.
        """

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Update state that has no gradient: momentum encoder, queue, memory bank.

        It may read only ``out.targets``, ``out.whole(…)``, ``out.rows`` and ``out.target_rows(…)``, so that all
        processes get the same state.

        Args:
            out: The embeddings that the loss was computed from.
            progress: Progress of the run, from 0 to 1.
        """

    def lr_factors(self, lr: float) -> Mapping[str, float]:
        """Factors on the learning rate, by the full name of a parameter; a parameter without one has the factor 1.

        Args:
            lr: The learning rate of the configuration, ``train.lr``.
        """
        return {}

    @property
    def temperature(self) -> float:
        """The current temperature τ, for the log; NaN if the method has none."""
        return float("nan")
