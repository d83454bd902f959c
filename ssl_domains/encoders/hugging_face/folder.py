"""Read a Hugging Face model from a local folder, as ``save_pretrained`` writes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ssl_domains.errors import UsageError

__all__ = ["PREFIX", "read_model", "without_progress_bars"]

PREFIX = "transformers:"

_ENCODERS_TAKEN = ("whisper",)  # models with a decoder whose encoder is used alone


def read_model(name: str, *, init: str, seed: int, channels: int | None = None) -> Any:
    """Read the model of a folder. Nothing is downloaded, no code of the folder runs, and only safetensors are read.

    Args:
        name: ``transformers:FOLDER``.
        init: ``"pretrained"`` for the folder's weights, ``"random"`` for its architecture with weights from ``seed``.
        seed: Seed of random weights.
        channels: Channels of the pictures that a model with random weights takes; None for those of its folder.

    Returns:
        The model, in float32 and in training mode, with its ``config``; of Whisper, its encoder alone.

    Raises:
        UsageError: When the package transformers is missing, the folder has no model, or weights are missing.
    """
    try:
        import transformers
    except ImportError:
        raise UsageError(
            f"encoder {name!r} needs the package transformers", "pip install 'ssl-domains[transformers]'"
        ) from None
    folder = Path(name.removeprefix(PREFIX)).expanduser()
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} is not a folder with a model", "it holds config.json and model.safetensors")
    with _as_usage_error(folder), without_progress_bars(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        both = getattr(config, "is_encoder_decoder", False)
        if both and config.model_type not in _ENCODERS_TAKEN:
            raise UsageError(f"{folder} holds an encoder with a decoder ({config.model_type})", "take an encoder alone")
        model = _model(transformers, folder, config, init, channels)
        return (model.get_encoder() if both else model).float().train()


def _model(transformers: Any, folder: Path, config: Any, init: str, channels: int | None) -> Any:
    if init == "random":
        pictures = getattr(config, "vision_config", config)
        if channels is not None and hasattr(pictures, "num_channels"):
            pictures.num_channels = channels
        return transformers.AutoModel.from_config(config)
    model, loaded = transformers.AutoModel.from_pretrained(
        folder, config=config, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    missing = sorted(key for key in loaded["missing_keys"] if "pooler" not in key)
    if missing:
        raise UsageError(f"{folder} lacks {len(missing)} weights of its model, such as {missing[0]}", "save it anew")
    return model


@contextlib.contextmanager
def without_progress_bars() -> Iterator[None]:
    """No progress bars of transformers: a local file is read and written in a moment."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _as_usage_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # a broken folder raises many different exceptions
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{folder} is not a model that transformers can read: {cause}", "save it anew") from error
