"""What a fine-tuning starts from: a pre-trained run, or weights that no run of this machine made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run, RunConfig
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.finetuning.measuring.effort import Effort, pretraining_effort
from ssl_domains.views import Crop, Preprocess

__all__ = ["InitialWeights"]


@dataclass(frozen=True)
class InitialWeights:
    """The weights that are fine-tuned, and how arrays become inputs of their encoder.

    Attributes:
        init: ``pretrained``, a file of weights, or the run folder.
        base: Configuration of the run; of other weights, that of the domain.
        preprocess: The preprocess of the run, with what it fitted; of other weights, that of the domain.
        run: The run; None for other weights.
        crop: Part of a sample that the encoder sees; None for the whole.
        effort: Effort of the pre-training; None where it is not known.
    """

    init: str | Path
    base: RunConfig
    preprocess: Preprocess
    run: Run | None = None
    crop: Crop | None = None
    effort: Effort | None = None

    @classmethod
    def of_run(cls, run: Run) -> InitialWeights:
        """The weights of the newest checkpoint of a run.

        Raises:
            DataError: When the run folder is damaged.
        """
        return cls(run.folder, run.config, run.preprocess, run, run.crop, pretraining_effort(run))

    def encoder(self) -> Encoder:
        """The encoder with these weights, in evaluation mode.

        Raises:
            UsageError: When the weights don't fit the architecture, or there is no checkpoint.
            DataError: When they can't be read.
        """
        if self.run is not None:
            return self.run.encoder()
        chosen, seed = self.base.encoder, self.base.train.seed
        return initial_encoder(chosen.name, self.preprocess.spec, str(self.init), seed, chosen.segments).eval()

    def fingerprint(self) -> str:
        """SHA-256 of the weights."""
        digest = hashlib.sha256(self.base.encoder.name.encode())
        for name, tensor in sorted(self.encoder().state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
