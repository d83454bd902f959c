"""Fine-tuning: train a pre-trained encoder and a head on labels, with the loop of pre-training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.engine import Rehearsal, Run, RunConfig, pretrain, rehearse
from ssl_domains.engine.processes.distributed import processes
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.parts import FineTuneParts, engine_parts
from ssl_domains.finetuning.start import frozen_probe_head

if TYPE_CHECKING:
    from ssl_domains.engine.record.events import Listener

__all__ = ["finetune", "rehearse_finetuning"]


def finetune(
    config: RunConfig,
    parts: FineTuneParts,
    out: str | Path,
    *,
    resume: bool = False,
    on_event: Listener | None = None,
) -> Run:
    """Fine-tune an encoder with a head on labelled rows, and write an ordinary run folder.

    Training is that of `ssl_domains.engine.pretrain`: the same checkpoints, precision, processes and repeatability. The
    folder also has ``task.json``, what the model predicts, and ``targets.json``, a hash of the labels.

    Args:
        config: The configuration; `finetune_config` makes one from a pre-trained run. Its section ``[method]`` holds
            the options of `FineTuneOptions`.
        parts: Labelled rows, views, and the weights to start from.
        out: The run folder.
        resume: Resume the run in ``out`` from its last checkpoint.
        on_event: Called with every event of the training.

    Returns:
        The finished run; `FineTuned.open` opens it as a model.

    Raises:
        UsageError: When labels and masks are both given or both missing, when ``layers`` needs stages that the encoder
            doesn't have, and in the cases of `pretrain`.
        DataError: When the labels can't be learnt from (see `FineTuneParts.require`), and in the cases of `pretrain`.
        ResourceError: When disk or memory run out.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; the current step is finished and saved first.
    """
    with processes() as world, exhaustion_as_resource_error():
        with world.together():
            # Before the probe is fitted, which may take minutes.
            if world.first:
                (Run.require_resumable if resume else Run.require_new)(out)
            parts.require()
        head = parts.head_start
        # A resumed run has its head in the checkpoint.
        if head is None and not resume and _starts_from_probe(config):
            with seeded(config.train.seed):
                head = world.from_first(lambda: frozen_probe_head(config, parts))
        with world.together():
            config, made = engine_parts(config, parts, head)
        return pretrain(config, made, out, resume=resume, on_event=on_event)


def rehearse_finetuning(config: RunConfig, parts: FineTuneParts) -> Rehearsal:
    """Run the first steps of a fine-tuning, with a fresh head and without writing anything, to measure time and memory.

    Raises:
        UsageError: In the cases of `finetune`.
        DataError: In the cases of `finetune`.
        ResourceError: When memory runs out.
    """
    return rehearse(*engine_parts(config, parts, parts.head_start))


def _starts_from_probe(config: RunConfig) -> bool:
    default = FineTuneOptions.model_fields["head_start"].default
    return bool(config.method.model_dump().get("head_start", default) == "probe")
