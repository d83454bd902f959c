"""Settings of the inputs of texts: the section ``[input]`` of a configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TokenSettings"]


class TokenSettings(BaseModel):
    """How texts become token ids."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokenizer: str | None = Field(
        default=None,
        description="tokenizer.json, or a folder that holds one, such as that of a transformers model or of a run; by "
        "default a tokenizer is trained on the training rows",
    )
    vocabulary: int = Field(default=8192, ge=64, description="pieces of words of a trained tokenizer")
    lower: bool = Field(default=True, description="a trained tokenizer takes capitals as small letters")
    tokens: int = Field(default=128, ge=1, description="tokens of a text that the encoder reads; the others are cut")
