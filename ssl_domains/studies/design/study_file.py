"""STUDY.toml: the arms, the groups and the primary contrast of a study, written down before anything runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.studies.design.entries import (
    ArmEntry,
    BreakdownEntry,
    ContrastEntry,
    DenseEntry,
    Entry,
    FineTuneEntry,
    RankingEntry,
    TranscriptsEntry,
    UnsureEntry,
)

__all__ = ["FUSED", "StudyFile", "read_study_file", "standardised_name"]

MOST_GRID_POINTS = 3
FUSED = "ranking, fused"
"""Name of the probe of rankings whose z-scores are added to those of a ranking without a training."""


class StudyFile(Entry):
    """The settings of a study, as its TOML file gives them."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="lower-case word, of the result page's file")
    title: str = Field(description="heading of the result page")
    about: str = Field(description="what the data is: what is real, what is simulated, what is not claimed")
    command: str | None = Field(default=None, description="the command that runs this study, printed on its page")
    samples: str = Field(description="sample table; the path is relative to this file")
    label: str = Field(
        default="",
        description="column that is probed, unless `probes` is ranking; only rules that name it read it",
    )
    group: str = Field(description="column whose groups are held out whole: the unit of evidence")
    stratify: str | None = Field(default=None, description="column whose values are spread evenly over the folds")
    only: dict[str, list[str | int | bool]] = Field(
        default_factory=dict, description="keep the rows whose column has one of these values"
    )
    drop_missing: list[str] = Field(default_factory=list, description="drop rows in which one of these is missing")
    folds: Annotated[int, Field(ge=2)] | Annotated[str, Field(min_length=1)] | list[str] | None = Field(
        default=None,
        description="number of folds over groups; or columns that hold train, test or nothing, as 'fold_*' or a list; "
        "or 'leave-one-out', which holds each group out once; without, the table's column `split`",
    )
    seeds: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="trainings of each arm and fold; draw k of the labels goes with seed k. Below 5 the primary "
        "contrast makes no headline, below 4 there is no p-value, below 3 no interval",
    )
    fractions: list[float] = Field(default=[0.1, 1.0], min_length=1, description="shares of the labelled groups")
    tuning: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="share of the groups that are never tested, on which the grid is chosen; where `folds` names "
        "columns, the share of each fold's training groups",
    )
    pretraining: Literal["inductive", "transductive"] = Field(
        default="inductive", description="'transductive' pre-trains on the test groups too, in every arm, and says so"
    )
    config: dict[str, Any] = Field(default_factory=dict, description="configuration of every arm, by key or section")
    grid: list[dict[str, Any]] = Field(
        default_factory=list, max_length=MOST_GRID_POINTS, description="the same points for every arm, three at most"
    )
    arms: dict[str, ArmEntry] = Field(min_length=1, description="arms, beside those that every study has")
    primary: ContrastEntry = Field(description="the contrast that the study is run for")
    secondary: list[ContrastEntry] = Field(
        default_factory=list, description="further contrasts, beside those that every study makes"
    )
    margin: float | None = Field(
        default=None,
        gt=0,
        description="smallest difference of the primary measure that matters in practice, such as 0.02; the page says "
        "whether intervals lie beyond it, within it, or neither",
    )
    probes: list[Literal["linear", "k-NN", "dense", "transcripts", "ranking", "finetune"]] = Field(
        default=["linear", "k-NN"],
        min_length=1,
        description="'dense' needs masks that were scanned with the images; 'finetune' trains the encoder too, on the "
        "masks beside 'dense', else on the label; 'transcripts' reads the label as text, and stands alone or beside "
        "'finetune'; 'ranking' scores the documents that are found for queries, and stands alone",
    )
    standardise_by: str | None = Field(
        default=None,
        description="column such as the speaker, within whose groups features are standardised, those of the test rows "
        "included: 'linear' and 'k-NN' are also fitted on these, as 'linear, standardised' and 'k-NN, standardised'. "
        "Such a score is transductive, and the page says so",
    )
    nuisance: list[str] | None = Field(
        default=None, description="nuisance columns to probe; by default the domain's, and the values that it measures"
    )
    nuisance_in: Literal["all", "training"] = Field(
        default="all",
        description="groups in which a nuisance column is probed that is constant in each group, such as the speaker: "
        "'training' leaves out those that pre-training did not see",
    )
    kept_beside: str | None = Field(
        default=None,
        description="nuisance column: the page draws each arm's score of the label over its score of this column, "
        "what each rule keeps and loses",
    )
    within: str | None = Field(
        default=None, description="finer unit inside a group; splits a nuisance column that is constant in each group"
    )
    unsure: UnsureEntry | None = Field(default=None, description="score only rows that a floor does not predict well")
    breakdown: BreakdownEntry | None = Field(default=None, description="accuracy by bins of a number, beside the table")
    floors: dict[str, list[str]] = Field(default_factory=dict, description="further floors: name and their columns")
    mask_names: list[str] = Field(default_factory=list, description="dense probe: foreground classes, from 1 on")
    dense: DenseEntry = Field(default_factory=lambda: DenseEntry(), description="the dense probe, equal in all arms")
    transcripts: TranscriptsEntry = Field(
        default_factory=lambda: TranscriptsEntry(), description="the probe of transcripts, equal in all arms"
    )
    ranking: RankingEntry = Field(
        default_factory=lambda: RankingEntry(), description="the probe of rankings, equal in all arms"
    )
    finetune: FineTuneEntry = Field(
        default_factory=lambda: FineTuneEntry(), description="fine-tuning, where it is among `probes`"
    )

    @model_validator(mode="after")
    def _consistent(self) -> StudyFile:
        for where, contrast in [("primary", self.primary), *(("secondary", one) for one in self.secondary)]:
            if contrast.arm not in self.arms:
                raise ValueError(f"{where}.arm {contrast.arm!r} is not one of [arms]")
            if contrast.fraction not in self.fractions:
                raise ValueError(f"{where}.fraction {contrast.fraction:g} is not one of fractions")
            if contrast.probe not in self.probe_names:
                raise ValueError(f"{where}.probe {contrast.probe!r} is not one of probes")
            if contrast.probe == "finetune" and not self.finetune_at(contrast.fraction):
                raise ValueError(f"{where}.fraction {contrast.fraction:g} is not one of finetune.fractions")
        if set(self.finetune.fractions) - set(self.fractions):
            raise ValueError("finetune.fractions are some of fractions")
        for probe, name in (("dense", "dense probe"), ("transcripts", "probe of transcripts")):
            made = next((arm.of_features for arm in self.arms.values() if arm.of_features is not None), None)
            if probe in self.probes and made is not None:
                raise ValueError(f"an arm of {made} has no {name}")
        if "transcripts" in self.probes and self.standardise_by is not None:
            raise ValueError("standardise_by is for pooled features, and transcripts are read from frames")
        if set(self.probes) == {"finetune"}:
            raise ValueError("finetune stands beside another probe, which chooses the grid point")
        if "transcripts" in self.probes and set(self.probes) - {"transcripts", "finetune"}:
            raise ValueError("transcripts stand alone in probes, or beside finetune: the label is a text")
        if "transcripts" in self.probes and self.floors:
            raise ValueError("floors predict a label and no text: leave them out beside transcripts")
        self._check_rankings()
        if any(not 0 < fraction <= 1 for fraction in self.fractions):
            raise ValueError("fractions are above 0 and up to 1")
        if any(arm.untrained and arm.controls for arm in self.arms.values()):
            raise ValueError("an arm that is not trained has no controls: controls = false")
        if not self.arms[self.primary.arm].controls and not self.arms[self.primary.arm].untrained:
            raise ValueError("the primary arm cannot do without its controls")
        for name in self.arms:
            if name in STANDING or not name.replace("_", "").replace("-", "").isalnum():
                raise ValueError(f"an arm cannot be called {name!r}")
        return self

    def _check_rankings(self) -> None:
        if "ranking" not in self.probes:
            if not self.label:
                raise ValueError("label names the column that is probed")
            return
        if self.label or self.probes != ["ranking"] or self.standardise_by is not None or self.floors:
            raise ValueError("ranking stands alone: leave out label, other probes, standardise_by and floors")
        if self.fractions != [1.0]:
            raise ValueError("a ranking is fitted on no label: fractions = [1.0]")
        if not self.ranking.judgements:
            raise ValueError("ranking.judgements names the table of judged pairs")

    @property
    def probe_names(self) -> list[str]:
        """Names of the probes of the table, those on standardised features included."""
        frozen = [name for name in self.probes if name in ("linear", "k-NN")]
        fused = [FUSED] if "ranking" in self.probes and self.ranking.fused is not None else []
        return [*self.probes, *fused, *(standardised_name(name) for name in frozen if self.standardise_by is not None)]

    def finetune_at(self, fraction: float) -> bool:
        """Whether arms are fine-tuned at a share of labelled groups."""
        return "finetune" in self.probes and fraction in (self.finetune.fractions or self.fractions)


