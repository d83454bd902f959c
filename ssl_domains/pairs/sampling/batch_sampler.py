"""Which samples meet in which batch: a pure function of seed and epoch, the same on every rank."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs.binding.binder import BoundObjective
from ssl_domains.pairs.binding.sorting import positions_dtype
from ssl_domains.pairs.drawing.draw import drawer
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.pairs.sampling.composition import Composition
from ssl_domains.pairs.sampling.expected import cross_positives, measurable_batches
from ssl_domains.pairs.sampling.groups import GroupChunks

__all__ = ["BatchSampler"]

Ints = NDArray[np.int64]

_ENOUGH = 0.99
"""Share of anchors with a positive of another sample from which random batches need no help."""
_LOOK = 2**16  # slots of random batches that `auto` looks at


class BatchSampler:
    """A batch sampler for `torch.utils.data.DataLoader` (``batch_sampler=``) over the rows a rule is bound to.

    Epochs are planned whole. With ``random`` and ``groups`` every row appears at least once an epoch, whatever it
    lacks, and a second time only where the last batch or a group's last K must be filled up. With ``draw`` an epoch has
    as many slots; the seeds run through all rows once in ``per_group`` epochs. Rows without anybody to meet (a missing
    key, a group of one) stand together. With ``partner`` every row is a seed at least once an epoch, and a batch has
    ``2 * batch_size`` slots: seeds, then their partners.

    The state is (seed, epoch, step). It runs ahead of training when a DataLoader's workers prefetch; a training loop
    that resumes says where with `set_position`.

    ``drawn`` tells what drawing the epoch planned last cost and gave up; None without drawing.

    Args:
        bound: The objective over the rows to sample, usually the training rows.
        composition: How batches are composed; ``auto`` is resolved here, see `composition` and `reason`.
        batch_size: Samples of the global batch; with ``partner``, its seeds.
        seed: Not negative.
        rank: Which slice of each global batch this process yields.
        world_size: Processes; must divide ``batch_size``. It may differ between runs: the global batches don't.

    Raises:
        UsageError: When sizes don't divide, or the objective has no such relation or none of that kind.
        DataError: When there are fewer rows than a batch holds.
    """

    def __init__(
        self,
        bound: BoundObjective,
        composition: Composition | None = None,
        batch_size: int = 256,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        composition = Composition() if composition is None else composition
        if batch_size < 2:
            raise UsageError(f"the batch size is {batch_size}", "a batch needs at least 2 samples to compare")
        if bound.size < batch_size:
            raise DataError(
                f"{bound.size} rows are fewer than a batch of {batch_size}", f"use a batch size of at most {bound.size}"
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
        self.composition = self._resolve(composition) if composition.kind == "auto" else composition
        self._groups = self._prepare()
        self.drawn: DrawCount | None = None
        self._planned: tuple[int, int, NDArray[Any]] | None = None

    @property
    def reason(self) -> str:
        """Why batches are composed as they are, in words."""
        asked = f"asked for: {self.composition.meaning}" if self.partnered else "asked for"
        return self.composition.reason or asked

    @property
    def partnered(self) -> bool:
        """Whether slot ``b`` of a batch has its partner at ``batch_size + b``: the sample of every odd view."""
        return self.composition.kind == "partner"

    def __len__(self) -> int:
        slots = self._groups.slots if self._groups is not None else self.bound.size
        return -(-slots // self.batch_size)

    def plan(self, epoch: int) -> Ints:
        """The global batches of an epoch.

        Args:
            epoch: Counted from 0.

        Returns:
            Positions in the bound table, int64 ``[steps, batch_size]``, read-only; groups, and seeds with their
            positives, stand next to one another. With ``partner`` ``[steps, 2 * batch_size]``: the seeds, then the
            partner of each in the same order, itself where it has none. Depends on nothing but objective, composition,
            seed and epoch.
        """
        plan = self._kept(epoch).astype(np.int64)
        plan.flags.writeable = False
        return plan

    def __iter__(self) -> Iterator[list[int]]:
        plan, epoch = self._kept(self.epoch), self.epoch
        share = self.batch_size // self.world_size
        mine = slice(self.rank * share, (self.rank + 1) * share)
        for step in range(self.step, len(plan)):
            last = step + 1 == len(plan)
            self.epoch, self.step = (epoch + 1, 0) if last else (epoch, step + 1)
            slots = plan[step].reshape(-1, self.batch_size)  # with partners, a row of them below the seeds
            yield slots[:, mine].ravel().tolist()

    def rebind(self, bound: BoundObjective) -> None:
        """Plan by another binding of the same objective to the same rows: after a refresh of what is computed.

        Epochs planned from now on follow it; the composition that ``auto`` chose stays. Call it between two epochs:
        a plan is a function of objective, seed and epoch, so the rest of an epoch would change under way.

        Raises:
            UsageError: When the rows or relations are others, or the relation has lost its groups.
        """
        if bound.size != self.bound.size or bound.names != self.bound.names:
            raise UsageError("this is no binding of the sampler's objective and rows", "bind the same ones again")
        before = self.bound
        self.bound = bound
        try:
            self._groups = self._prepare()
        except UsageError:
            self.bound = before
            raise
        self._planned = None

    def set_position(self, epoch: int, step: int) -> None:
        """Go on with this step of this epoch; ``step == len(self)`` is the start of the next one."""
        if epoch < 0 or not 0 <= step <= len(self):
            raise UsageError(f"there is no step {step} of epoch {epoch}", f"an epoch has {len(self)} steps, from 0")
        self.epoch, self.step = (epoch + 1, 0) if step == len(self) else (epoch, step)

    def state_dict(self) -> dict[str, int]:
        """Seed, epoch and the next step."""
        return {"seed": self.seed, "epoch": self.epoch, "step": self.step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken, with any number of processes."""
        self.seed = int(state["seed"])
        self.set_position(int(state["epoch"]), int(state["step"]))

    @property
    def nbytes(self) -> int:
        """Bytes kept beside the bound objective's own arrays: groups or index, and the epoch planned last."""
        kept = 0 if self._planned is None else self._planned[2].nbytes
        kept += 0 if self._groups is None else self._groups.nbytes
        return kept + (drawer(self.bound, self.composition.compose_by).nbytes if self._draws else 0)

    @property
    def _draws(self) -> bool:
        return self.composition.kind in ("draw", "partner")

    def _kept(self, epoch: int) -> NDArray[Any]:
        """The plan of an epoch in the smallest type, kept until another is asked for."""
        if self._planned is None or self._planned[:2] != (self.seed, epoch):
            self._planned = None  # the old one need not stay while the new one is made
            self._planned = (self.seed, epoch, self._plan(epoch).astype(positions_dtype(self.bound.size)))
        return self._planned[2]

    def _plan(self, epoch: int) -> Ints:
        rng = np.random.default_rng([self.seed, epoch])
        if self._groups is not None:
            slots = self._groups.chunks(rng).ravel()
        elif self.composition.kind == "draw":
            slots = self._seeds_and_drawn(epoch, rng)
        else:
            slots = rng.permutation(self.bound.size)
        # Filled up from the epoch's start, which a last batch can't meet: there are at least as many slots as it holds.
        missing = len(self) * self.batch_size - len(slots)
        plan = np.concatenate([slots, slots[:missing]]).reshape(-1, self.batch_size)
        if self.partnered:
            plan = np.concatenate([plan, self._partners(plan, rng)], axis=1)
        return plan

    def _seeds_and_drawn(self, epoch: int, rng: np.random.Generator) -> Ints:
        """Seeds of this epoch, each followed by its drawn positives; who has none is followed by anybody."""
        k, size = self.composition.per_group, self.bound.size
        per_epoch = len(self) * self.batch_size // k
        first = epoch * per_epoch  # in the endless row of permutations of the table
        turns = range(first // size, (first + per_epoch - 1) // size + 1)
        order = np.concatenate([np.random.default_rng([self.seed, turn, 1]).permutation(size) for turn in turns])
        seeds = order[first - turns.start * size :][:per_epoch]
        drawn = self._drawn(seeds, k - 1, rng)
        drawn = np.where(drawn < 0, rng.integers(0, size, drawn.shape), drawn)
        return np.concatenate([seeds[:, None], drawn], axis=1).ravel()

    def _partners(self, seeds: Ints, rng: np.random.Generator) -> Ints:
        """A drawn positive of each seed, the seed itself where it has none."""
        drawn = self._drawn(seeds.ravel(), 1, rng).reshape(seeds.shape)
        return np.where(drawn < 0, seeds, drawn)

    def _drawn(self, seeds: Ints, k: int, rng: np.random.Generator) -> Ints:
        self.drawn = DrawCount()
        found = self.bound.draw(seeds, k, rng, self.composition.compose_by, count=self.drawn)
        if self.drawn.given_up:
            warnings.warn(f"composing batches: {self.drawn}", RuntimeWarning, stacklevel=2)
        return found

    def _prepare(self) -> GroupChunks | None:
        """Check what the composition needs; the groups, where it composes by groups."""
        kind, k = self.composition.kind, self.composition.per_group
        if kind not in ("groups", "draw", "partner"):
            return None
        if kind != "partner" and self.batch_size % k:
            raise UsageError(f"per_group {k} does not divide a batch of {self.batch_size}", "use a multiple of it")
        relation = self.bound.relations[self.composition.compose_by]
        if self._draws:
            if drawer(self.bound, self.composition.compose_by).draws_nobody:
                message = f"{relation.text} matches nobody before the views are made, so nothing can be drawn by it"
                raise UsageError(message, "compose by 'random', or by another relation: compose_by")
            return None
        if relation.codes is None:
            raise UsageError(
                f"{relation.text} has no groups", "it is not equality alone: compose by 'draw' or 'random'"
            )
        return GroupChunks(relation.codes, k, self.composition.exponent)

    def _resolve(self, asked: Composition) -> Composition:
        relation = self.bound.relations[asked.compose_by]
        if relation.text == "none":
            return replace(asked, kind="random", reason="there is no relation to compose by")
        if relation.rule.reads_emitted:
            return replace(asked, kind="random", reason="the rule reads numbers that only the views know")
        batches = min(max(1, _LOOK // self.batch_size), self.bound.size // self.batch_size)
        rows = np.random.default_rng([self.seed, 0]).permutation(self.bound.size)
        looked = rows[: batches * self.batch_size].reshape(batches, self.batch_size)
        matched = (cross_positives(relation, looked[: measurable_batches(relation, looked)]) > 0).mean()
        share = f"{100 * matched:.1f} % of anchors have a positive of another sample in random batches"
        if matched >= _ENOUGH:
            return replace(asked, kind="random", reason=share)
        if relation.codes is not None:
            return replace(asked, kind="groups", reason=f"only {share}")
        return replace(asked, kind="draw", reason=f"only {share}")
