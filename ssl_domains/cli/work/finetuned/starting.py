"""What a fine-tuning starts from, by ``--from``: a run folder, ``pretrained`` or a file of weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.work.configuring import configure
from ssl_domains.cli.work.viewing import build_recipe, preprocess_of, scaling_of
from ssl_domains.errors import UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.engine import Run
    from ssl_domains.finetuning.measuring.initial import InitialWeights
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["check_settings", "weights_of"]

_OF_RUN = ("encoder.name", "encoder.in_chans", "encoder.segments", "views.size", "views.canvas")
"""Keys that a pre-trained run fixes, as all of [input]: its weights fit no other values."""

_REFUSED = {
    "encoder.init": "--from says what is fine-tuned",
    "method.name": "the method of `finetune` is fine-tuning",
}


def check_settings(domain: Domain, start: str, encoder: str | None, settings: Mapping[str, Any]) -> Run | None:
    """Check ``--from``, ``--encoder`` and ``--set`` before anything is read; the run, or None for other weights.

    Raises:
        UsageError: When ``--from`` names nothing, a run of another domain, or random weights; when settings contradict
            the run, or belong to pre-training alone.
        DataError: When the run folder is damaged.
    """
    for key in settings:
        section = key.partition(".")[0]
        if section in ("pairs", "head"):
            raise UsageError(f"fine-tuning has no setting {key!r}: it reads no pairs and has a head of its own",
                             "leave it out")  # fmt: skip
        if key in _REFUSED:
            raise UsageError(f"--set {key} does not go with finetune: {_REFUSED[key]}", "leave it out")
    from ssl_domains.engine.record.config_file import build_config, with_input_settings, with_method_options
    from ssl_domains.finetuning.options import FineTuneOptions

    config = with_method_options(build_config({**settings, "method.name": "finetune"}), FineTuneOptions)
    with_input_settings(config, None if domain.input_settings is None else domain.input_settings(), domain.name)
    if start == "random":
        raise UsageError("--from random would be training from scratch", "scratch stands beside every fine-tuning")
    path = Path(start)
    if not path.is_dir():
        if start != "pretrained" and not path.is_file():
            cause = f"--from {start!r} is neither a run folder nor a file of weights"
            raise UsageError(cause, "--from RUN, --from pretrained, or --from weights.safetensors")
        return None
    from ssl_domains.engine import Run

    run = Run.open(path)
    if run.table_meta.domain not in ("", domain.name):
        scanned = run.table_meta.domain
        cause = f"the run {run.folder.name!r} was trained on samples of {scanned}, not of {domain.name}"
        raise UsageError(cause, f"ssl-domains {scanned} finetune")
    _refuse_other_values(run, encoder, settings)
    run.checkpoints.total_steps()  # a run without a checkpoint, or with a damaged one, is said here
    return run


def _refuse_other_values(run: Run, encoder: str | None, settings: Mapping[str, Any]) -> None:
    config = run.config.flat()
    given = {key: value for key, value in settings.items() if key in _OF_RUN or key.startswith("input.")}
    if encoder is not None:
        given["encoder.name"] = encoder
    for key, value in given.items():
        if value != config.get(key):
            cause = f"the run {run.folder.name!r} was trained with {key} = {config.get(key)!r}, not {value!r}"
            option = "--encoder" if encoder is not None and key == "encoder.name" else f"--set {key}"
            raise UsageError(cause, f"leave {option} out: fine-tuning takes it from the run")


def weights_of(
    domain: Domain,
    start: str,
    run: Run | None,
    table: SampleTable,
    store: ArrayStore,
    encoder: str | None,
    settings: Mapping[str, Any],
    samples: Path,
) -> InitialWeights:
    """The weights that are fine-tuned, with the configuration and preprocess of their encoder.

    Args:
        domain: The domain; its defaults hold where ``start`` is no run.
        start: The text of ``--from``.
        run: The run; None for other weights.
        table: The samples.
        store: Their arrays.
        encoder: Name of the encoder, for weights that no run made; None for the domain's.
        settings: Values of ``--set``.
        samples: File of the table, recorded in the configuration.

    Raises:
        UsageError: When the weights don't fit the encoder.
        DataError: When they can't be read, or no training row can be decoded.
    """
    from ssl_domains.finetuning.measuring.initial import InitialWeights

    kept = {
        key: value for key, value in settings.items() if key.partition(".")[0] in ("data", "views", "input", "encoder")
    }
    machine = {key: value for key, value in settings.items() if key == "train.device"}
    data = {"data.samples": str(samples), "data.store": kept.get("data.store")}
    if run is not None:
        initial = InitialWeights.of_run(run)
        base = run.config.with_values({**kept, **machine, **data})
        return replace(initial, base=base)
    return _without_run(domain, start, table, store, encoder, {**kept, **machine, **data})


def _without_run(
    domain: Domain,
    start: str,
    table: SampleTable,
    store: ArrayStore,
    encoder: str | None,
    values: Mapping[str, Any],
) -> InitialWeights:
    from ssl_domains.cli.work.pairs import training_rows
    from ssl_domains.engine.loop.assembly import preprocess_of as engine_preprocess
    from ssl_domains.engine.loop.parts import Parts
    from ssl_domains.engine.loop.resolving import resolve_config
    from ssl_domains.finetuning.measuring.initial import InitialWeights
    from ssl_domains.methods import SimCLR
    from ssl_domains.pairs import Composition, Objective
    from ssl_domains.views import crop_of

    train = training_rows(table)
    train = train.take(store.of(train).decoded)
    options = {**values, "encoder.init": start, **({} if encoder is None else {"encoder.name": encoder})}
    config = configure(domain, train, None, options=options)
    recipe = build_recipe(domain, train, config, max(store.of(train).channels(), default=1))
    parts = Parts(
        train, store, Objective(), Composition(), recipe, scaling_of(domain, train), SimCLR,
        preprocess_of(domain, train, config),
    )  # fmt: skip
    config = resolve_config(config, parts)
    return InitialWeights(start, config, engine_preprocess(config, parts), crop=crop_of(recipe))
