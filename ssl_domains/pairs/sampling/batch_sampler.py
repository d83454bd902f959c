"""Which samples are in which batch: a function of seed and epoch, the same in every process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, SslDomainsError, UsageError
from ssl_domains.pairs.binding.sorting import positions_dtype
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.pairs.sampling.ask import Ask
from ssl_domains.pairs.sampling.buckets import bucketed
from ssl_domains.pairs.sampling.composition import Composition, Kind
from ssl_domains.pairs.sampling.groups import GroupChunks
from ssl_domains.pairs.sampling.negatives import NegativeCount
from ssl_domains.pairs.sampling.random_batches import ENOUGH, match_counts, share_served, without_positive
from ssl_domains.pairs.sampling.seats import Seats, bind_seats
from ssl_domains.pairs.sampling.turns import Turns
from ssl_domains.samples import SampleTable

__all__ = ["BatchSampler"]

Ints = NDArray[np.int64]


class BatchSampler:
    """A batch sampler for `torch.utils.data.DataLoader` (``batch_sampler=``) over the rows a rule is bound to.

    A whole epoch is planned at once. With ``random`` and ``groups`` every row is in an epoch at least once, and a
    second time only to fill up the last batch or the last chunk of a group. With ``draw`` an epoch has as many slots,
    and every row is a seed once in ``per_group`` epochs. Rows without a match (a missing key, a group of one) form
    chunks together. With ``partner`` every row is a seed at least once an epoch.

    A slot has ``S`` seats: its seed, with ``partner`` the partner, then the drawn negatives. A batch holds the samples
    of the first seat of all its slots, then those of the next seat.

    With ``epoch_steps`` an epoch is a stretch of an endless sequence of permutations of the rows (of chunks, with
    ``groups``). Each permutation is finished before the next begins, so that every row is a seed once while
    ``ceil(rows / (epoch_steps * batch_size))`` epochs pass.

    The state is (seed, epoch, step). A DataLoader's workers fetch batches ahead of training, so a training loop that
    resumes sets its own position with `set_position`.

    Args:
        bound: The objective over the rows to sample, usually the training rows.
        composition: How batches are composed; ``auto`` is replaced by the kind it chooses, see `reason`.
        batch_size: Samples of the global batch; with ``partner``, its seeds.
        seed: Not negative.
        rank: Which slice of each global batch this process yields.
        world_size: Number of processes; must divide ``batch_size``. The global batches don't depend on it.
        table: The table that ``bound`` is bound to: `SampleTable`, polars or pandas frame, or mapping of columns. Only
            a composition with ``negatives``, ``seeds`` or ``bucket`` needs it.
        edges: Edge tables by name, for ``linked`` in ``negatives`` and ``warmup``; other names are files.

    Attributes:
        composition: The composition, without ``auto``.
        seats: The composition over the table: its seeds, partners and negatives.
        drawn: Counts of the draw of positives of the last planned epoch; None without drawing.
        negatives_drawn: Counts of its draw of negatives; None without negatives.

    Raises:
        UsageError: When sizes don't divide, the objective has no such relation or none of that kind, or a seat would
            mix rows of two kinds.
        DataError: When there are fewer rows than a batch has samples.
    """

    def __init__(
        self,
        bound: BoundObjective,
        composition: Composition | None = None,
        batch_size: int = 256,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        *,
        table: Any = None,
        edges: Mapping[str, Any] | None = None,
    ) -> None:
        composition = Composition() if composition is None else composition
        if batch_size < 2:
            raise UsageError(f"the batch size is {batch_size}", "a batch needs at least 2 samples to compare")
        if bound.size < batch_size:
            raise DataError(
                f"{bound.size} rows are fewer than a batch of {batch_size}",
                f"use a batch size of at most {bound.size}: --set train.batch_size={bound.size}",
            )
        if world_size < 1 or batch_size % world_size:
            raise UsageError(
                f"a batch of {batch_size} does not divide among {world_size} processes", "use a multiple of them"
            )
        if not 0 <= rank < world_size:
            raise UsageError(f"rank {rank} of {world_size} processes", "ranks count from 0")
        if seed < 0:
            raise UsageError(f"the seed is {seed}", "use a whole number that is not negative")
        if composition.compose_by >= len(bound.relations):
            raise UsageError(
                f"compose_by is {composition.compose_by}, but the objective has {len(bound.relations)} relations",
                "it counts them from 0",
            )
        self.bound, self.batch_size, self.seed = bound, batch_size, seed
        self.rank, self.world_size = rank, world_size
        self.epoch = self.step = 0
        self._steps_before = 0
        self.composition = self._resolve(composition) if composition.kind == "auto" else composition
        self.drawn: DrawCount | None = None
        self.negatives_drawn: NegativeCount | None = None
        self._table = None if table is None else SampleTable.of(table)
        self._edges = edges
        self._groups, self.seats, self._turns = self._prepare()
        self._planned: tuple[int, int, NDArray[Any]] | None = None

    @property
    def reason(self) -> str:
        """Why batches are composed this way, in words."""
        if self.composition.reason:
            return "; ".join([self.composition.reason, *self.composition.options])
        described = self.partnered or self.composition.options
        return f"asked for: {self.composition.meaning}" if described else "asked for"

    @property
    def partnered(self) -> bool:
        """Whether slot ``b`` of a batch has its partner, the sample of its odd views, at slot ``batch_size + b``."""
        return self.composition.kind == "partner"

    def __len__(self) -> int:
        if self.composition.epoch_steps is not None:
            return self.composition.epoch_steps
        slots = self._groups.slots if self._groups is not None else self.n_seeds
        return -(-slots // self.batch_size)

    @property
    def n_seeds(self) -> int:
        """Rows that can be seeds."""
        return self.bound.size if self.seats.seeds is None else len(self.seats.seeds)

    def plan(self, epoch: int) -> Ints:
        """The global batches of an epoch.

        Args:
            epoch: Counted from 0.

        Returns:
            Positions in the bound table, int64 ``[steps, S * batch_size]``, read-only; ``plan.reshape(steps, S, -1)``
            has one line for each seat. The members of a group, or a seed and its positives, are in adjacent slots.
            With ``partner`` the second seat holds the partners; a seed without a match is its own partner. The plan
            depends on objective, composition, seed and epoch only.

        Raises:
            DataError: When a slot has no possible negative.
        """
        plan = self._kept(epoch).astype(np.int64)
        plan.flags.writeable = False
        return plan

    def __iter__(self) -> Iterator[Ask]:
        plan, epoch, before = self._kept(self.epoch), self.epoch, self._steps_before
        share = self.batch_size // self.world_size
        local = np.arange(self.rank * share, (self.rank + 1) * share)
        for step in range(self.step, len(plan)):
            last = step + 1 == len(plan)
            self.epoch, self.step = (epoch + 1, 0) if last else (epoch, step + 1)
            self._steps_before = before + len(plan) if last else before
            seats = plan[step].reshape(-1, self.batch_size)
            yield Ask(before + step, local, seats[:, local].astype(np.int64))

    def rebind(self, bound: BoundObjective, *, table: Any = None, edges: Mapping[str, Any] | None = None) -> None:
        """Use another binding of the same objective to the same rows, after computed columns or edges were replaced.

        Epochs planned from now on use it; the kind that ``auto`` chose stays. Call it between two epochs, because it
        changes the plan of the current epoch.

        Args:
            bound: The new binding.
            table: The table with the new columns; None keeps the former one.
            edges: The new edge tables; None keeps the former ones.

        Raises:
            UsageError: When the rows or relations are different, the relation has no groups any more, or a seat would
                mix rows of two kinds.
        """
        if bound.size != self.bound.size or bound.names != self.bound.names:
            raise UsageError("this is no binding of the sampler's objective and rows", "bind the same ones again")
        before = self.bound, self._table, self._edges
        self.bound = bound
        self._table = self._table if table is None else SampleTable.of(table)
        self._edges = self._edges if edges is None else edges
        try:
            self._groups, self.seats, self._turns = self._prepare()
        except SslDomainsError:
            self.bound, self._table, self._edges = before
            raise
        self._planned = None

    def set_position(self, epoch: int, step: int, steps_before: int | None = None) -> None:
        """Continue at this step of this epoch; ``step == len(self)`` is the start of the next epoch.

        Args:
            epoch: Counted from 0.
            step: Step of this epoch, counted from 0.
            steps_before: Steps of all earlier epochs, for `Ask.step`; None if each had as many as this one.
        """
        if epoch < 0 or not 0 <= step <= len(self):
            raise UsageError(f"there is no step {step} of epoch {epoch}", f"an epoch has {len(self)} steps, from 0")
        before = epoch * len(self) if steps_before is None else steps_before
        whole = step == len(self)
        self.epoch, self.step = (epoch + 1, 0) if whole else (epoch, step)
        self._steps_before = before + step if whole else before

    def state_dict(self) -> dict[str, int]:
        """Seed, epoch and the next step."""
        return {"seed": self.seed, "epoch": self.epoch, "step": self.step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict`, with any number of processes."""
        self.seed = int(state["seed"])
        self.set_position(int(state["epoch"]), int(state["step"]))

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the bound objective's arrays: groups or index, and the last planned epoch."""
        kept = 0 if self._planned is None else self._planned[2].nbytes
        kept += 0 if self._groups is None else self._groups.nbytes
        kept += self.seats.nbytes + self._turns.nbytes
        return kept + (self.bound.drawer(self.composition.compose_by).nbytes if self._draws else 0)

    @property
    def _draws(self) -> bool:
        return self.composition.kind in ("draw", "partner")

    def _kept(self, epoch: int) -> NDArray[Any]:
        """The plan of an epoch in a small dtype, kept until another epoch is planned."""
        if self._planned is None or self._planned[:2] != (self.seed, epoch):
            self._planned = None  # frees its memory before the new one is made
            self._planned = (self.seed, epoch, self._plan(epoch).astype(positions_dtype(self.bound.size)))
        return self._planned[2]

    def _plan(self, epoch: int) -> Ints:
        rng = np.random.default_rng([self.seed, epoch])
        slots = self._slots(epoch, rng)
        # Filled up from the start of the epoch, which is not in the last batch: there are at least batch_size slots.
        missing = len(self) * self.batch_size - len(slots)
        slots = np.concatenate([slots, slots[:missing]])
        seats = np.stack([slots, self._partners(slots, rng)] if self.partnered else [slots])
        if self.seats.negatives is not None:
            self.negatives_drawn = NegativeCount()
            seats = np.concatenate([seats, self.seats.negatives(seats, rng, self.negatives_drawn)])
        if self.seats.lengths is not None:
            seats = bucketed(seats, self.seats.lengths, self.composition.unit, self.batch_size, rng)
        return seats.reshape(len(seats), -1, self.batch_size).swapaxes(0, 1).reshape(-1, len(seats) * self.batch_size)

    def _slots(self, epoch: int, rng: np.random.Generator) -> Ints:
        """The samples of the first seat of an epoch's slots; with ``epoch_steps`` these are whole batches."""
        unit, drawing = self.composition.unit, self.composition.kind == "draw"
        if self.composition.epoch_steps is None and not drawing:
            return self._groups.chunks(rng).ravel() if self._groups is not None else self._turns.make(rng)
        per_epoch = len(self) * self.batch_size // unit
        units = self._turns.stretch(self.seed, epoch * per_epoch, per_epoch)
        if not drawing:
            return units.ravel()
        drawn = self._drawn(units, unit - 1, rng)
        drawn = np.where(drawn < 0, rng.integers(0, self.bound.size, drawn.shape), drawn)
        return np.concatenate([units[:, None], drawn], axis=1).ravel()

    def _partners(self, seeds: Ints, rng: np.random.Generator) -> Ints:
        """A drawn positive of each seed, the seed itself where it has none."""
        drawn = self._drawn(seeds, 1, rng, self.seats.partners)[:, 0]
        return np.where(drawn < 0, seeds, drawn)

    def _drawn(self, seeds: Ints, k: int, rng: np.random.Generator, among: Ints | None = None) -> Ints:
        self.drawn = DrawCount()
        positives = self.bound.draw(seeds, k, rng, self.composition.compose_by, among, self.drawn)
        if self.drawn.given_up:
            warnings.warn(f"composing batches: {self.drawn}", RuntimeWarning, stacklevel=2)
        return positives

    def _prepare(self) -> tuple[GroupChunks | None, Seats, Turns]:
        """Check that the composition is possible; its groups (None without), seats and turns."""
        groups = self._prepare_groups()
        seats = bind_seats(self.composition, self.bound, self._table, self._edges)
        if groups is not None:
            return groups, seats, Turns(groups.chunks, groups.slots // self.composition.per_group, self.bound.size)
        rows = self.bound.size if seats.seeds is None else seats.seeds
        count = self.bound.size if seats.seeds is None else len(seats.seeds)
        if count < self.batch_size:
            raise DataError(
                f"{count} rows can be seeds, fewer than a batch of {self.batch_size}",
                f"use a batch size of at most {count}: --set train.batch_size={count}",
            )
        return None, seats, Turns(lambda rng: rng.permutation(rows), count, self.bound.size)

    def _prepare_groups(self) -> GroupChunks | None:
        kind, k = self.composition.kind, self.composition.per_group
        if kind not in ("groups", "draw", "partner"):
            return None
        if kind != "partner" and self.batch_size % k:
            fits = max(self.batch_size // k, 1) * k
            raise UsageError(
                f"per_group {k} does not divide a batch of {self.batch_size}",
                f"use a batch size of {fits}: --set train.batch_size={fits}",
            )
        relation = self.bound.relations[self.composition.compose_by]
        if self._draws:
            if self.bound.drawer(self.composition.compose_by).has_no_match:
                message = f"{relation.text} has no match before the views are made, so nothing can be drawn by it"
                raise UsageError(message, "compose by 'random', or by another relation: compose_by")
            return None
        if relation.codes is None:
            raise UsageError(
                f"{relation.text} has no groups", "it is not equality alone: compose by 'draw' or 'random'"
            )
        return GroupChunks(relation.codes, k, self.composition.exponent)

    def _resolve(self, requested: Composition) -> Composition:
        """The kind that ``auto`` stands for, by what random batches give in expectation."""
        relation = self.bound.relations[requested.compose_by]
        if relation.text == "none":
            return replace(requested, kind="random", reason="there is no relation to compose by")
        if relation.rule.reads_emitted:
            return replace(requested, kind="random", reason="the rule reads numbers that only the views know")
        degrees, _ = match_counts(self.bound, requested.compose_by)
        unmatched = float((degrees == 0).mean())
        if unmatched == 1:
            return replace(requested, kind="random", reason="no sample matches another")
        without = float(without_positive(degrees, self.batch_size, self.bound.size).mean())
        served = share_served(without, unmatched)
        able = "anchors" if unmatched == 0 else "anchors that match any sample"
        share = f"{100 * served:.1f} % of {able} have a positive of another sample in random batches"
        if served >= ENOUGH:
            return replace(requested, kind="random", reason=share)
        kind: Kind = "draw" if relation.codes is None else "groups"
        return replace(requested, kind=kind, reason=f"only {share}")
