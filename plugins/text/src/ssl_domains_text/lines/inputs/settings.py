"""Settings of the encoder's input: the section ``[input]`` of a configuration, as ``--set input.height=48``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LineSettings"]


class LineSettings(BaseModel):
    """What the encoder gets of a line."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    height: int = Field(
        default=32,
        ge=8,
        le=512,
        description="height of the strips in pixels; their width follows from the shape of each line",
    )
    ink: Literal["auto", "dark", "light"] = Field(
        default="auto",
        description="'dark' or 'light' ink, or 'auto': of each line, the side of its paper on which more differs",
    )
    paper: Literal["line", "fixed"] = Field(
        default="line",
        description="'line' takes the median of each line as its paper, 'fixed' takes white (black with light ink)",
    )
