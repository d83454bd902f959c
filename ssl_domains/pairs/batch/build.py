"""From rows to a `PairBatch`: every value a rule reads is gathered once a row, so that tiles only compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.batch import tile_rule as rowwise
from ssl_domains.pairs.batch.pair_batch import PairBatch, RelationRows
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.binding import bound_rule as bound
from ssl_domains.pairs.binding.binder import BoundObjective
from ssl_domains.pairs.binding.bins import assign_bins
from ssl_domains.pairs.binding.bound_rule import BoundRule, joint_codes
from ssl_domains.pairs.leaves.linked import joined_samples
from ssl_domains.pairs.leaves.overlap import shared_lists
from ssl_domains.pairs.leaves.within import window

__all__ = ["pair_rows"]

Ints = NDArray[np.int64]


def pair_rows(objective: BoundObjective, anchors: Rows, candidates: Rows | None = None) -> PairBatch:
    """See `BoundObjective.pairs`. Works on the CPU and moves the result to the anchors' device."""
    device = anchors.device
    a = _Side.of(anchors, objective.size)
    square = candidates is None or candidates is anchors
    c = a if candidates is None or square else _Side.of(candidates, objective.size)
    if (a.sample < 0).any() or (a.view < 0).any():
        raise UsageError("anchors must be views of samples", "stored rows and unfilled slots can only be candidates")
    both = _Both(a, c, square)

    own_code = both.ranked([both.of("sample"), both.of("part")])
    own_a, own_c = both.split(own_code)
    stored, unfilled = c.view < 0, c.sample < 0
    mine = np.isin(own_c, own_a) & stored & ~unfilled
    self_index = _own_columns(a.row, c.row, square)

    relations, codes, by_codes = [], [], []
    for relation in objective.relations:
        key = None if relation.rule.codes is None else both.keys(relation.rule.codes, relation.across_parts)
        relations.append(both.relation(relation.rule, key, relation.across_parts))
        exact = relation.rule.pure and not mine.any()
        by_codes.append(exact)
        codes.append(both.loss_codes(key, own_code) if exact and key is not None else own_code)
    ignored = objective.ignored
    if ignored is not None:
        key = None if ignored.codes is None else both.keys(ignored.codes, objective.ignored_across_parts)
        ignored_rows = both.relation(ignored, key, objective.ignored_across_parts)

    table = torch.from_numpy(np.stack(codes, axis=1))
    anchor_codes = table[: len(anchors)].contiguous()
    batch = PairBatch(
        anchors=a.rows,
        candidates=c.rows,
        square=square,
        weights=tuple(relation.weight for relation in objective.relations),
        names=objective.names,
        codes=anchor_codes,
        candidate_codes=anchor_codes if square else table[len(anchors) :].contiguous(),
        by_codes=tuple(by_codes),
        self_index=torch.from_numpy(self_index),
        has_ignore=bool(ignored is not None or unfilled.any() or mine.any()),
        own=_equal(own_a, np.where(stored | unfilled, -1, own_c)),
        own_stored=_equal(own_a, np.where(mine, own_c, -1)) if mine.any() else None,
        filled=torch.from_numpy(~unfilled) if unfilled.any() else None,
        relations=tuple(relations),
        ignored=None if ignored is None else ignored_rows,
        meets_itself=bool((self_index >= 0).any()),
    )
    return batch if device.type == "cpu" else batch.to(device)


@dataclass(frozen=True)
class _Side:
    """Rows on the CPU, as arrays ``[M]``."""

    rows: Rows
    sample: Ints
    view: Ints
    part: Ints
    row: Ints

    @classmethod
    def of(cls, rows: Rows, size: int) -> _Side:
        rows = rows if rows.device.type == "cpu" else rows.to("cpu")
        side = cls(rows, rows.sample.numpy(), rows.view.numpy(), rows.part.numpy(), rows.row.numpy())
        if len(rows) and (side.sample.min() < -1 or side.sample.max() >= size):
            wrong = int(side.sample[(side.sample < -1) | (side.sample >= size)][0])
            raise UsageError(f"a row of sample {wrong}, but the table has {size}", "Rows.sample is a position in it")
        ids = side.row[side.view >= 0]
        if len(np.unique(ids)) != len(ids):
            raise UsageError("two rows share an id", "Rows.row must be unique in the global batch: use first_row=")
        return side


