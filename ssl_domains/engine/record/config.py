"""The configuration of a run: every key with its default and meaning.

This module imports only pydantic, so that ``config show`` and ``config schema`` start without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from ssl_domains.pairs.sampling.composition import Composition

__all__ = [
    "DataConfig",
    "EncoderConfig",
    "HeadConfig",
    "HealthConfig",
    "InputConfig",
    "MethodConfig",
    "PairsConfig",
    "RunConfig",
    "TrainConfig",
    "ViewsConfig",
    "composition_values",
    "schema_of",
]

# Keys of [pairs] that are fields of a composition, beside its kind.
_COMPOSED = (
    "per_group", "compose_by", "exponent", "negatives", "n_negatives", "warmup", "seeds", "bucket", "epoch_steps",
)  # fmt: skip


class _Section(BaseModel):
    # Strict: `train.seed = true` or `train.epochs = "50"` is a mistake, not a number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DataConfig(_Section):
    """The samples, and how they are read."""

    samples: str | None = Field(default=None, description="sample table (Parquet, CSV or XLSX) the run was trained on")
    store: str | None = Field(default=None, description="folder of the array store; by default beside the sample table")
    workers: int = Field(default=0, ge=0, description="processes that read batches; 0 reads in the training process")
    cache_gb: float = Field(
        default=1.0, ge=0, description="GB of memory for inputs that were made once; 0 makes them anew each time"
    )


class PairsConfig(_Section):
    """Which samples are positives of each other, and how batches are composed."""

    name: str | None = Field(default=None, description="pair sampler that the rule came from; only recorded")
    rule: str = Field(default="none", description="rule, such as \"same('patient')\"; 'none' is plain SimCLR")
    relations: Literal["rule", "none"] = Field(
        default="rule", description="'none' composes batches by the rule but takes only own views as positives"
    )
    shuffle_metadata: int | None = Field(
        default=None, description="control: seed of one joint permutation of the columns that the rule reads"
    )
    shuffle_within: str | None = Field(
        default=None,
        description="column such as 'side': `shuffle_metadata` exchanges rows of the same value, queries with queries",
    )
    anyway: bool = Field(
        default=False,
        description="train even where so few anchors have a positive of another sample that this equals SimCLR in "
        "practice",
    )
    composition: Literal["auto", "random", "groups", "draw", "partner"] = Field(
        default="auto", description="how a batch is composed"
    )
    per_group: int = Field(default=2, ge=2, description="samples of one group, or of a seed and its positives")
    compose_by: int = Field(default=0, ge=0, description="relation, counted from 0, by which batches are composed")
    exponent: float = Field(default=1.0, ge=0, le=1, description="groups are met in proportion to size**exponent")
    negatives: str | None = Field(
        default=None,
        description="rule by which each slot's negative seats are drawn, such as \"linked('mined')\"; unset draws none",
    )
    n_negatives: int = Field(default=1, ge=1, description="negative seats of a slot, where `negatives` is set")
    warmup: str | None = Field(
        default=None,
        description="rule in place of `negatives` as long as that matches nothing, such as \"linked('bm25.tsv')\"; "
        "unset draws random rows",
    )
    seeds: str | None = Field(
        default=None,
        description="value of the column `side` (or else `kind`) that the rows of the first seat have, such as 'query'",
    )
    bucket: str | None = Field(
        default=None,
        description="numeric column, such as 'length': similar lengths share a batch, within stretches of 50 batches",
    )
    epoch_steps: int | None = Field(
        default=None,
        ge=1,
        description="batches of a planned epoch; by default as many as the rows fill. Short epochs continue one "
        "permutation of the rows",
    )

    def to_composition(self) -> Composition:
        """How batches are composed, as the pairs read it."""
        from ssl_domains.pairs.sampling.composition import Composition

        return Composition(self.composition, **{name: getattr(self, name) for name in _COMPOSED})


class ViewsConfig(_Section):
    """Views: how a sample is changed before it goes into the encoder."""

    size: int | None = Field(
        default=None,
        ge=8,
        le=16_384,
        description="pictures: side of the square that goes into the encoder, in pixels; by default the domain's",
    )
    canvas: Literal["stretch", "fit"] | None = Field(
        default=None,
        description="pictures: 'stretch' resizes to the square, 'fit' keeps the aspect ratio and masks the padding; "
        "by default the domain's",
    )
    crop: int | None = Field(
        default=None,
        ge=8,
        le=16_384,
        description="side of the part of a sample that each view shows, drawn anew at each step, in places of its "
        "array; for domains whose recipe draws crops, such as seismic; by default the whole sample",
    )
    n: int | None = Field(
        default=None, ge=1, description="views of each sample in a batch; by default as many as the method needs"
    )
    extra: list[str] = Field(default_factory=list, description="views beyond the domain's usual ones, by name")
    without: list[str] = Field(default_factory=list, description="steps of the domain's recipe to leave out, by name")

    @property
    def square(self) -> tuple[int, Literal["stretch", "fit"]]:
        """``size`` and ``canvas`` of pictures; 64 pixels and ``"stretch"`` where they are unset."""
        return self.size or 64, self.canvas or "stretch"


class InputConfig(_Section):
    """What the encoder gets of a sample, for domains that declare such settings."""

    # Each domain has settings of its own: they are checked in `with_input_settings`, where the domain is known.
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class EncoderConfig(_Section):
    """The network that is kept after training."""

    name: str = Field(
        default="resnet18",
        description="timm model, 'small_conv', 'conv1d', 'small_crnn', 'line_conv', 'bilstm:NAME', "
        "'transformers:FOLDER', or of a plugin",
    )
    init: str = Field(
        default="random",
        description="'random', 'pretrained', weights in timm by name, a file of weights, a run folder, or one of "
        "transformers",
    )
    freeze: int | list[str] = Field(
        default=0,
        description="number of first stages that stay as they are, or beginnings of parameter names such as "
        '["patch_embed", "blocks.0"]',
    )
    dropout: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="probability of every dropout layer while training; by default the architecture's. With views that "
        "differ by nothing else, it makes those of SimCSE",
    )
    in_chans: int | None = Field(default=None, ge=1, description="channels of the input; by default those of the data")
    segments: int = Field(
        default=1,
        ge=1,
        le=64,
        description="signals and spectrograms: parts of equal length in time that are pooled apart, their features one "
        "behind the other; 4 keeps the order of sounds in a short word",
    )

    @field_validator("freeze")
    @classmethod
    def _not_negative(cls, value: int | list[str]) -> int | list[str]:
        if isinstance(value, int) and value < 0:
            raise ValueError("it is a number of stages from 0 on, or a list of names")
        return value


class HeadConfig(_Section):
    """The projection head, thrown away after training."""

    hidden: int = Field(default=512, ge=1, description="width of the hidden layers")
    out: int = Field(default=128, ge=1, description="width of the embedding, the input of the loss")
    layers: int = Field(default=2, ge=0, description="linear layers; 0 is no head")


class MethodConfig(_Section):
    """The self-supervised method and its options, which `ssl-domains config schema --method NAME` lists."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str = Field(default="simclr", description="method, as `ssl-domains methods list` names it")


