"""A rule as a sentence: what two samples must share."""

from __future__ import annotations

from pathlib import PurePath

from ssl_domains.pairs.rules.algebra import AcrossParts, And, Not, Or, Rule, Same, Within
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key, number_text
from ssl_domains.pairs.rules.linked import Linked
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.rules.overlap import Overlap

__all__ = ["measured_columns", "objective_words", "rule_words"]


def measured_columns(objective: Objective) -> frozenset[str]:
    """Columns that the objective reads as quantities: by a window, or cut into bins."""
    rules: list[Rule] = [relation.rule for relation in objective.relations]
    rules += [] if objective.ignored is None else [objective.ignored]
    found: set[str] = set()
    while rules:
        rule = rules.pop()
        rules.extend(rule.operands)
        if isinstance(rule, Within):
            found.add(rule.column)
        elif isinstance(rule, Same):
            found.update(key.column for key in rule.keys if isinstance(key, Bins))
    return frozenset(found)


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
        case Same(keys=keys):
            return "same " + " and ".join(_key(key) for key in keys)
        case Within(column=column, width=width):
            fading = "" if rule.decay is None else ", the closer the more"
            return f"{column} at most {number_text(width)} apart{fading}"
        case Overlap(column=column, at_least=at_least):
            fading = "" if rule.weight is None else ", the more of them the more"
            many = "a member" if at_least == 1 else f"at least {at_least} members"
            return f"{many} of {column} in common{fading}"
        case Linked(file=file):
            fading = "" if rule.grade is None else ", by its grade"
            return f"linked in {PurePath(file).name}{fading}"
        case And(terms=terms):
            return " and ".join(f"({rule_words(term)})" if isinstance(term, Or) else rule_words(term) for term in terms)
        case Or(terms=terms):
            return " or ".join(rule_words(term) for term in terms)
        case Not(term=Same(keys=(key,))):
            return f"another {_key(key)}"
        case Not(term=term):
            return f"not ({rule_words(term)})"
        case AcrossParts(term=term):
            return f"{rule_words(term)}, whatever the part"
    return str(rule)


def _key(key: Key) -> str:
    if not isinstance(key, Bins):
        return "sample" if key == SAMPLE else key
    kind = "bins" if key.by == "width" else "bins of equal counts"
    per = "" if key.per is None else f", each {key.per} on its own"
    return f"bin of {key.column} ({key.n} {kind}{per})"
