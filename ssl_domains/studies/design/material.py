"""Data and settings that all cells of a study share. Picklable, because cells may run in other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.engine import RunConfig
from ssl_domains.engine.record.config import MethodConfig
from ssl_domains.methods import MethodSource
from ssl_domains.probes import Labels
from ssl_domains.samples import Regions, SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.entries import DenseEntry, FineTuneEntry, RankingEntry, TranscriptsEntry
from ssl_domains.studies.design.groups import GroupPlan
from ssl_domains.studies.design.measures import Measure
from ssl_domains.views import PreprocessSource, Recipe, Scaling

__all__ = ["Material"]


@dataclass(frozen=True, eq=False)
class Material:
    """What all cells of a study share.

    Attributes:
        table: Decodable rows, filtered as the study file says.
        store: The arrays of the rows.
        labels: Values of the probed column; `Transcripts` where texts are probed, `Judged` where rankings are.
        label: Name of the probed column.
        groups: Held-out groups of each fold.
        config: The configuration before the values of an arm, a grid point and a seed are set in it.
        recipe: Function of the training rows and the configuration of a cell that returns its view recipe.
        scaling: For pictures: function of the training rows that returns the scaling from native unit to [0, 1].
        method: Builds the self-supervised method of the arms without one of their own.
        methods: Name → what builds the method of an arm.
        fractions: Shares of the labelled groups, in (0, 1].
        primary_probe: Name of the probe whose score chooses a grid point.
        primary_measure: The measure that chooses a grid point.
        transductive: Whether every arm pre-trains on the test groups too.
        floors: Name of a nuisance-only floor → the columns that it is fitted on.
        handmade: Name → function from images float32 ``[n, C, S, S]`` in [0, 1] to features ``[n, F]``.
        nuisance: Nuisance columns that are probed too.
        within: Column of a finer unit inside a group, such as the slice inside a patient.
        nuisance_in: ``all`` or ``training``: groups in which a nuisance column is probed that is constant in each.
        unsure: (floor name, p): test rows whose label the floor predicts with probability ≥ p are left out of the
            score.
        breakdown: (numeric column, edges of bins): accuracy is also given for each bin.
        columns: Name → table from which an arm of that ``columns`` reads the columns of its rule.
        probes: Names of the probes: ``linear``, ``k-NN``, ``dense``, ``transcripts``, ``ranking``, ``finetune``.
        masks: Decoded label masks; None without the dense probe.
        dense: Settings of the dense probe.
        mask_names: Names of the foreground classes from 1 on; empty takes those recorded by the scan.
        out: Folder of the study.
        preprocess: For other data than pictures: function of the training rows and the configuration of a cell that
            returns the preprocess.
        finetune: Settings of fine-tuning.
        standardise_by: Column within whose groups features are standardised for further probes; None for none. Every
            row with a label has a value.
        transcripts: Settings of the CTC head of transcripts.
        ranking: Settings of the probe of rankings.
        rankings: Name of a ranking without a training → function of the documents and the queries, each a table, that
            returns hits: columns ``query``, ``document`` (both samples) and ``score``.
        place_regions: Gives the regions of tables in which arrays of one place are one array, see
            `ssl_domains.extending.Domain`; None where every array is a place of its own.
    """

    table: SampleTable
    store: ArrayStore
    labels: Labels
    label: str
    groups: GroupPlan
    config: RunConfig
    recipe: Callable[[SampleTable, RunConfig], Recipe]
    scaling: Callable[[SampleTable], Scaling] | None
    method: MethodSource
    fractions: tuple[float, ...]
    primary_probe: str
    primary_measure: Measure
    out: Path
    transductive: bool = False
    floors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    handmade: Mapping[str, Callable[[Any], NDArray[np.float32]]] = field(default_factory=dict)
    nuisance: tuple[str, ...] = ()
    within: str | None = None
    nuisance_in: str = "all"
    unsure: tuple[str, float] | None = None
    breakdown: tuple[str, tuple[float, ...]] | None = None
    columns: Mapping[str, SampleTable] = field(default_factory=dict)
    methods: Mapping[str, MethodSource] = field(default_factory=dict)
    probes: tuple[str, ...] = ("linear", "k-NN")
    masks: MaskStore | None = None
    dense: DenseEntry = field(default_factory=DenseEntry)
    mask_names: tuple[str, ...] = ()
    preprocess: Callable[[SampleTable, RunConfig], PreprocessSource] | None = None
    finetune: FineTuneEntry = field(default_factory=FineTuneEntry)
    standardise_by: str | None = None
    transcripts: TranscriptsEntry = field(default_factory=TranscriptsEntry)
    ranking: RankingEntry = field(default_factory=RankingEntry)
    rankings: Mapping[str, Callable[[SampleTable, SampleTable], pl.DataFrame]] = field(default_factory=dict)
    place_regions: Callable[[Sequence[SampleTable]], list[Regions] | None] | None = None

    def method_of(self, arm: Arm) -> MethodSource:
        """What builds the method of an arm."""
        return self.methods[arm.method] if arm.method else self.method

    def config_of(self, arm: Arm) -> RunConfig:
        """The configuration before the values of an arm are set in it, with the method of the arm.

        An arm with a method of its own takes none of the options that the study gives its method.
        """
        return self.config.model_copy(update={"method": MethodConfig(name=arm.method)}) if arm.method else self.config

    def how_inputs_are_made(self, table: SampleTable, config: RunConfig | None = None) -> dict[str, Any]:
        """Scaling and preprocess for training rows, as keyword arguments of `ssl_domains.engine.Parts`.

        Args:
            table: The training rows.
            config: Configuration of a cell, whose arm may have inputs of its own; None for that of the study.
        """
        return {
            "scaling": None if self.scaling is None else self.scaling(table),
            "preprocess": None if self.preprocess is None else self.preprocess(table, config or self.config),
        }

    @property
    def label_centre(self) -> float:
        """The mean label where labels are numbers, else 0; `regression_sums` count from it in every cell."""
        if self.labels.task != "regression" or not self.labels.known.any():
            return 0.0
        return float(self.labels.y[self.labels.known].mean())
