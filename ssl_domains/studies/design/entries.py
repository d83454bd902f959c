"""Sections of STUDY.toml: arms, probes, contrasts, and what is scored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "ArmEntry",
    "BreakdownEntry",
    "ContrastEntry",
    "DenseEntry",
    "Entry",
    "FineTuneEntry",
    "RankingEntry",
    "TranscriptsEntry",
    "UnsureEntry",
]


class Entry(BaseModel):
    """A section: unknown keys and values of another kind are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ArmEntry(Entry):
    """An arm: one way of making pairs, or a variation of plain SimCLR."""

    about: str = Field(default="", description="one line for the table")
    pairs: str | None = Field(default=None, description="pair sampler, as `pretrain --pairs` takes it")
    rule: str | None = Field(default=None, description="rule, as `pretrain --rule` takes it; neither is plain SimCLR")
    method: str | None = Field(default=None, description="method of this arm alone, as `methods list` names it")
    config: dict[str, Any] = Field(default_factory=dict, description="configuration that only this arm has, by key")
    without: list[str] = Field(
        default_factory=list,
        description="keys or sections of the study's `config` that this arm does without, such as 'input.bands': "
        "it has their defaults",
    )
    columns: str | None = Field(
        default=None,
        description="table beside the samples, whose columns rule and views read instead, by `sample`",
    )
    finetune: bool = Field(
        default=True, description="also fine-tune this arm where `finetune` is among `probes`; false probes it only"
    )
    fresh_head: bool = Field(
        default=False, description="fine-tune this arm from a fresh head, not from the head of the frozen probe"
    )
    members: int = Field(
        default=1,
        ge=1,
        le=10,
        description="trainings whose features stand side by side, each from weights, batches and views of its own: a "
        "control for arms of several encoders",
    )
    branch: str | None = Field(
        default=None,
        description="of an encoder of several networks, the one whose features alone are probed, such as 'mel'",
    )
    components: int | None = Field(
        default=None,
        ge=1,
        description="probe so many principal components in place of the features, fitted on the training rows: makes "
        "arms of more features comparable",
    )
    untrained: bool = Field(
        default=False,
        description="take the encoder of this arm as it starts, such as with given weights, untrained",
    )
    controls: bool = Field(
        default=True, description="also run SimCLR with this rule's batches, and the rule on shuffled metadata"
    )

    @model_validator(mode="after")
    def _one_source(self) -> ArmEntry:
        if self.pairs is not None and self.rule is not None:
            raise ValueError("pairs and rule exclude each other")
        if self.finetune and self.of_features is not None:
            raise ValueError(f"an arm of {self.of_features} is probed only: finetune = false")
        return self

    @property
    def of_features(self) -> str | None:
        """What its features are made of that no single encoder gives, in words; such features can be probed alone."""
        if self.members > 1:
            return "several members"
        if self.branch is not None:
            return "one branch"
        return None if self.components is None else "principal components"


class UnsureEntry(Entry):
    """Scores only rows whose label a floor does not predict with confidence: what the floor knows is no gain."""

    floor: str = Field(description="name of a floor, fitted on the training rows of each fold")
    below: float = Field(
        gt=0, lt=1, description="rows that the floor predicts with at least this probability are not scored"
    )


class BreakdownEntry(Entry):
    """Accuracy for each bin of a numeric column, beside the table."""

    column: str = Field(description="numeric column")
    edges: list[float] = Field(min_length=3, description="edges of the bins, ascending")


class DenseEntry(Entry):
    """The dense probe: a segmentation head on frozen feature maps, fitted on masks."""

    head: Literal["conv", "deeplab"] = Field(default="conv", description="1×1 convolution, or a small DeepLab head")
    levels: Literal["hypercolumn", "last"] = Field(default="hypercolumn", description="maps of all stages, or the last")
    steps: int = Field(default=300, ge=1, description="updates of the head, whatever the number of labelled pictures")
    lr: list[float] = Field(
        default=[0.003, 0.01, 0.03], min_length=1, description="grid, chosen inside the labelled training groups"
    )


class TranscriptsEntry(Entry):
    """The probe of transcripts: a linear CTC head on frozen frames."""

    steps: int = Field(default=500, ge=1, description="updates of the head, whatever the number of labelled lines")
    lr: list[float] = Field(
        default=[0.01, 0.03, 0.1], min_length=1, description="grid, chosen inside the labelled training groups"
    )


class RankingEntry(Entry):
    """The probe of rankings: documents by the cosine of their features to those of a query."""

    judgements: str = Field(
        default="", description="table of judged pairs beside the samples: `a` (query), `b` (document), and a grade"
    )
    grade: str = Field(default="grade", description="column of the grade, which is the gain of nDCG")
    ignored: str | None = Field(
        default=None, description="column that is above 0 for pairs that are neither relevant nor irrelevant"
    )
    relevant_from: float = Field(default=1.0, gt=0, description="smallest grade of a relevant document")
    offered: dict[str, list[str | int | bool]] = Field(
        default_factory=dict,
        description="rows that can be found: those whose column has one of these values; else all but judged queries",
    )
    document: str = Field(default="sample", description="column of the document that a row is a piece of")
    at: list[Annotated[int, Field(ge=1)]] = Field(default=[10], min_length=1, description="values of k")
    fused: str | None = Field(
        default=None,
        description="ranking of the domain, such as 'BM25', whose z-scores are added to those of each arm: the further "
        "probe 'ranking, fused'",
    )


class FineTuneEntry(Entry):
    """Fine-tuning as a probe: encoder and head are trained on the labelled groups, from the weights of an arm."""

    fractions: list[float] = Field(
        default_factory=list, description="those of `fractions` at which arms are fine-tuned; empty is all of them"
    )
    steps: int = Field(default=300, ge=1, description="updates of a fine-tuning, equal in all arms")
    batch: int = Field(default=32, ge=2, description="samples in a batch; fewer where fewer are labelled")
    lr: float | None = Field(
        default=None,
        gt=0,
        description="learning rate of pre-trained weights; unset is 3e-4, for masks and transcripts 1e-3",
    )
    head_lr: float | None = Field(
        default=None,
        gt=0,
        description="learning rate of the head, from scratch too; unset is that of the other weights, for masks from "
        "scratch 3e-2",
    )


class ContrastEntry(Entry):
    """Comparison of two arms. The primary contrast has no correction; the others are Holm-corrected together."""

    arm: str = Field(description="an arm of [arms]")
    against: str = Field(default="simclr", description="the arm that it is compared with")
    fraction: float = Field(gt=0, le=1, description="share of labelled groups, one of `fractions`")
    probe: str = Field(
        default="linear",
        description="'linear', 'k-NN', 'dense', 'transcripts', 'ranking' or 'finetune'; with `standardise_by` also "
        "'linear, standardised' and 'k-NN, standardised', with `ranking.fused` 'ranking, fused'",
    )
    measure: str | None = Field(default=None, description="by default the leading one of the probe's task")
