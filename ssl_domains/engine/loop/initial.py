"""Initial weights of the encoder, as given by ``--init``: random, of timm, of a file, of a run or of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import timm
from torch import Tensor

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.encoders.hugging_face.folder import PREFIX
from ssl_domains.engine.record.run import Run
from ssl_domains.engine.record.weights import load_weights, read_weights
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["encoder_at_start", "initial_encoder"]


def initial_encoder(name: str, takes: InputSpec, init: str, seed: int, segments: int = 1) -> Encoder:
    """Build an encoder and load its initial weights.

    Args:
        name: Name of the architecture.
        takes: The form of its input.
        init: ``"random"``, ``"pretrained"`` (timm's weights), the name of weights in timm such as
            ``"vit_small_patch14_dinov2.lvd142m"``, a file (safetensors, or torch with tensors only), a run folder, or a
            folder of transformers.
        seed: Seed of random weights.
        segments: Parts of a sample that are pooled apart.

    Raises:
        UsageError: When ``init`` is none of these, or the weights don't fit the architecture.
        DataError: When the file can't be read.
    """
    if init in ("random", "pretrained"):
        return create_encoder(name, init=init, seed=seed, takes=takes, segments=segments)  # type: ignore[arg-type]
    weights, resampled = _weights(name, takes, init)
    encoder = create_encoder(name, seed=seed, takes=takes, segments=segments)
    encoder.resampled = [*resampled, *load_weights(encoder, weights, init, adapt=True)]
    return encoder


def _weights(name: str, takes: InputSpec, init: str) -> tuple[Mapping[str, Tensor], Sequence[str]]:
    """The weights, and a sentence on each that was resampled already."""
    source = Path(init)
    if (source / "config.json").is_file():
        if not name.startswith(PREFIX):
            cause = f"{init} is a folder of transformers, and the encoder {name!r} isn't"
            raise UsageError(cause, f"use --encoder {PREFIX}{init} --init pretrained")
        other = create_encoder(f"{PREFIX}{init}", init="pretrained", takes=takes)
        return other.state_dict(), other.resampled
    if source.is_dir():
        return Run.open(source).encoder_state(), ()
    if source.is_file():
        return read_weights(source), ()
    if not timm.is_model(init):
        cause = f"--init {init!r} is neither a file nor a run, nor the name of weights in timm"
        raise UsageError(cause, "use random, pretrained, a file or a run folder")
    architecture = init.partition(".")[0]
    if name.partition(".")[0] != architecture:
        raise UsageError(f"--init {init} holds weights of another encoder than {name!r}", f"--encoder {architecture}")
    return create_encoder(init, init="pretrained", takes=takes).state_dict(), ()


def encoder_at_start(run: Run) -> Encoder:
    """The encoder of a run with its initial weights, as before the first step."""
    config = run.config
    chosen = config.encoder
    return initial_encoder(chosen.name, run.preprocess.spec, chosen.init, config.train.seed, chosen.segments)
