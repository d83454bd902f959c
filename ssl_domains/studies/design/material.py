"""What a domain and a study file bring to the cells of a study; picklable, as cells run in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import RunConfig
from ssl_domains.methods import MethodSource
from ssl_domains.probes import Labels
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.studies.design.groups import GroupPlan
from ssl_domains.studies.design.measures import Measure
from ssl_domains.studies.design.study_file import DenseEntry
from ssl_domains.views import Scaling, ViewRecipe

__all__ = ["Material"]


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that all cells share.

    Attributes:
        table: Decodable rows, filtered as the study says.
        store: Their arrays.
        labels: The probed column.
        label: Its name.
        groups: Who is held out when.
        config: The configuration before an arm, a grid point and a seed change it.
        recipe: Makes the views from the training rows and the configuration of a cell.
        scaling: From native unit to [0, 1], given the training rows.
        method: Builds the self-supervised method.
        fractions: Shares of the labelled groups.
        primary_probe: Name of the probe that grid points are chosen by.
        primary_measure: And of the measure.
        transductive: Whether every arm pre-trains on the test groups too.
        floors: Columns of each nuisance-only floor.
        handmade: Functions of images float32 ``[n, C, S, S]`` in [0, 1] to features ``[n, F]``, by name.
        nuisance: Columns to probe beside.
        within: Finer unit inside a group.
        unsure: A floor and a probability: rows of which the floor is surer are not asked.
        breakdown: A numeric column and edges: accuracy is also given by their bins.
        columns: Tables that arms read their rule's columns from, by the name the arm gives.
        probes: Names of the probes: ``linear``, ``k-NN``, ``dense``.
        masks: Decoded label masks, None without the dense probe.
        dense: Settings of the dense probe.
        mask_names: Foreground classes; those that the scan recorded when empty.
        out: Folder of the study.
    """

    table: SampleTable
    store: ArrayStore
    labels: Labels
    label: str
    groups: GroupPlan
    config: RunConfig
    recipe: Callable[[SampleTable, RunConfig], ViewRecipe]
    scaling: Callable[[SampleTable], Scaling]
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
    unsure: tuple[str, float] | None = None
    breakdown: tuple[str, tuple[float, ...]] | None = None
    columns: Mapping[str, SampleTable] = field(default_factory=dict)
    probes: tuple[str, ...] = ("linear", "k-NN")
    masks: MaskStore | None = None
    dense: DenseEntry = field(default_factory=DenseEntry)
    mask_names: tuple[str, ...] = ()

    @property
    def label_centre(self) -> float:
        """The mean label where labels are numbers, else 0; `regression_sums` count from it in every cell."""
        if self.labels.task != "regression" or not self.labels.known.any():
            return 0.0
        return float(self.labels.y[self.labels.known].mean())
