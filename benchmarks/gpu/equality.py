"""The same numbers on the device as on the CPU: views, and the loss with its gradient."""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.gpu.loss import OBJECTIVES, TEMPERATURE, Batch
from benchmarks.result import Result, Row
from ssl_domains.inputs import Input
from ssl_domains.losses import contrastive_loss
from ssl_domains.views import (
    Blur,
    ColorJitter,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewRecipe,
)

__all__ = ["run"]

VIEW_LIMIT = 1e-4
"""Largest difference of two pixels in [0, 1]."""

MASK_LIMIT = 1e-3
"""Largest share of pixels whose validity differs: those on the border, by the rounding of an angle."""

LOSS_LIMIT = 1e-5
"""Largest difference of values and gradients, relative to their norm; both sides sum in float32."""


def run(device: torch.device, rows: int, side: int, machine: dict[str, Any]) -> Result:
    """Compare, and keep the largest differences. A row that is not met makes the whole command end with exit code 1."""
    started = time.perf_counter()
    pixels, masks = _views(device, side)
    value, gradient = _losses(device, rows)
    return Result(
        "gpu_equality",
        "The device against the CPU",
        ("each row of this table is a comparison",),
        (
            Row.at_most(f"pixels of views of {side} px, largest difference", pixels, "", VIEW_LIMIT),
            Row.at_most("share of pixels whose validity differs", masks, "", MASK_LIMIT),
            Row.at_most(f"loss of {rows} rows, largest relative difference", value, "", LOSS_LIMIT),
            Row.at_most(f"its gradient, largest relative difference of norms, {rows} rows", gradient, "", LOSS_LIMIT),
        ),
        ("The device is the CPU here, so nothing is compared.",) if device.type == "cpu" else (),
        time.perf_counter() - started,
        machine,
    )


def _views(device: torch.device, side: int) -> tuple[float, float]:
    why = "to compare it"
    recipe = ViewRecipe(
        (
            Rotate((-30, 30), reason=why), RandomResizedCrop((0.3, 1.0), (3 / 4, 4 / 3), reason=why),
            HorizontalFlip(0.5, reason=why), VerticalFlip(0.5, reason=why), Intensity(reason=why),
            ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8, grey=0.2, reason=why), Blur((0.1, 2.0), p=0.5, reason=why),
            Noise(reason=why),
        ),
        side,
    )  # fmt: skip
    coarse = torch.rand(12, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    pictures = F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    valid = torch.ones(12, 1, side, side, dtype=torch.bool)
    valid[:, :, : side // 5] = False
    here, there = (
        recipe.views_of(
            Input(pictures.to(where), valid.to(where)), seed=1, step=2, slots=torch.arange(12)
        )
        for where in (torch.device("cpu"), device)
    )  # fmt: skip
    pixels = masks = 0.0
    for one, other in zip(here, there, strict=True):
        valid_here, valid_there = one.input.with_valid(), other.input.with_valid().cpu()
        both = valid_here & valid_there
        gap = (one.input.values - other.input.values.cpu()).abs() * both
        pixels = max(pixels, float(gap.max()))
        masks = max(masks, float((valid_here != valid_there).float().mean()))
    return pixels, masks


def _losses(device: torch.device, rows: int) -> tuple[float, float]:
    """Both sides get the same normalised embeddings, so that only the loss is compared."""
    value = gradient = 0.0
    here, there = (Batch.make(rows, 128, torch.float32, where) for where in (torch.device("cpu"), device))
    z = F.normalize(here.raw, dim=1)
    for objective in OBJECTIVES:
        found = []
        for batch in (here, there):
            leaf = z.to(batch.raw.device).requires_grad_()
            loss = contrastive_loss(leaf, batch.pairs[objective], TEMPERATURE).loss
            (slope,) = torch.autograd.grad(loss, leaf)
            found.append((float(loss.detach()), slope.cpu()))
        (a, da), (b, db) = found
        value = max(value, abs(a - b) / abs(a))
        gradient = max(gradient, float((da - db).norm() / da.norm()))
    return value, gradient
