"""The state of every pair of rows in a batch: own, positive, ignored or negative, and with what weight.

No array here has N × N entries for a batch of N rows: a relation that is equality of codes is kept as codes, and every
other one is evaluated tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from ssl_domains.pairs.batch.collapsed import CollapsedTile, collapse
from ssl_domains.pairs.batch.pair_matrices import PairMatrices, cross_by_codes, pair_matrices
from ssl_domains.pairs.batch.partner import draw_partners
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.batch.tile_rule import Equal, equal_codes, unequal_codes
from ssl_domains.pairs.binding.protocols import RowRule

__all__ = ["PairBatch", "RelationRows", "Tile"]

_SWEEP = 1024  # rows and columns of a tile where the whole batch is swept: the numbers of a tile stay in cache


@dataclass(eq=False)
class Tile:
    """The pairs of I anchors with J candidates, under R' of the relations.

    Attributes:
        matches: bool ``[R', I, J]``: candidate j is in P_r(i). For an ungraded relation it says all that ``weights``
            says, in an eighth of the memory.
        grades: For each relation None where every positive weighs 1 (see `PairBatch.graded`), else float64 ``[I, J]``
            of w_r,ij: 0 where not positive, 1 for own views.
        make_allowed: Computes ``allowed`` from the tile as it was made.
    """

    matches: Tensor
    grades: tuple[Tensor | None, ...]
    make_allowed: Callable[[], Tensor] = field(repr=False)

    @cached_property
    def allowed(self) -> Tensor:
        """bool ``[I, J]``: candidate j is in A(i), which leaves out the anchor itself and what is ignored.

        Computed on first use, from ``matches``.
        """
        return self.make_allowed()

    @cached_property
    def weights(self) -> Tensor:
        """float64 ``[R', I, J]``: w_r,ij of every relation, computed on first use."""
        weights = self.matches.to(torch.float64)
        for place, grades in enumerate(self.grades):
            if grades is not None:
                weights[place] = grades
        return weights


@dataclass(frozen=True, eq=False)
class _Fixed:
    """Pairs of a tile whose state no rule decides, bool ``[I, J]`` each; None where the tile has none of the kind.

    Attributes:
        diagonal: Which diagonal of the tile pairs anchors with themselves; None where ``self_pair`` says it.
        self_pair: The candidate is the anchor itself; left None in a square batch, where it is the diagonal.
        own: The candidate is another row of the anchor's sample and part; left None when all relations are by codes.
        own_stored: The candidate is a stored row of the anchor's sample and part.
    """

    diagonal: int | None
    self_pair: Tensor | None
    own: Tensor | None
    own_stored: Tensor | None

    def without_self(self, values: Tensor) -> Tensor:
        """Set the pairs of an anchor with itself to 0 or False, in place."""
        if self.diagonal is None:
            return _without(values, self.self_pair)
        values.diagonal(self.diagonal, -2, -1).zero_()
        return values


@dataclass(frozen=True, eq=False)
class RelationRows:
    """A rule over the rows of one batch.

    Attributes:
        rule: The terms that must say yes beside ``key``; None when there are no others.
        key: Equality of keys and parts; None where the rule has no such term.
    """

    rule: RowRule | None = None
    key: Equal | None = None

    @property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""
        return self.rule is not None and self.rule.graded

    def matches(self, i: slice, j: slice) -> Tensor:
        """Where the rule says yes: a new bool ``[I, J]``."""
        if self.key is None:
            assert self.rule is not None
            return self.rule.answer(True, i, j)
        result = self.key.answer(True, i, j)
        return result if self.rule is None else result.logical_and_(self.rule.answer(True, i, j))

    def weights(self, i: slice, j: slice) -> Tensor:
        """The weight of each match of a graded rule, 0 where there is none: a new float64 ``[I, J]``."""
        assert self.rule is not None
        weights = self.rule.weights(i, j)
        return weights if self.key is None else weights.mul_(self.key.answer(True, i, j))

    def to(self, device: torch.device | str) -> RelationRows:
        """On another device."""
        rule = None if self.rule is None else self.rule.to(device)
        return RelationRows(rule, None if self.key is None else self.key.to(device))


@dataclass(frozen=True, eq=False)
class PairBatch:
    """M anchors against N candidates under R relations; made by `BoundObjective.pairs`.

    Attributes:
        anchors: The anchors' rows.
        candidates: The candidates' rows; the same object when ``square``.
        square: Whether the candidates are the anchors.
        weights: α_r.
        names: The relations' texts.
        codes: int64 ``[M, R]``, dense ranks of (keys…, part); a missing key has its own rank per (sample, part).
        candidate_codes: int64 ``[N, R]``, the same ranks.
        by_codes: Whether the positives of relation r are exactly the candidates j ≠ i with
            ``candidate_codes[j, r] == codes[i, r]``; where it is False, only `tile` gives them.
        self_index: int64 ``[M]``, the anchor's own column among the candidates, −1 where it isn't there.
        has_ignore: Whether ``allowed`` may be False for more than the anchor itself.
        own: Rows of the batch with equal sample and part; None when all relations are by codes.
        own_stored: Stored rows of the anchor's sample and part, which are ignored; None without any.
        filled: bool ``[N]``, False for unfilled slots; None when all are filled.
        relations: The rules over these rows; without terms where the relation is ``by_codes``.
        ignored: The ignore rule over these rows, or None.
        has_self_pairs: Whether any anchor is among the candidates.
    """

    anchors: Rows
    candidates: Rows
    square: bool
    weights: tuple[float, ...]
    names: tuple[str, ...]
    codes: Tensor
    candidate_codes: Tensor
    by_codes: tuple[bool, ...]
    self_index: Tensor
    has_ignore: bool
    own: Equal | None
    own_stored: Equal | None
    filled: Tensor | None
    relations: tuple[RelationRows, ...]
    ignored: RelationRows | None
    has_self_pairs: bool

    def tile(self, i: slice, j: slice, relations: Sequence[int] | None = None) -> Tile:
        """The pairs of anchors ``i`` with candidates ``j``.

        Args:
            i: Slice of the anchors, step 1.
            j: Slice of the candidates, step 1.
            relations: The relations of the tile; None for all, empty for ``allowed`` alone.
        """
        wanted = range(len(self.weights)) if relations is None else relations
        i, j = _plain(i, len(self.anchors)), _plain(j, len(self.candidates))
        fixed = self._fixed(i, j)
        if relations is None and all(self.by_codes):
            matches = fixed.without_self(equal_codes(self.codes[i].T, self.candidate_codes[j].T))
            return Tile(matches, (None,) * len(wanted), lambda: self._allowed(i, j, fixed, dict(enumerate(matches))))
        positives = {r: self._positives(r, i, j, fixed) for r in dict.fromkeys(wanted)}
        each = [positives[r][0] for r in wanted]
        if not each:
            each = [torch.empty((0, i.stop - i.start, j.stop - j.start), dtype=torch.bool, device=self.codes.device)]
        return Tile(
            each[0][None] if len(wanted) == 1 else torch.stack(each) if wanted else each[0],
            tuple(positives[r][1] for r in wanted),
            lambda: self._allowed(i, j, fixed, {r: matched for r, (matched, _) in positives.items()}),
        )

    def collapsed(self, i: slice, j: slice) -> CollapsedTile:
        """The pairs of anchors ``i`` with candidates ``j`` for a loss that sees one relation: all taken together."""
        return collapse(self.tile(i, j), self.weights)

    @cached_property
    def graded(self) -> tuple[bool, ...]:
        """Whether a positive of relation r can have another weight than 1; never where it is ``by_codes``."""
        return tuple(relation.graded for relation in self.relations)

    def dense(self) -> Tile:
        """All pairs at once: for small batches, miners and tests."""
        return self.tile(slice(0, len(self.anchors)), slice(0, len(self.candidates)))

    def matrices(self, dtype: DTypeLike = np.float64) -> PairMatrices:
        """All pairs at once in NumPy, which takes the least time for a small batch on the CPU.

        Args:
            dtype: Of the weights of relations that are not `graded`.
        """
        return pair_matrices(self, dtype)

    def other_sample(self, i: slice, j: slice) -> Tensor:
        """Whether anchors ``i`` and candidates ``j`` are of different samples: a new bool ``[I, J]``."""
        return unequal_codes(self.anchors.sample[i], self.candidates.sample[j])

    def to(self, device: torch.device | str) -> PairBatch:
        """The batch on another device; the same object where it is there already."""
        if self.codes.device == torch.device(device):
            return self
        anchors = self.anchors.to(device)
        codes = self.codes.to(device)
        return replace(
            self,
            anchors=anchors,
            candidates=anchors if self.square else self.candidates.to(device),
            codes=codes,
            candidate_codes=codes if self.square else self.candidate_codes.to(device),
            self_index=self.self_index.to(device),
            own=None if self.own is None else self.own.to(device),
            own_stored=None if self.own_stored is None else self.own_stored.to(device),
            filled=None if self.filled is None else self.filled.to(device),
            relations=tuple(relation.to(device) for relation in self.relations),
            ignored=None if self.ignored is None else self.ignored.to(device),
        )

    def cross_sample(self) -> Tensor:
        """Whether the anchor has a positive of *another* sample in each relation: bool ``[M, R]``."""
        if not self.by_codes:
            return torch.zeros_like(self.codes, dtype=torch.bool)
        columns = [
            self.cross_by_codes(r) if by_codes else self._cross_by_tiles(r) for r, by_codes in enumerate(self.by_codes)
        ]
        return torch.stack(columns, dim=1)

    def _cross_by_tiles(self, r: int) -> Tensor:
        result = torch.zeros(len(self.anchors), dtype=torch.bool, device=self.codes.device)
        for i in _strips(len(self.anchors)):
            for j in _strips(len(self.candidates)):
                matches, _ = self._positives(r, i, j, self._fixed(i, j))
                result[i] |= matches.logical_and_(self.other_sample(i, j)).any(dim=1)
        return result

    def partner(self, generator: torch.Generator | None = None) -> Tensor:
        """One positive of each anchor, all being equally likely: of any relation, own views included.

        Args:
            generator: On any device; the same state draws the same.

        Returns:
            int64 ``[M]``, the place among the candidates; −1 for an anchor without a positive.
        """
        return draw_partners(self, generator)

    def cross_by_codes(self, r: int) -> Tensor:
        """`cross_sample` of one relation that is ``by_codes``, in O(M + N): bool ``[M]``."""
        if self.codes.device.type == "cpu":
            return torch.from_numpy(cross_by_codes(self, r))
        # If any sample of a code differs from the anchor's, its smallest or its largest sample does.
        codes, samples = self.candidate_codes[:, r], self.candidates.sample
        groups = len(self.anchors) + len(self.candidates)  # dense ranks stay below the number of rows
        largest = torch.full((groups,), -2, dtype=torch.int64, device=codes.device)
        largest = largest.scatter_reduce(0, codes, samples, "amax")
        least = torch.full((groups,), torch.iinfo(torch.int64).max, dtype=torch.int64, device=codes.device)
        least = least.scatter_reduce(0, codes, samples, "amin")
        anchor, code = self.anchors.sample, self.codes[:, r]
        empty = largest[code] == -2
        return ~empty & ((largest[code] != anchor) | (least[code] != anchor))

    def _fixed(self, i: slice, j: slice) -> _Fixed:
        return _Fixed(
            i.start - j.start if self.square else None,
            self._self_pair(i, j),
            None if self.own is None else self.own.answer(True, i, j),
            None if self.own_stored is None else self.own_stored.answer(True, i, j),
        )

    def _positives(self, r: int, i: slice, j: slice, fixed: _Fixed) -> tuple[Tensor, Tensor | None]:
        """P_r as bool ``[I, J]``, and w_r as float64 ``[I, J]`` where r is graded."""
        relation = self.relations[r]
        if self.by_codes[r]:
            return fixed.without_self(equal_codes(self.codes[i, r], self.candidate_codes[j, r])), None
        assert fixed.own is not None
        if not relation.graded:
            matches = _without(relation.matches(i, j), fixed.own_stored).logical_or_(fixed.own)
            return fixed.without_self(matches), None
        weights = _without(relation.weights(i, j), fixed.own_stored).masked_fill_(fixed.own, 1)
        fixed.without_self(weights)
        return weights.to(torch.bool), weights

    def _allowed(self, i: slice, j: slice, fixed: _Fixed, positives: Mapping[int, Tensor]) -> Tensor:
        if self.ignored is None:
            allowed = torch.ones((i.stop - i.start, j.stop - j.start), dtype=torch.bool, device=self.codes.device)
        else:
            allowed = self.ignored.matches(i, j).logical_not_()
            # A positive of any relation is never ignored.
            for r in range(len(self.weights)):
                allowed.logical_or_(positives[r] if r in positives else self._positives(r, i, j, fixed)[0])
        _without(allowed, fixed.own_stored)
        if self.filled is not None:
            allowed.logical_and_(self.filled[None, j])
        return fixed.without_self(allowed)

    def _self_pair(self, i: slice, j: slice) -> Tensor | None:
        if self.square or not self.has_self_pairs:
            return None
        return equal_codes(self.self_index[i], torch.arange(j.start, j.stop, device=self.codes.device))


def _without(values: Tensor, out: Tensor | None) -> Tensor:
    if out is None:
        return values
    # For bool, this is several times faster than filling.
    return values.logical_and_(~out) if values.dtype == torch.bool else values.masked_fill_(out, 0)


def _plain(part: slice, length: int) -> slice:
    start, stop, step = part.indices(length)
    if step != 1:
        raise ValueError("a tile is made of slices of step 1")
    return slice(start, max(start, stop))


def _strips(length: int) -> list[slice]:
    return [slice(start, min(start + _SWEEP, length)) for start in range(0, length, _SWEEP)]
