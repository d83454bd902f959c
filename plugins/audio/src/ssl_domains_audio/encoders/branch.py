"""One network of ``wave+mel`` as a run of its own, which can be embedded with, probed, fine-tuned and exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import write_errors, write_whole_folder
from ssl_domains.views import preprocess_to_dict
from ssl_domains_audio.encoders.formats_encoder import FormatsEncoder
from ssl_domains_audio.inputs import FormatsPreprocess, MelPreprocess, SoundPreprocess

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["branch_run"]

_COPIED = (
    "data_fingerprint.json", "environment.json", "fitted.json", "metrics.jsonl", "pairs.json", "recipe.json",
    "table.json", "training_samples.parquet",
)  # fmt: skip


def branch_run(run: Run, kind: str, out: str | Path) -> Path:
    """Write the run folder of one network: its weights, and the preprocess that makes its inputs.

    It keeps the training rows of the run, so a probe still tells which samples were trained on. It holds no state of
    the optimiser, so training it can't be resumed. ``branch.json`` names the run and the network.

    Args:
        run: A run with the encoder ``wave+mel``; its newest checkpoint is taken.
        kind: ``"wave"`` or ``"mel"``.
        out: Folder to create; it must be missing or empty.

    Returns:
        The folder.

    Raises:
        UsageError: For a run with another encoder, another kind, or a folder that is not empty or can't be written to.
        DataError: When the checkpoint can't be read.
        ResourceError: When the disk is full.
    """
    out = Path(out)
    encoder, preprocess = run.encoder(), run.preprocess
    if not isinstance(encoder, FormatsEncoder) or not isinstance(preprocess, FormatsPreprocess):
        cause = f"the run {run.folder.name!r} has the encoder {encoder.name!r}, which is one network"
        raise UsageError(cause, "take the run as it is, or one that was trained with --encoder wave+mel")
    if kind not in encoder.branches:
        raise UsageError(f"the encoder {encoder.name!r} has no network {kind!r}", did_you_mean(kind, encoder.branches))
    branch = encoder.branches[kind]
    waves = SoundPreprocess(preprocess.rate, preprocess.level, preprocess.fitted)
    alone = waves if kind == "wave" else MelPreprocess(waves, preprocess.mel)
    values = {key: value for key, value in run.config.flat().items() if not key.startswith("input.")}
    values.update({f"input.{name}": value for name, value in alone.settings.items()}, **{"encoder.name": branch.name})
    config = type(run.config)().with_values(values)
    state = {
        "method": {f"encoder.{name}": value for name, value in branch.state_dict().items()},
        "schedule": {"total_steps": run.checkpoints.total_steps()},
    }

    def write(part: Path) -> None:
        made = type(run)(part)
        for name in _COPIED:
            if (run.folder / name).is_file():
                shutil.copyfile(run.folder / name, part / name)
        made.write_text("preprocess.json", json.dumps(preprocess_to_dict(alone), indent=2) + "\n")
        made.write_json("branch.json", {"run": run.folder.name, "network": kind})
        made.checkpoints.save(run.step, state)
        made.write_text("config.toml", config.to_toml())

    with write_errors(f"the run {str(out)!r}"):
        write_whole_folder(out, write)
    return out