class TrainConfig(_Section):
    """Duration, optimiser, machine and checkpoints."""

    epochs: int = Field(
        default=100,
        ge=0,
        description="planned epochs: passes over the training samples, or `pairs.epoch_steps` batches each; 0 keeps "
        "the initial weights",
    )
    max_steps: int | None = Field(default=None, ge=1, description="stop after this many steps, the schedule included")
    batch_size: int = Field(default=256, ge=2, description="samples in a batch of all processes; `views.n` rows each")
    micro_batch_size: int | None = Field(
        default=None,
        ge=1,
        description="gradient caching: samples of each process in the encoder at a time; unset takes the whole batch",
    )
    micro_batch_norm: bool = Field(
        default=False,
        description="accept that BatchNorm normalises over `micro_batch_size` samples instead of the batch",
    )
    optimizer: Literal["adamw", "sgd", "lars"] = Field(default="adamw", description="optimiser")
    lr: float = Field(default=1e-3, gt=0, description="learning rate at the end of the warm-up")
    layer_decay: float = Field(
        default=1.0, gt=0, le=1, description="factor on the learning rate for each stage of the encoder below the last"
    )
    weight_decay: float = Field(default=1e-4, ge=0, description="weight decay; never on norms and biases")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="momentum of 'sgd' and 'lars'")
    warmup_epochs: float = Field(default=1.0, ge=0, description="epochs of linear warm-up before the cosine")
    clip_norm: float | None = Field(default=None, gt=0, description="largest norm of the gradient; unset does not clip")
    seed: int = Field(default=0, ge=0, description="seed of weights, batches and views")
    device: str = Field(default="auto", description="'auto' (a GPU where there is one), 'cpu', 'cuda' or 'cuda:1'")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="'auto' is bfloat16 on a GPU and float32 on a CPU; the loss is always float32"
    )
    compile: bool = Field(default=False, description="torch.compile the encoder")
    channels_last: bool = Field(default=True, description="channels-last memory layout")
    checkpoint_every_steps: int | None = Field(
        default=None, ge=1, description="steps between checkpoints; by default an epoch, 50 at least"
    )
    keep: int = Field(default=2, ge=1, description="checkpoints to keep")
    trackers: list[Literal["tensorboard"]] = Field(
        default_factory=list, description="further trackers; metrics.jsonl is always written"
    )


