"""Fine-tuning as a method of the engine: an encoder, a head on top, and the labels of the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ssl_domains.encoders import Encoder, encoder_stages, stage_factors
from ssl_domains.errors import UsageError
from ssl_domains.finetuning.heads import Head, create_head
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, Method, RowPairs, ViewPlan
from ssl_domains.probes import Labels
from ssl_domains.quantities import plural

__all__ = ["FineTune", "FineTuning"]


class FineTune(Method):
    """Trains an encoder and a head on labels.

    Frozen parts, and with ``batch_norm="kept"`` all BatchNorm layers of the encoder, stay in evaluation mode while the
    rest is trained.

    Args:
        encoder: The encoder.
        head: The head.
        options: Which layers are trained, and how fast.

    Raises:
        UsageError: When ``options.layers`` or ``options.layer_decay`` needs stages that the encoder doesn't have.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False, collapse=False)
    options: ClassVar[type[BaseModel]] = FineTuneOptions

    def __init__(self, encoder: Encoder, head: Head, options: FineTuneOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.settings = options
        self.stages = encoder_stages(encoder) if options.layer_decay != 1 or options.layers.isdecimal() else []
        frozen = set(self._frozen()) | set(head.unreached(encoder))
        for name, parameter in encoder.named_parameters():
            if name in frozen:
                parameter.requires_grad_(False)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Fine-tuning needs labels, which no configuration holds: `FineTuning` builds it.

        Raises:
            UsageError: Always.
        """
        raise UsageError("fine-tuning needs labels", "use ssl_domains.finetuning.finetune")

    def _frozen(self) -> list[str]:
        layers = self.settings.layers
        if layers == "all":
            return []
        if layers == "head":
            return [name for name, _ in self.encoder.named_parameters()]
        if int(layers) > len(self.stages):
            count = plural(len(self.stages), "stage")
            raise UsageError(f"the encoder has {count}, not {layers}", "--layers all trains all of them")
        return [name for stage in self.stages[: -int(layers)] for name in stage]

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen parts and kept BatchNorm layers stay in evaluation mode."""
        super().train(mode)
        if not mode:
            return self
        for module in self.encoder.modules():
            parameters = list(module.parameters())
            frozen = bool(parameters) and not any(one.requires_grad for one in parameters)
            kept = self.settings.batch_norm == "kept" and isinstance(module, _BatchNorm)
            if frozen or kept:
                module.eval()
        return self

    def embed(self, views: Views) -> Embeddings:
        """See `Head.embed`."""
        return self.head.embed(self.encoder, views)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `Head.loss`."""
        return self.head.loss(out, pairs)

    def lr_factors(self, lr: float) -> Mapping[str, float]:
        """``layer_decay`` once more for each stage below the last, and ``head_lr`` relative to ``lr``."""
        factors: dict[str, float] = {}
        if self.settings.layer_decay != 1:
            decays = stage_factors(self.stages, self.settings.layer_decay)
            factors |= {f"encoder.{name}": factor for name, factor in decays.items()}
        if self.settings.head_lr is not None:
            factors |= {f"head.{name}": self.settings.head_lr / lr for name, _ in self.head.named_parameters()}
        return factors


@dataclass(frozen=True, eq=False)
class FineTuning:
    """Builds `FineTune`; passed as ``method`` to `ssl_domains.engine.Parts` in place of a class.

    Attributes:
        task: What is predicted.
        labels: Labels of the rows of ``Parts.table``, in its order; None for masks.
        head: Weights that the head starts with, by name; None for a fresh head.
    """

    task: Task
    labels: Labels | None = None
    head: Mapping[str, Tensor] | None = None
    needs: ClassVar[ViewPlan] = FineTune.needs
    options: ClassVar[type[BaseModel]] = FineTuneOptions

    def build(self, encoder: Encoder, options: Mapping[str, Any]) -> FineTune:
        """Build `FineTune` with the encoder; of ``options``, those of `FineTuneOptions` are read."""
        chosen = FineTuneOptions.model_validate(
            {name: options[name] for name in FineTuneOptions.model_fields if name in options}
        )
        head = create_head(self.task, encoder, self.labels, chosen)
        if self.head is not None:
            head.load_state_dict(dict(self.head))
        return FineTune(encoder, head, chosen)
