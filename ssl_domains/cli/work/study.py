"""Prepare a study: collect its rows, arms, views and floors from the study file and the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.work.configuring import configure
from ssl_domains.cli.work.pairs import choose_pairs, nuisance_columns, with_measured, with_nuisance
from ssl_domains.cli.work.tables import (
    decodable,
    fill_masks,
    fill_store,
    open_table,
    require_mask_reader,
    require_masks,
)
from ssl_domains.cli.work.viewing import build_recipe, preprocess_of
from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.extending import Domain, Registry

if TYPE_CHECKING:
    from ssl_domains.engine import RunConfig
    from ssl_domains.methods import MethodSource
    from ssl_domains.probes import Labels
    from ssl_domains.samples import SampleTable
    from ssl_domains.studies import Arm, Material, StudyFile
    from ssl_domains.views import PreprocessSource, Recipe

__all__ = ["prepare_study"]


def prepare_study(
    registry: Registry, domain: Domain, study: StudyFile, folder: Path, out: Path, samples: Path | None = None
) -> tuple[Material, tuple[Arm, ...]]:
    """Open the table, fill its store, assign groups to folds, and resolve the arms.

    Args:
        registry: Registry of pair samplers and methods.
        domain: Domain of the data.
        study: The study file.
        folder: Folder of the study file; paths in it are relative to this folder.
        out: Folder of the study's results.
        samples: Sample table to use instead of the one in the file.

    Returns:
        What all cells share, and all arms.

    Raises:
        UsageError: For wrong columns, pairs or configurations.
        DataError: When the filters leave no row, or there are too few groups.
    """
    from ssl_domains.engine.record.config_file import with_method_options
    from ssl_domains.probes import HEADLINE, read_labels
    from ssl_domains.probes.transcripts import read_directions, read_transcripts
    from ssl_domains.samples import ASPECT_RATIO
    from ssl_domains.stores import default_store
    from ssl_domains.studies import Material, all_arms, plan_groups
    from ssl_domains.studies.design.measures import measure_named
    from ssl_domains.studies.measuring.features import check_features

    if "dense" in study.probes:
        require_mask_reader(domain, "the dense probe", "take linear and k-NN as `probes`")
    path = samples if samples is not None else folder / study.samples
    table = _filtered(open_table(domain, path), study)
    if "dense" in study.probes:
        require_masks(domain, table)
    store = fill_store(domain, table, default_store(path))
    table = decodable(table, store)
    of_texts, of_rankings = "transcripts" in study.probes, "ranking" in study.probes
    if of_rankings:
        labels: Labels = _judged(domain, table, study, path.parent)
    elif of_texts:
        texts = table.label(study.label)
        labels = read_transcripts(texts, read_directions(table.frame, texts))
    else:
        labels = read_labels(table.label(study.label))
    config = configure(domain, table, None, options={"health.group": study.group, **study.config})
    method = registry.method(config.method.name).load()
    config = with_method_options(config, method.options)
    if config.encoder.in_chans is None and domain.preprocess is None:
        config = config.with_values({"encoder.in_chans": max(store.of(table).channels())})
    table = with_nuisance(table, config)
    measured: tuple[str, ...] = ()
    if study.nuisance is None or set(study.nuisance) - set(table.columns):
        table, measured = with_measured(domain, table)
    groups = plan_groups(table, study.group, folds=study.folds, tuning=study.tuning, stratify=study.stratify)
    methods = {one.method: registry.method(one.method).load() for one in study.arms.values() if one.method}
    usual = {"health.group": study.group, "method.name": study.config.get("method.name")}
    bare = with_method_options(configure(domain, table, None, options=usual), method.options)
    named = _named_arms(registry, domain, study, bare)
    for arm in named:
        _check_inputs(domain, config, arm)
        if arm.method:
            _check_method(config, arm, methods[arm.method], table)
    floors = {name: columns for name, columns in domain.floors.items() if set(columns) <= set(table.columns)}
    floors |= {name: tuple(columns) for name, columns in study.floors.items()}
    # Trees on columns, and a linear probe on hand-made features, predict a label, no text and no ranking.
    floors, handmade = ({}, {}) if of_texts or of_rankings else (floors, domain.handmade)
    rankings = dict(domain.rankings) if of_rankings else {}
    others = {arm.columns for arm in study.arms.values() if arm.columns}
    for column in [*(name for columns in floors.values() for name in columns), *(study.nuisance or [])]:
        table.column(column)
    if study.standardise_by is not None and (table.codes(study.standardise_by)[labels.known] < 0).any():
        cause = f"`standardise_by` names {study.standardise_by!r}, which rows with a label have no value of"
        raise UsageError(cause, f'drop_missing = ["{study.standardise_by}"], or standardise by another column')
    if study.breakdown is not None:
        if labels.task != "classification":
            raise UsageError(f"`breakdown` counts accuracy, which {labels.task} has none of", "leave out `breakdown`")
        table.numbers(study.breakdown.column)
    if study.unsure is not None and (labels.task != "classification" or study.unsure.floor not in floors):
        raise UsageError(f"unsure.floor {study.unsure.floor!r} is no floor", did_you_mean(study.unsure.floor, floors))
    on_masks = study.primary.probe == "dense" or (study.primary.probe == "finetune" and "dense" in study.probes)
    leading = "mean Dice" if on_masks else HEADLINE[labels.task]
    if of_rankings and 10 not in study.ranking.at and study.primary.measure is None:
        raise UsageError(f"the leading measure is {leading}, and ranking.at is {study.ranking.at}",
                         'add 10 to ranking.at, or name a measure: primary.measure = "nDCG@5"')  # fmt: skip
    nuisance = tuple(dict.fromkeys((*nuisance_columns(domain, table, config), *measured)))
    if study.nuisance is not None:
        # The aspect ratio, which padding gives away, stands beside the columns that the study names.
        nuisance = (*study.nuisance, *(name for name in nuisance if name == ASPECT_RATIO and study.nuisance))
        nuisance = tuple(dict.fromkeys(nuisance))
    material = Material(
        table=table,
        store=store,
        labels=labels,
        label=study.label,
        groups=groups,
        config=config,
        recipe=_Recipes(domain, {name: one.needs.views for name, one in methods.items()}, method.needs.views),
        scaling=domain.scaling,
        preprocess=None if domain.preprocess is None else _Preprocesses(domain),
        place_regions=domain.place_regions,
        method=method,
        methods=methods,
        fractions=tuple(study.fractions),
        primary_probe=study.primary.probe,
        primary_measure=measure_named(study.primary.measure or leading),
        out=out,
        transductive=study.pretraining == "transductive",
        floors=floors,
        handmade=handmade,
        nuisance=nuisance,
        within=study.within,
        nuisance_in=study.nuisance_in,
        standardise_by=study.standardise_by,
        unsure=None if study.unsure is None else (study.unsure.floor, study.unsure.below),
        breakdown=None if study.breakdown is None else (study.breakdown.column, tuple(study.breakdown.edges)),
        columns={name: open_table(domain, path.parent / name) for name in others},
        probes=tuple(study.probes),
        masks=fill_masks(domain, table, path) if "dense" in study.probes else None,
        dense=study.dense,
        mask_names=tuple(study.mask_names),
        finetune=study.finetune,
        transcripts=study.transcripts,
        ranking=study.ranking,
        rankings=rankings,
    )
    for arm in named:
        check_features(material, arm)
        if arm.config.get("views.crop", config.views.crop) != config.views.crop:
            cause = f"arm {arm.name!r} has a views.crop of its own, and all arms are compared on one"
            raise UsageError(cause, "set `crop` in [config.views], for all arms")
    arms = all_arms(
        named,
        {name: entry.controls for name, entry in study.arms.items()},
        pretrained=config.encoder.init != "random",
        floors=floors,
        handmade=tuple(handmade),
        finetune="finetune" in study.probes,
        rankings=tuple(rankings),
        # On transcripts, training from scratch beside the fine-tuning is that arm with as many updates as it takes.
        supervised=not (of_rankings or {"transcripts", "finetune"} <= set(study.probes)),
        bound={arm.name for arm in named if arm.method and methods[arm.method].needs.rule},
    )
    return material, arms


def _named_arms(registry: Registry, domain: Domain, study: StudyFile, bare: RunConfig) -> Sequence[Arm]:
    """The arms of the file; ``bare`` is the configuration of a study that sets nothing."""
    from ssl_domains.studies import Arm, read_columns

    arms = []
    for name, entry in study.arms.items():
        chosen = choose_pairs(registry, domain, entry.pairs, entry.rule)
        rule = "none" if chosen is None else chosen.objective
        config: dict[str, Any] = {}
        if chosen is not None:
            config |= dict(chosen.composition or {})
            if chosen.views:
                config["views.extra"] = list(chosen.views)
        else:
            config["pairs.composition"] = "random"
        arms.append(
            Arm(
                name=name,
                about=entry.about or (entry.method if entry.method and rule == "none" else rule),
                kind="pretrained" if entry.untrained else "simclr" if rule == "none" else "rule",
                rule=rule,
                config={
                    **config,
                    **_restored(name, entry.without, study.config, bare),
                    **entry.config,
                    **({"train.epochs": 0} if entry.untrained else {}),
                },
                columns=entry.columns,
                reads=read_columns(rule),
                finetuned=entry.finetune,
                fresh_head=entry.fresh_head,
                members=entry.members,
                branch=entry.branch or "",
                components=entry.components or 0,
                method=entry.method or "",
            )
        )
    return arms


def _judged(domain: Domain, table: SampleTable, study: StudyFile, folder: Path) -> Labels:
    """The judged queries of a study of rankings.

    Raises:
        UsageError: When the table of judgements is missing, or the domain has no such ranking to fuse with.
        DataError: When the judgements are those of another table.
    """
    import numpy as np

    from ssl_domains.probes.ranking import read_judged
    from ssl_domains.samples import read_frame

    settings = study.ranking
    if settings.fused is not None and settings.fused not in domain.rankings:
        hint = did_you_mean(settings.fused, domain.rankings)
        raise UsageError(f"ranking.fused: {domain.name} has no ranking {settings.fused!r}", hint)
    file = folder / settings.judgements
    if not file.is_file():
        raise UsageError(f"there are no judgements {settings.judgements!r} beside the table", "scan writes them")
    offered = None
    if settings.offered:
        offered = np.ones(len(table), dtype=np.bool_)
        for name, values in settings.offered.items():
            offered &= np.isin(np.array(table.text(name).to_list(), dtype=object), [str(value) for value in values])
    return read_judged(
        table, read_frame(file), grade=settings.grade, ignored=settings.ignored, document=settings.document,
        offered=offered,
    )  # fmt: skip


def _restored(arm: str, without: Sequence[str], config: Mapping[str, Any], bare: RunConfig) -> dict[str, Any]:
    """The defaults of the keys of a study's configuration that an arm does without.

    Raises:
        UsageError: For a key or section that the configuration doesn't set.
    """
    made: dict[str, Any] = {}
    for key in without:
        found = [one for one in config if one == key or one.startswith(f"{key}.")]
        if not found:
            cause = f"arm {arm!r}: without {key!r}, which the study's `config` doesn't set"
            raise UsageError(cause, did_you_mean(key, config))
        made |= {one: bare.flat().get(one) for one in found}
    return made


@dataclass(frozen=True)
class _Recipes:
    """Makes the views of an arm for its training rows: as many as its method needs.

    Attributes:
        domain: Domain of the data.
        views: Name of a method → number of views of each sample.
        usual: Number of views of the arms whose method isn't in ``views``.
    """

    domain: Domain
    views: Mapping[str, int]
    usual: int

    def __call__(self, table: SampleTable, config: RunConfig) -> Recipe:
        return build_recipe(self.domain, table, config, views=self.views.get(config.method.name, self.usual))


@dataclass(frozen=True)
class _Preprocesses:
    """Makes the preprocess of an arm for its training rows.

    Attributes:
        domain: Domain of the data, with a preprocess.
    """

    domain: Domain

    def __call__(self, table: SampleTable, config: RunConfig) -> PreprocessSource:
        made = preprocess_of(self.domain, table, config)
        assert made is not None, "only domains with a preprocess come here"
        return made


def _check_inputs(domain: Domain, config: RunConfig, arm: Arm) -> None:
    """Refuse an arm that sets what the domain doesn't have in ``[input]``, before any training.

    Raises:
        UsageError: With the name of the arm.
    """
    from ssl_domains.engine.record.config_file import with_input_settings

    values = {key: value for key, value in arm.config.items() if key.startswith("input.")}
    if not values:
        return
    try:
        model = None if domain.input_settings is None else domain.input_settings()
        with_input_settings(config.with_values(values), model, domain.name)
    except UsageError as error:
        raise UsageError(f"arm {arm.name!r}: {error.message}", error.hint) from None


def _check_method(config: RunConfig, arm: Arm, method: MethodSource, table: SampleTable) -> None:
    """Refuse an arm whose options its method doesn't have, or whose rule its method doesn't read, before any training.

    Raises:
        UsageError: With the name of the arm.
    """
    from ssl_domains.engine.loop.rule_check import refuse_unread_rule
    from ssl_domains.engine.record.config import MethodConfig
    from ssl_domains.engine.record.config_file import with_method_options

    try:
        base = config.model_copy(update={"method": MethodConfig(name=arm.method)})
        made = with_method_options(base.with_values({**arm.config, "pairs.rule": arm.rule}), method.options)
        refuse_unread_rule(made, method.needs, table)
    except UsageError as error:
        raise UsageError(f"arm {arm.name!r}: {error.message}", error.hint) from None


def _filtered(table: SampleTable, study: StudyFile) -> SampleTable:
    import polars as pl

    kept = pl.lit(True)
    for name, values in study.only.items():
        column = table.column(name)
        try:
            wanted = pl.Series(values, dtype=column.dtype, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            cause = f"`only` names values of {name!r} that are no {column.dtype}"
            raise UsageError(
                cause, "write the values as the column holds them: text in quotes, numbers without"
            ) from None
        kept &= pl.col(name).is_in(wanted.implode()).fill_null(False)
    for name in study.drop_missing:
        table.column(name)
        kept &= pl.col(name).is_not_null()
    rows = table.frame.select(kept.alias("kept"))["kept"]
    if len(rows) == 1 < len(table):  # a literal alone has one row
        return table
    if not rows.any():
        raise DataError("no row is left of the table", "check `only` and `drop_missing`")
    return table.take(rows.to_numpy())