@dataclass(frozen=True)
class _Both:
    """Anchors and candidates as one run of rows, anchors first; only the anchors when they are the candidates."""

    a: _Side
    c: _Side
    square: bool

    def of(self, name: str) -> Ints:
        first: Ints = getattr(self.a, name)
        return first if self.square else np.concatenate([first, getattr(self.c, name)])

    def split(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        return (values, values) if self.square else (values[: len(self.a.row)], values[len(self.a.row) :])

    def ranked(self, columns: list[Ints]) -> Ints:
        """Dense rank of the tuple of columns, whatever their values."""
        return joint_codes([np.unique(column, return_inverse=True)[1].reshape(-1) for column in columns])

    def gathered(self, codes: Ints) -> Ints:
        """A column's codes, one a row; −1 where missing or unfilled."""
        sample = self.of("sample")
        if not len(codes):
            return np.full(len(sample), -1, dtype=np.int64)
        return np.where(sample < 0, -1, codes[sample])

    def keys(self, codes: Ints, across_parts: bool) -> Ints:
        """Codes of the rule's keys with the part, unless across parts; −1 where missing."""
        found = self.gathered(codes)
        if across_parts:
            return found
        part = np.unique(self.of("part"), return_inverse=True)[1].reshape(-1)
        # Ranked first: codes of a million samples times parts of a dense map stay small.
        return joint_codes([_dense(found), part]) if part.any() else found

    def loss_codes(self, key: Ints, own_code: Ints) -> Ints:
        """Dense ranks of ``key``; missing rows have one per (sample, part), unfilled slots one of their own."""
        offset = key.max(initial=-1) + 1
        filled = np.where(self.of("sample") < 0, offset + own_code.max(initial=0) + 1, offset + own_code)
        return np.unique(np.where(key < 0, filled, key), return_inverse=True)[1].reshape(-1).astype(np.int64)

    def relation(self, rule: BoundRule, key: Ints | None, across_parts: bool) -> RelationRows:
        """The rule over the rows, its equality of keys and parts apart."""
        equal = None if key is None else _equal(*self.split(key))
        if equal is None and not across_parts:
            part = np.unique(self.of("part"), return_inverse=True)[1].reshape(-1)
            if part.any():
                equal = _equal(*self.split(part))
        terms = tuple(self.node(node) for node in rule.rest)
        rest = None if not terms else terms[0] if len(terms) == 1 else rowwise.All(terms)
        return RelationRows(rest, equal)

    def node(self, node: bound.Node) -> rowwise.RowRule:
        match node:
            case bound.Same(codes=codes):
                return _equal(*self.split(self.gathered(codes)))
            case bound.Within(values=values, width=width, decay=decay):
                sample = self.of("sample")
                found = values[sample] if len(values) else np.empty(len(sample))
                return self.near(np.where(sample < 0, np.nan, found), width, decay)
            case bound.Overlap():
                return shared_lists(node, self.a.sample, None if self.square else self.c.sample)
            case bound.Linked():
                return joined_samples(node, self.a.sample, None if self.square else self.c.sample)
            case bound.EmittedSame(name=name, edges=edges):
                found = self.emitted(name)
                return _equal(*self.split(_value_codes(found) if edges is None else assign_bins(found, edges)))
            case bound.EmittedWithin(name=name, width=width, decay=decay):
                return self.near(self.emitted(name), width, decay)
            case bound.And(terms=terms):
                return rowwise.All(tuple(self.node(term) for term in terms))
            case bound.Or(terms=terms):
                return rowwise.Any(tuple(self.node(term) for term in terms))
            case bound.Not(term=term):
                return rowwise.Inverse(self.node(term))

    def near(self, values: NDArray[np.float64], width: float, decay: bool) -> rowwise.RowRule:
        anchors, candidates = self.split(values)
        ranked = None if decay else window(anchors, candidates, width)
        if ranked is not None:
            return ranked
        return rowwise.Near(torch.from_numpy(anchors), torch.from_numpy(candidates), width, decay)

    def emitted(self, name: str) -> NDArray[np.float64]:
        """A number that views emitted, one a row; NaN where missing or unfilled."""
        sides = [self.a] if self.square else [self.a, self.c]
        for side in sides:
            if name not in side.rows.emitted:
                hint = did_you_mean(name, side.rows.emitted) if side.rows.emitted else "hand it over in Rows.emitted"
                raise UsageError(f"the rule reads {name!r}, which these rows do not carry", hint)
        values = np.concatenate([side.rows.emitted[name].to(torch.float64).numpy() for side in sides])
        return np.where(self.of("sample") < 0, np.nan, values)


def _equal(anchors: Ints, candidates: Ints) -> rowwise.Equal:
    return rowwise.Equal(torch.from_numpy(anchors), torch.from_numpy(np.where(candidates < 0, -2, candidates)))


def _dense(codes: Ints) -> Ints:
    """Codes ranked without gaps, −1 kept."""
    ranks = np.unique(codes, return_inverse=True)[1].reshape(-1)
    return np.where(codes < 0, -1, ranks)


def _value_codes(values: NDArray[np.float64]) -> Ints:
    """Equal numbers share a code; −1 for NaN."""
    return np.where(np.isnan(values), -1, np.unique(values, return_inverse=True)[1].reshape(-1))


def _own_columns(anchors: Ints, candidates: Ints, square: bool) -> Ints:
    """Where each anchor's row id stands among the candidates, −1 where it doesn't."""
    if square:
        return np.arange(len(anchors), dtype=np.int64)
    if not len(candidates):
        return np.full(len(anchors), -1, dtype=np.int64)
    order = np.argsort(candidates, kind="stable")
    place = np.minimum(np.searchsorted(candidates[order], anchors), len(candidates) - 1)
    return np.where(candidates[order][place] == anchors, order[place], -1).astype(np.int64)
