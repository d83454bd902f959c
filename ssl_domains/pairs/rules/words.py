"""A rule as a sentence: what two samples must share."""

from __future__ import annotations

from ssl_domains.pairs.rules.algebra import AcrossParts, And, Leaf, Not, Or, Rule
from ssl_domains.pairs.rules.keys import number_text
from ssl_domains.pairs.rules.objective import Objective

__all__ = ["measured_columns", "objective_words", "rule_words"]


def measured_columns(objective: Objective) -> frozenset[str]:
    """Columns that the objective reads as quantities, by a window or cut into bins."""
    return frozenset().union(*(rule.measured_columns for rule in objective.rules))


def objective_words(objective: Objective) -> str:
    """What makes a positive pair, and what is ignored, in one line."""
    relations = objective.relations
    if not relations:
        text = "No relation: a sample's own views are its only positives"
    elif len(relations) == 1:
        text = f"Positives: {rule_words(relations[0].rule)}"
    else:
        parts = [f"{number_text(relation.weight)} × {rule_words(relation.rule)}" for relation in relations]
        text = f"Positives of {len(relations)} relations: {'; '.join(parts)}"
    return text if objective.ignored is None else f"{text}. Ignored: {rule_words(objective.ignored)}"


def rule_words(rule: Rule) -> str:
    """``same('volume') & within('position_mm', 4)`` as "same volume and position_mm at most 4 apart"."""
    match rule:
        case And(terms=terms):
            return " and ".join(f"({rule_words(term)})" if isinstance(term, Or) else rule_words(term) for term in terms)
        case Or(terms=terms):
            return " or ".join(rule_words(term) for term in terms)
        case Not(term=Leaf() as leaf):
            return leaf.negated_words()
        case Not(term=term):
            return f"not ({rule_words(term)})"
        case AcrossParts(term=term):
            return f"{rule_words(term)}, whatever the part"
        case Leaf() as leaf:
            return leaf.words()
    return str(rule)
