"""The arms of a study: the arms of its file, their controls, and the baselines and floors of every study."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ssl_domains.pairs import Objective, parse

__all__ = ["EQUAL_EFFORT", "EQUAL_STEPS", "Arm", "Kind", "all_arms", "read_columns"]

Kind = Literal[
    "random", "supervised", "simclr", "composed", "rule", "shuffled", "pretrained", "floor", "handmade", "scratch"
]


EQUAL_STEPS = "scratch, equal steps"
EQUAL_EFFORT = "scratch, equal effort"


@dataclass(frozen=True)
class Arm:
    """One way of making features that a study compares: a training, a baseline, a control or a floor.

    Attributes:
        name: Name in tables; its folder is made of it.
        about: Description of one line.
        kind: Role in the comparison, such as ``rule`` or ``shuffled``.
        rule: Rule text; ``none`` is SimCLR.
        method: Name of the method of this arm alone; empty for that of the study.
        config: Configuration of this arm alone, by dotted key, such as ``train.lr``.
        columns: Name of another table; the rule reads its columns from there. None reads the sample table.
        of: Of a control, the name of the arm that it controls; otherwise empty. Both have the same composition of
            batches.
        reads: Columns the rule reads.
        members: Trainings whose features stand side by side.
        branch: Of an encoder of several networks, the name of the one whose features are probed; empty for all.
        components: Number of principal components that are probed in place of the features; 0 for the features.
        finetuned: Whether it is fine-tuned too, where the study fine-tunes.
        fresh_head: Whether its fine-tuning starts with a fresh head, not with that of the frozen probe.
        data: Hash of the columns that its training reads; see `studies.measuring.identity`.
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
    finetuned: bool = False
    method: str = ""
    members: int = 1
    branch: str = ""
    components: int = 0
    fresh_head: bool = False

    @property
    def trained(self) -> bool:
        """Whether it is trained before it is probed, so that a grid point and a number of updates apply to it."""
        return self.kind not in ("random", "pretrained", "floor", "handmade", "scratch")

    @property
    def embeds(self) -> bool:
        """Whether it has an encoder; floors and hand-made features have none."""
        return self.kind not in ("floor", "handmade")

    def reads_label(self, label: str) -> bool:
        """Whether its training reads the column ``label``: as the supervised arm, or through a rule on that column."""
        return self.kind == "supervised" or (label in self.reads and self.kind in ("rule", "composed"))


def all_arms(
    named: Sequence[Arm],
    controls: Mapping[str, bool],
    *,
    pretrained: bool,
    floors: Mapping[str, Sequence[str]],
    handmade: Sequence[str],
    finetune: bool = False,
    rankings: Sequence[str] = (),
    supervised: bool = True,
    bound: Collection[str] = (),
) -> tuple[Arm, ...]:
    """All arms in the order in which they run: baselines, the arms of the study file with their controls, floors.

    Args:
        named: The arms of the study file.
        controls: Name of an arm → whether its two controls (batches only, shuffled metadata) are added.
        pretrained: Whether encoders start from given weights; then those weights, not trained further, are an arm too.
        floors: Name of a floor → the columns that its trees are fitted on.
        handmade: Names of hand-made features.
        finetune: Whether arms are fine-tuned too; then two trainings from random weights stand beside them.
        rankings: Names of rankings without a training, such as BM25.
        supervised: Whether a supervised training on the labels is an arm.
        bound: Names of the arms whose method can't be trained without a rule, so that there is no control of their
            batches only.
    """
    arms = [Arm("random", "random initialisation, no training", "random", config={"train.epochs": 0})]
    if pretrained:
        about = "initial weights, no further training"
        arms.append(Arm("initial", about, "pretrained", config={"train.epochs": 0}, finetuned=True))
    if finetune:
        from_scratch = {"train.epochs": 0}
        arms += [
            Arm(
                EQUAL_STEPS, "supervised from scratch, as many updates as a fine-tuning", "scratch", config=from_scratch
            ),
            Arm(
                EQUAL_EFFORT,
                "supervised from scratch, as many views as pre-training and fine-tuning",
                "scratch",
                config=from_scratch,
            ),
        ]
    if supervised:
        arms.append(Arm("supervised", "supervised from scratch on the labelled fraction", "supervised"))
    arms += [
        Arm("simclr", "SimCLR, uniform batches", "simclr", config={"pairs.composition": "random"}, finetuned=True),
    ]
    for arm in named:
        arms.append(arm)
        if arm.rule != "none" and controls[arm.name]:
            arms += [one for one in _controls(arm) if one.kind != "composed" or arm.name not in bound]
    arms += [Arm(f"floor: {name}", f"trees on {', '.join(columns)}", "floor") for name, columns in floors.items()]
    arms += [Arm(f"features: {name}", f"hand-made features, {name}", "handmade") for name in handmade]
    arms += [Arm(f"ranking: {name}", f"{name}, no training", "handmade") for name in rankings]
    return tuple(arms)


def read_columns(rule: str) -> frozenset[str]:
    """The columns that a rule reads."""
    return Objective.of(parse(rule)).columns


def _controls(arm: Arm) -> list[Arm]:
    shared: dict[str, Any] = {"rule": arm.rule, "of": arm.name, "columns": arm.columns, "reads": arm.reads}
    shared |= {"method": arm.method, "members": arm.members, "branch": arm.branch, "components": arm.components}
    return [
        Arm(
            f"{arm.name}, batches only",
            f"SimCLR with the batches of {arm.name}",
            "composed",
            config={**arm.config, "pairs.relations": "none"},
            **shared,
        ),
        Arm(
            f"{arm.name}, shuffled",
            f"{arm.name} on shuffled metadata",
            "shuffled",
            config=arm.config,
            **shared,
        ),
    ]
