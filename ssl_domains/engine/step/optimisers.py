"""AdamW, SGD and LARS, without weight decay for norms, biases and position embeddings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from timm.optim import Lars
from torch import nn

from ssl_domains.engine.record.config import TrainConfig

__all__ = ["create_optimiser", "parameter_groups", "set_learning_rate"]


def parameter_groups(
    module: nn.Module, weight_decay: float, factors: Mapping[str, float] | None = None
) -> list[dict[str, object]]:
    """Two groups: matrices and kernels with decay; norms, biases and scalars (a learned τ) without.

    With ``factors`` there are two groups for each value of a factor, in the order of the parameters. Each has its
    factor as ``lr_scale``, the key that timm uses.

    The parameters that a submodule lists in ``no_weight_decay()`` also get no decay; timm's models list class tokens
    and position embeddings.

    LARS uses the same groups: parameters without decay also get no trust ratio (You et al. 2017; Chen et al. 2020).

    Args:
        module: The module.
        weight_decay: Weight decay of matrices and kernels.
        factors: See `ssl_domains.methods.Method.lr_factors`; None or empty for one rate for all.
    """
    trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    listed = _listed(module)
    plain = {name for name, p in trained if p.ndim <= 1 or name.endswith(".bias") or name in listed}
    if not factors:
        return [
            {"params": [p for name, p in trained if name not in plain], "weight_decay": weight_decay},
            {"params": [p for name, p in trained if name in plain], "weight_decay": 0.0},
        ]
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in trained:
        groups.setdefault((factors.get(name, 1.0), name in plain), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": 0.0 if undecayed else weight_decay, "lr_scale": factor}
        for (factor, undecayed), parameters in groups.items()
    ]


def _listed(module: nn.Module) -> set[str]:
    """Full names in ``module`` of the parameters that its submodules list in ``no_weight_decay()``."""
    names: set[str] = set()
    for prefix, part in module.named_modules():
        listed = getattr(part, "no_weight_decay", None)
        if callable(listed):
            names.update(f"{prefix}.{name}" if prefix else name for name in listed())
    return names


def create_optimiser(
    module: nn.Module, config: TrainConfig, factors: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Create the optimiser of a configuration for the trained parameters of a module; ``factors`` as for its groups."""
    groups = parameter_groups(module, config.weight_decay, factors)
    if config.optimizer == "adamw":
        # Fused kernels exist for the CPU and CUDA; on other devices torch chooses.
        fused = all(p.device.type in ("cpu", "cuda") for p in module.parameters())
        return torch.optim.AdamW(groups, lr=config.lr, fused=fused or None)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)
    lars: torch.optim.Optimizer = Lars(groups, lr=config.lr, momentum=config.momentum)
    return lars


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of every group: ``lr``, multiplied by ``lr_scale`` where a group has it."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["lr_scale"] if "lr_scale" in group else lr
