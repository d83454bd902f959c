"""Resolves the configuration of a run from defaults, file, pair sampler and command line options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.work.pairs import ChosenPairs, composition_of, plan_training
from ssl_domains.errors import UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.samples import SampleTable

__all__ = ["configure"]

_BATCH = 256  # default batch size; smaller for a smaller table


def configure(
    domain: Domain,
    table: SampleTable,
    chosen: ChosenPairs | None,
    *,
    file: Path | None = None,
    sets: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    world_size: int = 1,
) -> RunConfig:
    """Resolve the configuration of a run.

    Later sources override earlier ones: general defaults, the domain's defaults, the file, the pair sampler's
    composition, ``--set``, options. The default batch size fits the table, the composition and the number of processes.

    Args:
        domain: The domain; its encoder, size, canvas and channels are defaults.
        table: The training rows.
        chosen: Resolved ``--pairs`` or ``--rule``; None takes the rule of the file, if it has one.
        file: Configuration file (TOML).
        sets: ``KEY=VALUE`` texts of ``--set``.
        options: Values of options by dotted key; None doesn't change a key.
        world_size: Number of processes that share a batch.

    Raises:
        UsageError: For a wrong key or value, a setting of pictures with a domain of other data, and a setting of
            ``[input]`` that the domain doesn't have.
    """
    from ssl_domains.engine.record.config_file import load_config, with_input_settings
    from ssl_domains.pairs import Composition

    largest = min(_BATCH, len(table))
    defaults: dict[str, Any] = {"encoder.name": domain.default_encoder, "train.batch_size": largest}
    if domain.preprocess is None:
        defaults |= {
            "encoder.in_chans": domain.in_chans(table) if domain.in_chans is not None else None,
            "views.size": domain.default_size,
            "views.canvas": domain.canvas,
        }
    if table.meta.group is None and domain.group in table.columns:
        defaults["health.group"] = domain.group
    overrides = dict(options or {})
    if chosen is not None:
        overrides |= {"pairs.rule": chosen.objective, "pairs.name": chosen.name}
        sets = [*chosen.sets(), *sets]
    settings = None if domain.input_settings is None else domain.input_settings()
    config = load_config(file, sets, defaults=defaults, overrides=overrides)
    config = with_input_settings(config, settings, domain.name)
    _refuse_picture_settings(domain, config)
    composition = Composition("random") if config.pairs.rule == "none" else composition_of(config.pairs)
    able = largest if composition.seeds is None else min(largest, _seeds(domain, config, table))
    fitting = composition.fitting_batch(able, world_size)
    if fitting == largest:
        return config
    # Loaded again with another default, which a batch size from the file, --set or an option overrides.
    config = load_config(file, sets, defaults={**defaults, "train.batch_size": fitting}, overrides=overrides)
    return with_input_settings(config, settings, domain.name)


def _seeds(domain: Domain, config: RunConfig, table: SampleTable) -> int:
    """Number of rows that can be seeds of a composition that names their side."""
    plan = plan_training(domain, config.with_values({"train.batch_size": 2}), table)
    return plan.sampler.n_seeds


def _refuse_picture_settings(domain: Domain, config: RunConfig) -> None:
    """Raise `UsageError` when the configuration sets a canvas for a domain whose data are not pictures on one."""
    if domain.preprocess is None:
        return
    for name in ("size", "canvas"):
        if getattr(config.views, name) is not None:
            cause = f"the domain {domain.name} has no setting views.{name}: its data are not pictures on a canvas"
            raise UsageError(cause, f"leave views.{name} out")
