"""Options of fine-tuning: the section ``[method]`` of a fine-tuned run's configuration."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ssl_domains.methods import MethodOptions

__all__ = ["FineTuneOptions"]


class FineTuneOptions(MethodOptions):
    """Which layers are trained, how fast, and from which head."""

    projection_head: ClassVar[bool] = False

    layers: str = Field(
        default="all",
        description="'head' keeps the encoder as it is, 'all' trains all of it, a number trains its last stages",
    )
    layer_decay: float = Field(
        default=1.0, gt=0, le=1, description="factor on the learning rate for each stage below the last"
    )
    head_lr: float | None = Field(
        default=None, gt=0, description="learning rate of the head; unset takes train.lr, as for the last stage"
    )
    batch_norm: Literal["kept", "trained"] = Field(
        default="kept",
        description="'kept': BatchNorm uses its stored statistics; 'trained': those of the batch, as in pre-training",
    )
    head_start: Literal["probe", "fresh"] = Field(
        default="probe", description="'probe' starts with the head of the frozen probe, 'fresh' with a new head"
    )
    probe_steps: int = Field(
        default=500,
        ge=1,
        description="transcripts: steps of the frozen probe's CTC head, the start of the training",
    )
    dice: float = Field(default=1.0, ge=0, description="masks: weight of the soft Dice loss beside cross-entropy")

    @field_validator("layers", mode="before")
    @classmethod
    def _layers(cls, value: Any) -> Any:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if text not in ("head", "all") and not (isinstance(text, str) and text.isdecimal() and int(text) > 0):
            raise ValueError("it is 'head', 'all' or a number of stages from 1 on")
        return text
