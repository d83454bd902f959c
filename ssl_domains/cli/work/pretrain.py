"""Pre-training from a sample table to a finished run; used by the commands ``pretrain`` and ``demo``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.console import error
from ssl_domains.cli.progress import showing_progress
from ssl_domains.cli.work.configuring import configure
from ssl_domains.cli.work.pairs import (
    choose_pairs,
    composition_of,
    inspect_training,
    nuisance_columns,
    placed_regions,
    training_rows,
    with_nuisance,
)
from ssl_domains.cli.work.scan import is_table, scan_to
from ssl_domains.cli.work.tables import add_problems, decodable, fill_store, open_table, shrinking
from ssl_domains.cli.work.viewing import build_recipe, preprocess_of, scaling_of
from ssl_domains.errors import UsageError
from ssl_domains.extending import Domain, Registry

if TYPE_CHECKING:
    from ssl_domains.engine import Parts, Rehearsal, Run, World
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.samples import SampleTable

__all__ = ["PretrainRequest", "pretrain_run"]


@dataclass(frozen=True)
class PretrainRequest:
    """Options of a ``pretrain`` command line.

    Attributes:
        source: Sample table, or source files of the domain; these are scanned first, to a table beside the run.
        out: Run folder.
        pairs: ``NAME`` or ``NAME(key=literal, …)``.
        rule: Rule text.
        options: Values of options that set a configuration key, by dotted key; None for an option that was not given.
        config: Configuration file (TOML).
        sets: ``KEY=VALUE`` texts of ``--set``.
        resume: Whether to continue from the run's last checkpoint.
        dry_run: Whether to do one step only, and print memory, estimated time and composition; nothing is saved.
    """

    source: Path
    out: Path
    pairs: str | None = None
    rule: str | None = None
    options: Mapping[str, Any] | None = None
    config: Path | None = None
    sets: tuple[str, ...] = ()
    resume: bool = False
    dry_run: bool = False


def pretrain_run(
    registry: Registry, domain: Domain, request: PretrainRequest, say: Callable[[str], None]
) -> Run | Rehearsal:
    """Check the pairs, then train.

    Test rows are never used. Rows that can't be decoded are left out, and a message gives their number. The run stores
    the resolved rule and composition, so that resuming needs neither ``--pairs`` nor the plugin of the pair sampler.

    Raises:
        UsageError: For options, rules, columns or configurations that don't fit; for a run folder that can't be written
            to, or that another process trains into.
        DataError: When the pairs can't be trained on.
    """
    from ssl_domains.engine import Run, pretrain, rehearse, reporter
    from ssl_domains.engine.processes.distributed import processes

    with ExitStack() as stack:
        world = stack.enter_context(processes())
        with world.together():
            # Before anything is scanned or decoded, which may take hours.
            if world.first and not request.dry_run:
                stack.enter_context(Run.alone(request.out))
                (Run.require_resumable if request.resume else Run.require_new)(request.out)
        with world.in_turn():
            config, parts = _prepare(registry, domain, request, say, world)
        if request.dry_run:
            return rehearse(config, parts)
        nuisance = nuisance_columns(domain, parts.table, config)
        return pretrain(
            config, parts, request.out, resume=request.resume, on_event=reporter(), nuisance=nuisance,
            regions=None if request.resume else placed_regions(domain, parts.table),
        )  # fmt: skip


def _prepare(
    registry: Registry, domain: Domain, request: PretrainRequest, say: Callable[[str], None], world: World
) -> tuple[RunConfig, Parts]:
    """Make configuration and parts. The first process scans, checks and decodes; then the others read the results."""
    from ssl_domains.engine import Parts
    from ssl_domains.engine.loop.rule_check import refuse_unread_rule
    from ssl_domains.engine.record.config_file import with_method_options
    from ssl_domains.methods import needs_with
    from ssl_domains.pairs import parse
    from ssl_domains.stores import default_store
    from ssl_domains.views import crop_of

    samples = request.source
    if not is_table(samples):
        samples = _scanned(domain, request, say, world)
    table = open_table(domain, samples)
    train = training_rows(table)
    config = _config(registry, domain, request, samples, train, world)
    if request.resume:
        _require_same_method(request.out, config)
    method = registry.method(config.method.name).load()
    config = with_method_options(config, method.options)
    needs = needs_with(method, config.method.model_dump())
    needs.require(config.views.n or needs.views, config.method.name)
    refuse_unread_rule(config, needs, train)
    train = with_nuisance(train, config)
    _say_pairs(config, needs.pairs, say)
    if world.first:
        # Checked before decoding, so that a useless rule is refused within seconds. The engine checks again, with the
        # rows that could be decoded.
        report = inspect_training(domain, config, train)
        for warning in report.warnings:
            error("warning", warning, "")
        report.check()
    store = fill_store(domain, table, Path(config.data.store) if config.data.store else default_store(samples))
    if world.first:
        add_problems(table, store, samples)
    decoded = decodable(train, store)
    if len(decoded) < len(train):  # the default batch size may be smaller now
        config = _config(registry, domain, request, samples, decoded, world)
        config = with_method_options(config, method.options)
    train = decoded
    recipe = build_recipe(domain, train, config, max(store.of(train).channels()), views=needs.views)
    if domain.preprocess is None and crop_of(recipe) is None and world.first:
        size, _ = config.views.square
        warning = shrinking(train, store, size)
        if warning:
            error("warning", warning, f"--set views.size={2 * size} keeps more of it")
    parts = Parts(
        train,
        store,
        parse(config.pairs.rule),
        composition_of(config.pairs),
        recipe,
        scaling_of(domain, train),
        method,
        preprocess_of(domain, train, config),
    )
    return config, parts


def _config(
    registry: Registry, domain: Domain, request: PretrainRequest, samples: Path, train: SampleTable, world: World
) -> RunConfig:
    chosen = choose_pairs(registry, domain, request.pairs, request.rule)
    file = request.config
    if request.resume and file is None and (request.out / "config.toml").is_file():
        file = request.out / "config.toml"
    options = {"data.samples": str(samples), **(request.options or {})}
    return configure(domain, train, chosen, file=file, sets=request.sets, options=options, world_size=world.size)


def _require_same_method(folder: Path, config: RunConfig) -> None:
    """Refuse to resume a run with another method, whose options are others too.

    Raises:
        OtherConfigError: When the run in ``folder`` was made with another method.
    """
    from ssl_domains.engine import Run
    from ssl_domains.engine.record.checkpoint import OtherConfigError

    if not (folder / "config.toml").is_file():
        return
    kept, given = Run.open(folder).config.method.name, config.method.name
    if kept == "finetune":
        cause = f"the run {folder.name!r} was fine-tuned, and pretrain can't resume it"
        raise OtherConfigError(cause, "resume it with finetune --resume, or give another --out for a new run")
    if given != kept:
        cause = f"the run {folder.name!r} was made with the method {kept!r}, and a resumed run keeps its method"
        raise OtherConfigError(
            f"{cause}: not {given!r}", f"use --method {kept} to go on, or another --out for a new run"
        )


def _scanned(domain: Domain, request: PretrainRequest, say: Callable[[str], None], world: World) -> Path:
    samples = request.out.with_name(f"{request.out.name}.samples.parquet")
    if world.first and not (request.resume and samples.is_file()):
        with showing_progress() as progress:
            scanned = scan_to(domain, request.source, samples, progress=progress)
        say(f"{len(scanned.result.samples)} samples scanned to {samples}; {len(scanned.result.problems)} left out")
    return samples


def _say_pairs(config: RunConfig, read: bool, say: Callable[[str], None]) -> None:
    pairs = config.pairs
    if pairs.rule == "none":
        positives = "with own views as the only positives" if read else "reads no pairs"
        say(f"no --pairs and no --rule: {config.method.name} {positives}")
        if pairs.relations == "none":
            raise UsageError("--relations none has no rule to compose batches by", "it goes with --pairs or --rule")
        if pairs.shuffle_metadata is not None:
            raise UsageError("--shuffle-metadata has nothing to shuffle", "it goes with --pairs or --rule")
        return
    say(f"pairs: {pairs.rule}" + (f" ({pairs.name})" if pairs.name else ""))
    if pairs.relations == "none":
        say("relations none: batches are composed by the rule, positives are own views only")
    if pairs.shuffle_metadata is not None:
        say(f"control: the rule's columns are shuffled, seed {pairs.shuffle_metadata}")
