"""DESIGN's "The meaning of a rule", written as it stands there: plain loops over rows, float64, nothing clever.

It shares only the descriptions of rules with the implementation: no codes, no tiles, no polarity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ssl_domains.pairs import Objective, Rows, Rule
from ssl_domains.pairs.rules.algebra import AcrossParts, And, Not, Or
from ssl_domains.pairs.rules.keys import Bins
from ssl_domains.pairs.rules.linked import Linked
from ssl_domains.pairs.rules.overlap import Overlap
from ssl_domains.pairs.rules.same import Same
from ssl_domains.pairs.rules.within import Within

Columns = Mapping[str, Sequence[Any]]


# An answer is None for unknown, 0 for no, and a weight above 0 for yes: 1 unless the rule is graded.


def kleene_and(a: float | None, b: float | None) -> float | None:
    if a == 0 or b == 0:
        return 0.0
    return None if a is None or b is None else a * b


def kleene_or(a: float | None, b: float | None) -> float | None:
    known = max((w for w in (a, b) if w is not None), default=0.0)
    return known if known > 0 or (a is not None and b is not None) else None


def kleene_not(a: float | None) -> float | None:
    return None if a is None else float(a == 0)


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def edges_of(numbers: Sequence[Any], n: int, by: str) -> list[float]:
    """Bin edges over the known, finite numbers; ties merged."""
    known = sorted(float(x) for x in numbers if not missing(x) and math.isfinite(x))
    if not known:
        return []
    lo, hi = known[0], known[-1]
    if by == "width":
        edges = [lo + (hi - lo) * k / n for k in range(n)] + [hi]
    else:
        edges = [lo]
        for k in range(1, n):
            # The k/n quantile stands at place k(m − 1)/n among m ordered values, linearly between its neighbours.
            place = Fraction(k * (len(known) - 1), n)
            left = known[math.floor(place)]
            right = known[math.ceil(place)]
            share = place - math.floor(place)
            edges.append(left + (right - left) * (share * n).numerator / n)
        edges.append(hi)
    return sorted(set(edges))


def bin_of(value: Any, edges: Sequence[float]) -> int | None:
    """The bin ``[lo, hi)``, last one closed, clamped outside; None for a missing value."""
    if missing(value):
        return None
    last = max(len(edges) - 2, 0)
    for k in range(last):
        if value < edges[k + 1]:
            return k
    return last


@dataclass
class RowValues:
    """What a rule can read of one row."""

    columns: Columns
    rows: Rows
    fitted: Mapping[str, Sequence[float]]
    edges: Mapping[str, Columns] = field(default_factory=dict)

    def value(self, name: str, index: int) -> Any:
        if name in self.rows.emitted:
            return float(self.rows.emitted[name][index])
        sample = int(self.rows.sample[index])
        if sample < 0:
            return None
        if name == "sample" and "sample" not in self.columns:
            return sample
        return self.columns[name][sample]

    def key(self, key: str | Bins, index: int) -> Any:
        if isinstance(key, str):
            return self.value(key, index)
        value = self.value(key.column, index)
        if key.range is not None:
            lo, hi = key.range
            if key.wrap and value is not None and not math.isnan(value) and not lo <= value < hi:
                # By whole turns, in exact fractions; the nearest float may be hi, which is lo again.
                exact = Fraction(lo) + (Fraction(value) - Fraction(lo)) % (Fraction(hi) - Fraction(lo))
                value = float(exact) if float(exact) < hi else lo
            return bin_of(value, [lo + (hi - lo) * k / key.n for k in range(key.n)] + [hi])
        if key.per is None:
            return bin_of(value, self.fitted[str(key)])
        group = self.value(key.per, index)
        if missing(group):
            return None
        own = [x for x, g in zip(self.columns[key.column], self.columns[key.per], strict=True) if g == group]
        return bin_of(value, edges_of(own, key.n, key.by))


def fit(objective: Objective | Rule, columns: Columns) -> dict[str, list[float]]:
    """Edges of every bins key that is fitted."""
    objective = Objective.of(objective)
    found: dict[str, list[float]] = {}
    todo = [r.rule for r in objective.relations] + ([objective.ignored] if objective.ignored is not None else [])
    while todo:
        rule = todo.pop()
        todo += rule.operands
        for key in rule.keys if isinstance(rule, Same) else ():
            if isinstance(key, Bins) and key.per is None and key.range is None:
                found[str(key)] = edges_of(columns[key.column], key.n, key.by)
    return found


LEAVES: dict[type[Rule], Callable[[Any, RowValues, int, RowValues, int], float | None]] = {}
"""Answers of leaves that a test brings itself, by the class of the description."""


def answer(rule: Rule, a: RowValues, i: int, c: RowValues, j: int) -> float | None:
    """No (0), unknown (None) or the weight of the yes, for row i of ``a`` and row j of ``c``."""
    if type(rule) in LEAVES:
        return LEAVES[type(rule)](rule, a, i, c, j)
    if isinstance(rule, Same):
        result: float | None = 1.0
        for key in rule.keys:
            x, y = a.key(key, i), c.key(key, j)
            result = kleene_and(result, None if missing(x) or missing(y) else float(x == y))
        return result
    if isinstance(rule, Within):
        x, y = a.value(rule.column, i), c.value(rule.column, j)
        distance = None if missing(x) or missing(y) else abs(float(x) - float(y))
        if missing(distance):  # infinity less infinity is no number
            return None
        return float(distance <= rule.width) if rule.decay is None else max(0.0, 1 - distance / rule.width)
    if isinstance(rule, Overlap):
        x, y = a.value(rule.column, i), c.value(rule.column, j)
        if x is None or y is None:
            return None
        x, y = ({member for member in members if not missing(member)} for members in (x, y))
        if len(x & y) < rule.at_least:
            return 0.0
        return 1.0 if rule.weight is None else len(x & y) / len(x | y)
    if isinstance(rule, Linked):
        x, y = a.value(rule.key, i), c.value(rule.key, j)
        return None if missing(x) or missing(y) else best_grade(rule, a.edges[rule.file], x, y)
    if isinstance(rule, Not):
        return kleene_not(answer(rule.term, a, i, c, j))
    result = answer(rule.operands[0], a, i, c, j)
    for term in rule.operands[1:]:
        join = kleene_and if isinstance(rule, And) else kleene_or
        assert isinstance(rule, (And, Or))
        result = join(result, answer(term, a, i, c, j))
    return result


def best_grade(rule: Linked, edges: Columns, x: Any, y: Any) -> float:
    """The largest grade above 0 of an edge between two different keys; 0 without one."""
    grades = [1.0] * len(edges[rule.a]) if rule.grade is None else edges[rule.grade]
    found = [0.0]
    for u, v, grade in zip(edges[rule.a], edges[rule.b], grades, strict=True):
        if x != y and (u, v) in ((x, y), (y, x)):
            found.append(float(grade))
    return max(found)


def reads_links(rule: Rule) -> bool:
    return isinstance(rule, Linked) or any(reads_links(term) for term in rule.operands)


def weight(rule: Rule, a: RowValues, i: int, c: RowValues, j: int) -> float:
    """The weight of a match, 0 without one: only yes, only rows of equal part unless across parts or by links."""
    across = isinstance(rule, AcrossParts) or reads_links(rule)
    if not across and a.rows.part[i] != c.rows.part[j]:
        return 0.0
    return answer(rule.term if isinstance(rule, AcrossParts) else rule, a, i, c, j) or 0.0


@dataclass
class States:
    """The state of every pair.

    Attributes:
        alphas: α_r.
        kind: ``[M][N]`` of ``"self"``, ``"own"``, ``"positive"`` (in any relation), ``"ignored"``, ``"negative"``.
        weights: float64 ``[R, M, N]``, w_r,ij, 0 where not in P_r(i).
        allowed: bool ``[M, N]``, j in A(i).
        cross: bool ``[M, R]``, a positive of another sample.
    """

    alphas: tuple[float, ...]
    kind: list[list[str]]
    weights: Tensor
    allowed: Tensor
    cross: Tensor


def states(
    objective: Objective | Rule,
    columns: Columns,
    rows: Rows,
    candidates: Rows | None = None,
    fitted: Mapping[str, Sequence[float]] | None = None,
    links: Mapping[str, Columns] | None = None,
) -> States:
    """The state of every pair of rows under an objective over columns (one value a sample) and edge tables."""
    objective = Objective.of(objective)
    others = rows if candidates is None else candidates
    edges = fit(objective, columns) if fitted is None else fitted
    a, c = RowValues(columns, rows, edges, links or {}), RowValues(columns, others, edges, links or {})
    rules = [relation.rule for relation in objective.relations]
    alphas = tuple(relation.weight for relation in objective.relations) or (1.0,)
    m, n, r = len(rows), len(others), len(alphas)
    weights = torch.zeros(r, m, n, dtype=torch.float64)
    allowed = torch.zeros(m, n, dtype=torch.bool)
    cross = torch.zeros(m, r, dtype=torch.bool)
    kind = [["negative"] * n for _ in range(m)]
    for i in range(m):
        for j in range(n):
            stored, unfilled = int(others.view[j]) == -1, int(others.sample[j]) == -1
            twin = bool(rows.sample[i] == others.sample[j] and rows.part[i] == others.part[j])
            if rows.row[i] == others.row[j]:
                kind[i][j] = "self"
                continue
            if unfilled or (stored and twin):
                kind[i][j] = "ignored"
                continue
            own = twin and not stored
            for k in range(r):
                weights[k, i, j] = 1.0 if own else weight(rules[k], a, i, c, j) if rules else 0.0
                cross[i, k] |= bool(weights[k, i, j] > 0 and rows.sample[i] != others.sample[j])
            if own:
                kind[i][j] = "own"
            elif weights[:, i, j].any():
                kind[i][j] = "positive"
            elif objective.ignored is not None and weight(objective.ignored, a, i, c, j) > 0:
                kind[i][j] = "ignored"
            allowed[i, j] = kind[i][j] != "ignored"
    return States(alphas, kind, weights, allowed, cross)


def loss(z: Tensor, state: States, temperature: float | Tensor, candidates: Tensor | None = None) -> Tensor:
    """L of the formula, float64, differentiable: no trick, one anchor at a time.

    Args:
        z: ``[M, d]``, unit vectors.
        state: What `states` returned.
        temperature: τ.
        candidates: ``[N, d]``; None for ``z``.
    """
    others = z if candidates is None else candidates
    s = z.double() @ others.double().T / temperature
    total = 0.0 * s.sum()
    for alpha, w in zip(state.alphas, state.weights, strict=True):
        terms = []
        for i in range(len(z)):
            if w[i].sum() > 0:
                lse = torch.logsumexp(s[i][state.allowed[i]], dim=0)
                terms.append(lse - (w[i] * s[i]).sum() / w[i].sum())
        if terms:
            total = total + alpha * torch.stack(terms).mean()
    return total
