"""The declaration of a pair sampler: a named objective with the composition of its batches."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssl_domains.errors import SslDomainsError, UsageError, did_you_mean

if TYPE_CHECKING:
    from ssl_domains.pairs import Composition, Objective, Rule

__all__ = ["PairSampler", "parse_call"]

_CALL = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*(?P<arguments>\(.*\))?\s*", re.DOTALL)


@dataclass(frozen=True)
class PairSampler:
    """A named objective with its composition of batches, as the hook ``ssl_domains_pair_samplers`` returns it.

    Usually one line: ``PairSampler("patient", "medical", "positives share a patient", "same('patient')")``. With
    parameters, ``objective`` is a function that returns the text (or a `Rule` or `Objective`)::

        def region(by: str = "theta", n: int = 4) -> str:
            return f"same(bins({by!r}, {n}))"

        PairSampler("region", "fisheye", "positives share a region of the lens", region)

    and the command line takes ``--pairs "region(by='radius', n=3)"``.

    Attributes:
        name: Identifier, unique within its domain.
        domain: Name of the domain whose columns it reads, ``"*"`` for any.
        summary: One line for lists.
        objective: Rule text, or a function of keyword parameters with defaults.
        composition: How batches are made of groups; a function gets the same parameters; None chooses by the numbers
            (random when ≥ 99 % of the anchors that can have a cross-sample positive then have one, else groups or
            draw).
        views: Names of views beyond the domain's usual ones that this sampler asks for.
    """

    name: str
    domain: str
    summary: str
    objective: str | Callable[..., str | Rule | Objective]
    composition: Composition | Callable[..., Composition] | None = None
    views: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a pair sampler's name must be an identifier, not {self.name!r}")

    @property
    def signature(self) -> str:
        """The call on the command line with all defaults: ``region(by='theta', n=4)``."""
        if isinstance(self.objective, str):
            return self.name
        inside = [
            p.name if p.default is p.empty else f"{p.name}={p.default!r}"
            for p in inspect.signature(self.objective).parameters.values()
        ]
        return f"{self.name}({', '.join(inside)})"

    def resolve(self, **params: Any) -> tuple[Objective, Composition]:
        """The objective and composition for the given parameters.

        Raises:
            UsageError: For an unknown or missing parameter, or a rule that can't be built from the values.
        """
        self._check(params)
        # Imported here, so that hooks and `--help` do not import the rule algebra.
        from ssl_domains.pairs import Composition, Objective, parse

        try:
            made = self.objective if isinstance(self.objective, str) else self.objective(**params)
            rule = parse(made) if isinstance(made, str) else made
        except SslDomainsError:
            raise  # errors of the rule algebra are already clear
        except (TypeError, ValueError) as error:
            raise UsageError(f"{self.name}: {error}", f"written as {self.signature}") from error
        objective = Objective.of(rule)
        composition = self.composition
        if composition is None:
            composition = Composition()
        elif callable(composition):
            composition = composition(**params)
        return objective, composition

    def _check(self, params: dict[str, Any]) -> None:
        if isinstance(self.objective, str):
            known, needed = set[str](), set[str]()
        else:
            accepted = inspect.signature(self.objective).parameters
            if any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
                return
            known = set(accepted)
            needed = {name for name, p in accepted.items() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}
        for word in params:
            if word not in known:
                near = did_you_mean(word, known) if known else "it takes no parameters"
                raise UsageError(f"{self.name} has no parameter {word!r}", f"{near}; written as {self.signature}")
        if missing := sorted(needed - set(params)):
            raise UsageError(f"{self.name} needs {', '.join(missing)}", f"written as {self.signature}")


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``NAME`` or ``NAME(key=literal, …)`` into name and parameters; literals only, nothing is evaluated.

    Raises:
        UsageError: When the text is anything else.
    """
    hint = "write a name, or a name with literals: --pairs \"region(by='theta', n=4)\""
    unreadable = UsageError(f"can't read --pairs {text!r}", hint)
    # The name is split off first: a sampler may be called `class`, which is not a valid name for `ast.parse`.
    match = _CALL.fullmatch(text)
    if match is None:
        raise unreadable
    if match["arguments"] is None:
        return match["name"], {}
    try:
        node = ast.parse(f"_{match['arguments']}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise unreadable from error
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.args:
        raise unreadable
    params: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise unreadable
        try:
            params[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
            raise UsageError(f"--pairs: the value of {keyword.arg!r} must be a literal", hint) from error
    return match["name"], params
