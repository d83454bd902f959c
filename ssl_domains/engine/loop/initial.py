"""Initial weights of the encoder, as given by ``--init``: random, pretrained, from a file or from a run."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine.record.run import Run
from ssl_domains.engine.record.weights import load_weights, read_weights
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["encoder_at_start", "initial_encoder"]


def initial_encoder(name: str, takes: InputSpec, init: str, seed: int) -> Encoder:
    """Build an encoder and load its initial weights.

    Args:
        name: Name of the architecture.
        takes: The form of its input.
        init: ``"random"``, ``"pretrained"`` (timm's weights), a file (safetensors, or torch with tensors only) or a run
            folder.
        seed: Seed of random weights.

    Raises:
        UsageError: When ``init`` is none of these, or the weights don't fit the architecture.
        DataError: When the file can't be read.
    """
    if init in ("random", "pretrained"):
        return create_encoder(name, init=init, seed=seed, takes=takes)  # type: ignore[arg-type]
    source = Path(init)
    if source.is_dir():
        weights = Run.open(source).encoder_state()
    elif source.is_file():
        weights = read_weights(source)
    else:
        raise UsageError(
            f"--init {init!r} is neither a file nor a run", "use random, pretrained, a file or a run folder"
        )
    encoder = create_encoder(name, seed=seed, takes=takes)
    load_weights(encoder, weights, init)
    return encoder


def encoder_at_start(run: Run) -> Encoder:
    """The encoder of a run with its initial weights, as before the first step."""
    config = run.config
    return initial_encoder(config.encoder.name, run.preprocess.spec, config.encoder.init, config.train.seed)
