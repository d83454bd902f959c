"""The pairs of a run: the rule bound to the training rows, the batches, and the two controls of a rule.

The controls are own views as the only positives (``pairs.relations = "none"``) and shuffled metadata
(``pairs.shuffle_metadata``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import UsageError
from ssl_domains.pairs import (
    BatchSampler,
    Binding,
    BoundObjective,
    Composition,
    Computed,
    Objective,
    PairsReport,
    Rule,
    inspect_pairs,
)
from ssl_domains.pairs.rules.keys import SAMPLE
from ssl_domains.samples import Regions, SampleTable
from ssl_domains.samples.split import shuffle_columns

__all__ = ["PairPlan", "group_column", "plan_pairs"]


@dataclass(frozen=True)
class PairPlan:
    """The objective that composes batches, the objective of the loss, and the batches.

    Attributes:
        objective: The rule as given.
        binding: The rule bound to the training rows and to the columns that the method computes; with
            ``pairs.shuffle_metadata``, the columns of the rule are permuted in it.
        fitted: Bin edges fitted on the training rows, or taken from the run that is resumed.
        sampler: Draws the batches.
        own_views: With ``pairs.relations = "none"``, the objective with own views as the only positives; else None.
        group: Column of the groups that count as independent, such as the patient; None where it is not known.
        anyway: Whether pairs that equal SimCLR in practice are trained on all the same.
    """

    objective: Objective
    binding: Binding
    fitted: dict[str, list[float]]
    sampler: BatchSampler
    own_views: BoundObjective | None
    group: str | None = None
    anyway: bool = False

    @property
    def table(self) -> SampleTable:
        """The training rows with the columns that the rule reads: permuted for the control, computed ones included."""
        return self.binding.table

    @property
    def composed_by(self) -> BoundObjective:
        """The objective by which batches are composed."""
        return self.binding.bound

    @property
    def scored_by(self) -> BoundObjective:
        """The objective that gives the loss its positives."""
        return self.binding.bound if self.own_views is None else self.own_views

    def restore(self, computed: Computed) -> None:
        """Use new computed columns and edge tables, for the epochs planned from now on and for `scored_by`."""
        bound = self.binding.restore(computed)
        self.sampler.rebind(bound, table=self.binding.table, edges=computed.edges)

    def inspect(
        self, label: str | None = None, nuisance: Sequence[str] = (), regions: Regions | None = None
    ) -> PairsReport:
        """The report of the ``pairs`` command on these pairs; its ``check()`` raises when they can't be trained on.

        Args:
            label: As in `inspect_pairs`, likewise the others.
            nuisance: Columns that should not explain the pairs.
            regions: Region of each row, in which arrays of one place are one array.
        """
        return inspect_pairs(
            self.table,
            self.objective,
            self.composed_by,
            self.sampler,
            label=label,
            nuisance=nuisance,
            fitted=self.fitted,
            group=self.group,
            anyway=self.anyway,
            regions=regions,
        )


def plan_pairs(
    config: RunConfig,
    table: SampleTable,
    objective: Objective | Rule,
    composition: Composition,
    *,
    fitted: Mapping[str, Sequence[float]] | None = None,
    emitted: Sequence[str] = (),
    replaced: Sequence[str] = (),
    computed: Computed | None = None,
    world: World | None = None,
) -> PairPlan:
    """Bind an objective to the training rows and plan the batches.

    Args:
        config: Its ``pairs``, ``train.batch_size``, ``train.seed`` and ``health.group`` are read.
        table: The training rows; all must be decodable.
        objective: The rule.
        composition: How batches are composed.
        fitted: Bin edges of a run that is resumed; None fits them on ``table``.
        emitted: Names of the numbers that the views emit.
        replaced: Those of them that stand for the columns of these names, which say the place of the whole sample: the
            rule reads the place of the drawn crop.
        computed: Columns and edge tables that the method computes; None when it computes none.
        world: The processes that share each batch; None for one process.

    Raises:
        UsageError: When a column is missing or of the wrong type, or a batch is larger than the training set or
            doesn't divide among the processes.
    """
    objective = Objective.of(objective)
    for key in (key for rule in objective.rules for key in rule.bins):
        if key.column in replaced and key.range is None:
            cause = f"{key} has no edges: {key.column!r} is the place of a crop, known only once it is drawn"
            raise UsageError(cause, f"give them: bins({key.column!r}, {key.n}, range=(0, 1000))")
    if set(replaced) & set(table.columns):
        table = replace(table, frame=table.frame.drop([name for name in replaced if name in table.columns]))
    batch_size = config.train.batch_size
    if batch_size > len(table):
        message = f"train.batch_size is {batch_size}, but there are only {len(table)} training samples"
        raise UsageError(message, f"use --set train.batch_size={max(2, len(table))}")
    if config.pairs.shuffle_metadata is not None:
        shuffled = sorted(name for name in objective.columns if name in table.columns)
        # Edges are metadata too: permuting the sample ids permutes them. Nothing else reads the ids.
        shuffled += [SAMPLE] if SAMPLE in objective.edge_keys else []
        if not shuffled:
            raise UsageError("pairs.shuffle_metadata needs a rule that reads columns", "give --pairs or --rule")
        table = shuffle_columns(table, shuffled, config.pairs.shuffle_metadata, config.pairs.shuffle_within)
    edges = objective.fit(table) if fitted is None else {key: list(values) for key, values in fitted.items()}
    names = Computed() if computed is None else computed
    binding = Binding.of(
        objective, table, edges, columns=tuple(names.columns), edges=tuple(names.edges), emitted=tuple(emitted)
    )
    if computed is not None:
        binding.restore(computed)
    own_views = Objective().bind(table) if config.pairs.relations == "none" else None
    world = World() if world is None else world
    sampler = BatchSampler(
        binding.bound, composition, batch_size, config.train.seed, world.rank, world.size,
        table=binding.table, edges=binding.computed.edges,
    )  # fmt: skip
    group = group_column(table, config.health.group)
    return PairPlan(objective, binding, edges, sampler, own_views, group, config.pairs.anyway)


def group_column(table: SampleTable, named: str | None) -> str | None:
    """Column of the groups that count as independent, such as the patient.

    Args:
        table: The training rows.
        named: Value of ``health.group``; None takes the group that the table was split by.

    Returns:
        A column of the table; None when none is named and the table's group is not known.

    Raises:
        UsageError: When there is no column ``named``.
    """
    if named is not None:
        return str(table.column(named).name)
    return table.meta.group if table.meta.group in table.columns else None