def standardised_name(probe: str) -> str:
    """Name of a probe on features that are standardised within groups, such as ``"linear, standardised"``."""
    return f"{probe}, standardised"


STANDING = ("random", "supervised", "simclr")
"""Names of arms that every study has; an arm of the file can't have them."""


def read_study_file(path: str | Path) -> StudyFile:
    """Read and check a STUDY.toml.

    Raises:
        UsageError: When the file is missing, is not TOML, or has a wrong key or value; one line and a hint.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the study {path}: {error.strerror}", "give the path of a STUDY.toml") from None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8, a number of too many digits, too many brackets
        raise UsageError(f"{path} is not TOML: {error}", "see the how-to page on studies") from None
    values["config"] = _dotted(values.get("config", {}))
    if isinstance(values.get("grid"), list):
        values["grid"] = [_dotted(point) for point in values["grid"]]
    if isinstance(values.get("arms"), dict):
        values["arms"] = {
            name: {**arm, "config": _dotted(arm.get("config", {}))} if isinstance(arm, dict) else arm
            for name, arm in values["arms"].items()
        }
    try:
        return StudyFile.model_validate(values)
    except ValidationError as error:
        raise _one_line(error, path) from None


def _dotted(sections: Any) -> Any:
    """Sections as dotted keys: ``{"train": {"epochs": 8}}`` becomes ``{"train.epochs": 8}``."""
    if not isinstance(sections, dict):
        return sections
    flat: dict[str, Any] = {}
    for key, value in sections.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def _one_line(error: ValidationError, path: Path) -> UsageError:
    # A misspelt key also leaves the right key missing; the message is about the misspelt one.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    # The kinds that a value may have are part of pydantic's place of it, and say nothing to a reader.
    place = first["loc"][:1] if first["loc"][:1] == ("folds",) else first["loc"]
    key = ".".join(str(part) for part in place)
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if first["type"] == "extra_forbidden":
        known = ArmEntry.model_fields if first["loc"][0] == "arms" else StudyFile.model_fields
        known = ContrastEntry.model_fields if first["loc"][0] == "primary" else known
        return UsageError(f"{path.name}: unknown key {key!r}", did_you_mean(str(first["loc"][-1]), known))
    field = StudyFile.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    text = f"{key!r}: {message}" if key else message
    return UsageError(f"{path.name}: {text}", field.description or "" if field is not None else "")
