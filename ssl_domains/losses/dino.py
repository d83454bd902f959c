"""DINO: a student predicts the teacher's distribution, which is centred and sharpened so that it doesn't collapse."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.swapped_prediction import swapped_prediction

__all__ = ["dino_loss", "dino_targets"]


@torch.no_grad()
def dino_targets(teacher: Tensor, centre: Tensor, temperature: float | Tensor = 0.04) -> Tensor:
    """The teacher's distributions: softmax((t − c) / τ_t).

    Subtracting the centre c keeps any one prototype from winning everywhere; a small τ_t keeps the distribution from
    becoming uniform.

    Args:
        teacher: ``[…, K]`` scores of the teacher; floating point.
        centre: ``[K]``, a moving average of the teacher's scores.
        temperature: τ_t > 0. The value of a tensor isn't checked.

    Returns:
        ``[…, K]`` without gradient, float32 (float64 for float64 input).

    Raises:
        UsageError: When τ_t isn't positive.
    """
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise UsageError(f"the teacher's temperature is {temperature:g}", "it must be a positive number, such as 0.04")
    with without_autocast(teacher.device):
        dtype = torch.promote_types(teacher.dtype, torch.float32)
        return ((teacher.to(dtype) - centre) / temperature).softmax(dim=-1)


def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    *,
    temperature: float = 0.1,
    teacher_temperature: float | Tensor = 0.04,
    total: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """DINO loss: cross-entropy of the teacher's global views with the student's other views.

    ::

        L = −1 / (n G (V − 1)) Σ_i Σ_{g<G} Σ_{v≠g} P_t(g, i)ᵀ log softmax(s_vi / τ)        P_t = softmax((t − c) / τ_t)

    Args:
        student: ``[V, n, K]`` scores of the student by view, the global views first; floating point.
        teacher: ``[G, n, K]`` scores of the teacher for the global views; gets no gradient.
        centre: ``[K]``, see `dino_targets`.
        temperature: τ > 0 of the student.
        teacher_temperature: τ_t > 0.
        total: See `swapped_prediction`.

    Returns:
        A scalar, float32 (float64 for float64 input).

    Raises:
        UsageError: When the shapes don't fit, or a temperature isn't positive.

    References:
        Caron et al. 2021, *Emerging Properties in Self-Supervised Vision Transformers*.
    """
    return swapped_prediction(student, dino_targets(teacher, centre, teacher_temperature), temperature, total)