class HealthConfig(_Section):
    """Measurements during training, and how often they are made."""

    every_steps: int | None = Field(
        default=None, ge=1, description="steps between measurements; by default so many that a run has 20 to 50"
    )
    label: str | None = Field(
        default=None, description="label column for the online k-NN on training rows; only measured, never trained on"
    )
    group: str | None = Field(
        default=None,
        description="column of the groups that count as independent, such as 'patient': rows of one group are never "
        "neighbours in the online k-NN, and nuisance columns are judged by the number of groups; by default the group "
        "that the table was split by, else the domain's",
    )
    neighbours: int = Field(default=5, ge=1, description="neighbours of the online k-NN")


class RunConfig(_Section):
    """All settings of a run; stored in its folder as ``config.toml``."""

    data: DataConfig = Field(default=DataConfig(), description="samples and how they are fed")
    pairs: PairsConfig = Field(default=PairsConfig(), description="positives and the composition of batches")
    views: ViewsConfig = Field(default=ViewsConfig(), description="size and number of views")
    input: InputConfig = Field(
        default=InputConfig(),
        description="form of the encoder's input, which `ssl-domains config schema --domain NAME` lists",
    )
    encoder: EncoderConfig = Field(default=EncoderConfig(), description="the network that is kept")
    head: HeadConfig = Field(default=HeadConfig(), description="the projection head")
    method: MethodConfig = Field(default=MethodConfig(), description="the contrastive method")
    train: TrainConfig = Field(default=TrainConfig(), description="duration, optimiser, machine, checkpoints")
    health: HealthConfig = Field(default=HealthConfig(), description="what is measured while training")

    def to_toml(self) -> str:
        """The configuration as TOML; unset keys (None) are left out, as TOML has no null; so is an empty [input]."""
        sections = self.model_dump(exclude_none=True)
        return tomli_w.dumps({name: keys for name, keys in sections.items() if keys or name != "input"})

    def flat(self) -> dict[str, Any]:
        """Every value by its dotted key, such as ``train.epochs``."""
        sections = self.model_dump()
        return {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}

    def with_values(self, values: dict[str, Any]) -> RunConfig:
        """A copy with other values for the given dotted keys.

        Raises:
            UsageError: For an unknown key or a value of the wrong type.
        """
        from ssl_domains.engine.record.config_file import build_config

        return build_config({**self.flat(), **values})


def composition_values(composition: Composition) -> dict[str, Any]:
    """The values of ``[pairs]`` that describe a composition, by dotted key; see `PairsConfig.to_composition`."""
    values = {f"pairs.{name}": getattr(composition, name) for name in _COMPOSED}
    values["pairs.exponent"] = float(composition.exponent)  # a whole number is no float to the strict model
    return {"pairs.composition": composition.kind, **values}


def schema_of(options: type[BaseModel], inputs: type[BaseModel] | None = None) -> dict[str, Any]:
    """JSON schema of the configuration, with a description of each key.

    Args:
        options: Model of the options of a method, for the section ``[method]``.
        inputs: Model of the settings of a domain's inputs, for the section ``[input]``; None for no settings.
    """
    schema = RunConfig.model_json_schema()
    for name, model in (("MethodConfig", options), ("InputConfig", inputs)):
        section = schema["$defs"][name]
        properties = {} if model is None else model.model_json_schema().get("properties", {})
        section["properties"] = {**section.get("properties", {}), **properties}
        section["additionalProperties"] = False
    return schema
