"""The arms of a study: those it names, their controls, and those that every study has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ssl_domains.pairs import Objective, parse

__all__ = ["Arm", "Kind", "all_arms", "read_columns"]

Kind = Literal["random", "supervised", "simclr", "composed", "rule", "shuffled", "pretrained", "floor", "handmade"]


@dataclass(frozen=True)
class Arm:
    """One row of the table.

    Attributes:
        name: In tables and as a folder.
        about: One line.
        kind: What it stands for.
        rule: Rule text; ``none`` is SimCLR.
        config: Configuration that differs from the other arms', by dotted key.
        columns: Table whose columns the rule reads instead.
        of: The arm that it controls; its own name elsewhere. An arm and its controls share one composition of batches.
        reads: Columns the rule reads.
        data: Stands for what is in the columns that its training reads; see `studies.identity`.
    """

    name: str
    about: str
    kind: Kind
    rule: str = "none"
    config: Mapping[str, Any] = field(default_factory=dict)
    columns: str | None = None
    of: str = ""
    reads: frozenset[str] = frozenset()
    data: str = ""

    @property
    def trained(self) -> bool:
        """Whether grid points make a difference to it."""
        return self.kind not in ("random", "pretrained", "floor", "handmade")

    @property
    def embeds(self) -> bool:
        """Whether it gives an encoder."""
        return self.kind not in ("floor", "handmade")

    def reads_label(self, label: str) -> bool:
        """Whether it is supervised: trained on the probed column itself, or by a rule that reads it."""
        return self.kind == "supervised" or (label in self.reads and self.kind in ("rule", "composed"))


def all_arms(
    named: Sequence[Arm],
    controls: Mapping[str, bool],
    *,
    pretrained: bool,
    floors: Mapping[str, Sequence[str]],
    handmade: Sequence[str],
) -> tuple[Arm, ...]:
    """The whole table, in the order in which it is read: floors to beat, baselines, the named arms with their controls.

    Args:
        named: The study's own arms, resolved.
        controls: By name, whether an arm brings its two controls.
        pretrained: Whether encoders start from weights, which are then an arm of their own.
        floors: Nuisance-only floors: name and columns.
        handmade: Names of hand-made features.
    """
    arms = [Arm("random", "random initialisation, no training", "random", config={"train.epochs": 0})]
    if pretrained:
        arms.append(Arm("initial", "initial weights, no further training", "pretrained", config={"train.epochs": 0}))
    arms += [
        Arm("supervised", "supervised from scratch on the labelled fraction", "supervised"),
        Arm("simclr", "SimCLR, uniform batches", "simclr", config={"pairs.composition": "random"}),
    ]
    for arm in named:
        arms.append(arm)
        if arm.rule != "none" and controls[arm.name]:
            arms += _controls(arm)
    arms += [Arm(f"floor: {name}", f"trees on {', '.join(columns)}", "floor") for name, columns in floors.items()]
    arms += [Arm(f"features: {name}", f"hand-made features, {name}", "handmade") for name in handmade]
    return tuple(arms)


def read_columns(rule: str) -> frozenset[str]:
    """The columns that a rule reads."""
    return Objective.of(parse(rule)).columns


def _controls(arm: Arm) -> list[Arm]:
    shared = {"rule": arm.rule, "of": arm.name, "columns": arm.columns, "reads": arm.reads}
    return [
        Arm(
            f"{arm.name}, batches only",
            f"SimCLR with the batches of {arm.name}",
            "composed",
            config={**arm.config, "pairs.relations": "none"},
            **shared,  # type: ignore[arg-type]
        ),
        Arm(
            f"{arm.name}, shuffled",
            f"{arm.name} on shuffled metadata",
            "shuffled",
            config=arm.config,
            **shared,  # type: ignore[arg-type]
        ),
    ]
