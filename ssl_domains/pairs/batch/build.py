"""Building a `PairBatch` from bound rules and rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.batch.batch_values import RowArrays, RowsOfBatch
from ssl_domains.pairs.batch.pair_batch import PairBatch, RelationRows
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.batch.tile_rule import AllOf, AnyOf, Equal, Inverse
from ssl_domains.pairs.binding.bound_rule import BoundRelation, BoundRule
from ssl_domains.pairs.binding.nodes import And, Node, Not, Or
from ssl_domains.pairs.binding.protocols import RowRule

__all__ = ["build_pairs"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def build_pairs(
    size: int,
    relations: Sequence[BoundRelation],
    ignored: BoundRule | None,
    ignored_across_parts: bool,
    anchors: Rows,
    candidates: Rows | None = None,
    ignore_stored: bool = False,
) -> PairBatch:
    """See `BoundObjective.pairs`. Works on the CPU and moves the result to the anchors' device.

    Args:
        size: Rows of the table.
        relations: The relations over it.
        ignored: The ignore rule, or None.
        ignored_across_parts: Whether that matches rows of different parts.
        anchors: Views of samples.
        candidates: The rows that anchors are compared with; None for the anchors.
        ignore_stored: Whether stored rows that match a relation are ignored instead of positive.
    """
    device = anchors.sample.device
    a = RowArrays.of(anchors, size)
    square = candidates is None or candidates is anchors
    c = a if candidates is None or square else RowArrays.of(candidates, size)
    if a.unfilled is not None or a.stored is not None:
        raise UsageError("anchors must be views of samples", "stored rows and unfilled slots can only be candidates")
    rows = RowsOfBatch(a, c, square)

    own_codes = rows.own_codes()
    own_a, own_c = rows.split(own_codes)
    own_stored = None if c.stored is None else _own_stored(own_a, own_c, c.stored)
    unmatched = c.stored if ignore_stored and c.stored is not None and c.stored.any() else None
    self_index = _self_columns(a.row, c.row, square)

    relation_rows, codes, by_codes = [], [], []
    for relation in relations:
        rule = relation.rule
        keys = None if rule.codes is None else rows.keys(rule.codes, relation.across_parts)
        exact = rule.pure and own_stored is None and unmatched is None
        by_codes.append(exact)
        codes.append(rows.loss_codes(keys, own_codes) if exact and keys is not None else own_codes)
        relation_rows.append(RelationRows() if exact else _relation(rows, rule, keys, relation.across_parts))
    ignored_rows = None
    if ignored is not None:
        keys = None if ignored.codes is None else rows.keys(ignored.codes, ignored_across_parts)
        ignored_rows = _relation(rows, ignored, keys, ignored_across_parts)
    if unmatched is not None:
        relation_rows, ignored_rows = _ignoring(unmatched, len(anchors), relation_rows, ignored_rows)

    table = torch.from_numpy(codes[0][:, None] if len(codes) == 1 else np.stack(codes, axis=1))
    anchor_codes = table if square else table[: len(anchors)].contiguous()
    batch = PairBatch(
        anchors=a.rows,
        candidates=c.rows,
        square=square,
        weights=tuple(relation.weight for relation in relations),
        names=tuple(relation.text for relation in relations),
        codes=anchor_codes,
        candidate_codes=anchor_codes if square else table[len(anchors) :].contiguous(),
        by_codes=tuple(by_codes),
        self_index=torch.from_numpy(self_index),
        has_ignore=ignored_rows is not None or c.unfilled is not None or own_stored is not None,
        own=None if all(by_codes) else _own(rows, own_a, own_c),
        own_stored=own_stored,
        filled=None if c.unfilled is None else torch.from_numpy(~c.unfilled),
        relations=tuple(relation_rows),
        ignored=ignored_rows,
        has_self_pairs=square or bool((self_index >= 0).any()),
    )
    return batch if device.type == "cpu" else batch.to(device)


def _own(rows: RowsOfBatch, own_a: Ints, own_c: Ints) -> Equal:
    """Where a candidate is a view of the anchor's sample and part.

    Of samples themselves where that says the same: the tensors are those of the rows, by which
    `ssl_domains.pairs.batch.pair_matrices` knows it.
    """
    a, c = rows.anchor_rows, rows.candidate_rows
    if rows.part is None and c.stored is None and c.unfilled is None:
        return Equal(a.rows.sample, c.rows.sample)
    return Equal.of(own_a, own_c if c.stored is None else np.where(c.stored, -1, own_c))


def _own_stored(own_a: Ints, own_c: Ints, stored: Bools) -> Equal | None:
    """Where a stored row is of the anchor's sample and part; None where none is.

    Args:
        own_a: Own codes of the anchors, see `RowsOfBatch.own_codes`.
        own_c: Own codes of the candidates.
        stored: Which candidates are stored rows.
    """
    twins = np.isin(own_c, own_a) & stored & (own_c >= 0)
    return Equal.of(own_a, np.where(twins, own_c, -1)) if twins.any() else None


def _relation(rows: RowsOfBatch, rule: BoundRule, keys: Ints | None, across_parts: bool) -> RelationRows:
    """A rule over the rows: equality of ``keys`` and parts, and the terms that are left."""
    equal = None if keys is None else rows.equal(keys)
    if equal is None and not across_parts and rows.part is not None:
        equal = rows.equal(rows.part)
    terms = tuple(_row_rule(node, rows) for node in rule.rest)
    rest = None if not terms else terms[0] if len(terms) == 1 else AllOf(terms)
    return RelationRows(rest, equal)


def _ignoring(
    stored: Bools, anchors: int, relations: list[RelationRows], ignored: RelationRows | None
) -> tuple[list[RelationRows], RelationRows]:
    """Relations without their matches among stored rows, and an ignore rule that also says yes for these.

    Args:
        stored: Which candidates are stored rows.
        anchors: Number of anchors.
        relations: The relations.
        ignored: The ignore rule, or None.
    """
    every = np.zeros(anchors, dtype=np.int64)
    in_batch = Equal.of(every, np.where(stored, -1, 0))
    in_store = Equal.of(every, np.where(stored, 0, -1))
    terms = [_terms(relation) for relation in relations]
    left = [RelationRows(AllOf((*term, in_batch))) for term in terms]
    taken: tuple[RowRule, ...] = tuple(AllOf((*term, in_store)) for term in terms)
    if ignored is not None:
        taken = (*taken, AllOf(_terms(ignored)))
    return left, RelationRows(AnyOf(taken))


def _terms(relation: RelationRows) -> tuple[RowRule, ...]:
    return tuple(term for term in (relation.key, relation.rule) if term is not None)


def _row_rule(node: Node, rows: RowsOfBatch) -> RowRule:
    """A node of a bound rule over the rows."""
    match node:
        case And(terms=terms):
            return AllOf(tuple(_row_rule(term, rows) for term in terms))
        case Or(terms=terms):
            return AnyOf(tuple(_row_rule(term, rows) for term in terms))
        case Not(term=term):
            return Inverse(_row_rule(term, rows))
        case leaf:
            return leaf.on_rows(rows)


def _self_columns(anchors: Ints, candidates: Ints, square: bool) -> Ints:
    """Where each anchor's row id is among the candidates', −1 where it isn't."""
    if square:
        return np.arange(len(anchors), dtype=np.int64)
    if not len(candidates):
        return np.full(len(anchors), -1, dtype=np.int64)
    order = np.argsort(candidates, kind="stable")
    place = np.minimum(np.searchsorted(candidates[order], anchors), len(candidates) - 1)
    return np.where(candidates[order][place] == anchors, order[place], -1).astype(np.int64)
