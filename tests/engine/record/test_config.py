"""The configuration: a slip is one line with the nearest key; what is written reads back the same."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pydantic
import pytest

from ssl_domains.engine.record.config import RunConfig, schema_of
from ssl_domains.engine.record.config_file import known_keys, load_config, parse_set, with_method_options
from ssl_domains.errors import UsageError
from ssl_domains.methods import MethodOptions, SimCLROptions


def test_toml_reads_back_the_same(tmp_path: Path) -> None:
    config = load_config(
        sets=["train.epochs=3", "pairs.rule=0.7*same('class')", "views.without=['blur']", "pairs.shuffle_metadata=4"]
    )
    (tmp_path / "config.toml").write_text(config.to_toml())
    assert load_config(tmp_path / "config.toml") == config
    assert config.pairs.rule == "0.7*same('class')"
    assert config.views.without == ["blur"]


def test_unset_values_are_left_out_of_the_toml() -> None:
    written = tomllib.loads(RunConfig().to_toml())
    assert "max_steps" not in written["train"]
    assert "samples" not in written["data"]


def test_later_sources_win(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nepochs = 2\nlr = 0.5\nseed = 2\n")
    config = load_config(
        file,
        ["train.epochs=3", "train.seed=3"],
        defaults={"train.lr": 0.1, "encoder.name": "resnet50", "data.store": None},
        overrides={"train.seed": 4, "train.device": None},
    )
    assert (config.train.lr, config.train.epochs, config.train.seed) == (0.5, 3, 4)
    assert (config.encoder.name, config.train.device) == ("resnet50", "auto")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train.epochs=50", ("train.epochs", 50)),
        ("train.lr = 1e-3", ("train.lr", 1e-3)),
        ("train.compile=true", ("train.compile", True)),
        ("encoder.name=resnet18", ("encoder.name", "resnet18")),
        ("encoder.name='resnet18'", ("encoder.name", "resnet18")),
        ("pairs.rule=same('a') & within('b', 4)", ("pairs.rule", "same('a') & within('b', 4)")),
        ("pairs.rule=x\nother = 1", ("pairs.rule", "x\nother = 1")),
        ("views.without=['blur', 'noise']", ("views.without", ["blur", "noise"])),
    ],
)
def test_a_set_value_is_toml_or_text(text: str, expected: tuple[str, object]) -> None:
    assert parse_set(text) == expected


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("train.epoch", "train.epochs"),
        ("epochs", "train.epochs"),
        ("training.batch_size", "train.batch_size"),
        ("pairs.shufle_metadata", "pairs.shuffle_metadata"),
    ],
)
def test_an_unknown_key_names_the_nearest(key: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"unknown configuration key '{key}'") as caught:
        load_config(sets=[f"{key}=1"])
    assert caught.value.hint == f"did you mean {meant!r}?"


@pytest.mark.parametrize(
    "text",
    [
        "train.epochs=-1",
        "train.epochs='50'",
        "train.seed=true",
        "train.batch_size=1",
        "train.optimizer=adam",
        "pairs.composition=partners",
        "views.without=blur",
        "train.trackers=['wandb']",
        "encoder.name=5",
    ],
)
def test_a_value_that_does_not_fit_is_one_line_that_names_the_key(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(sets=[text])
    assert text.partition("=")[0] in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize("key", ["views.size", "train.batch_size", "method.temperature"])
@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_of_more_than_64_bits_is_refused(key: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"{key}.* more than 64 bits"):
        load_config(sets=[f"{key}={value}"])


@pytest.mark.parametrize("size", [7, 16_385, 2**31, 2**62])
def test_a_picture_has_a_side_that_can_be_resized_to(size: int) -> None:
    with pytest.raises(UsageError, match=r"views\.size"):
        load_config(sets=[f"views.size={size}"])


def test_an_unknown_option_of_the_method_names_the_nearest() -> None:
    config = load_config(sets=["method.temprature=1"])
    with pytest.raises(UsageError, match=r"^the method 'simclr' has no option 'temprature'") as caught:
        with_method_options(config, SimCLROptions)
    assert caught.value.hint == "did you mean 'temperature'?"
    with pytest.raises(UsageError, match="has no option 'temprature'") as caught:
        with_method_options(config, MethodOptions)
    assert caught.value.hint == "it has no options"


@pytest.mark.parametrize(
    "text", ["method.temperature=0", "method.temperature='hot'", "method.temperature=true", "method.name=5"]
)
def test_an_option_of_the_method_that_does_not_fit_is_one_line_that_names_the_key(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_method_options(load_config(sets=[text]), SimCLROptions)
    assert text.partition("=")[0] in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.hint


def test_options_that_are_not_given_take_their_defaults(tmp_path: Path) -> None:
    config = with_method_options(load_config(sets=["method.temperature=0.3"]), SimCLROptions)
    assert config.method.model_dump() == {"name": "simclr", "temperature": 0.3, "learnable_temperature": False}
    (tmp_path / "config.toml").write_text(config.to_toml())
    assert load_config(tmp_path / "config.toml") == config


def test_unknown_keys_in_a_file_and_bad_files_are_usage_errors(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    for text in ("[train]\nepoch = 2\n", "epochs = 2\n", "[train\n", "[pairs.rule]\nx = 1\n", "[nowhere]\nx = 1\n"):
        file.write_text(text)
        with pytest.raises(UsageError):
            load_config(file)
    with pytest.raises(UsageError, match="cannot read"):
        load_config(tmp_path / "missing.toml")


def test_a_set_without_equals_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        load_config(sets=["train.epochs"])


def test_every_key_has_a_description_and_a_place_in_the_schema() -> None:
    schema = schema_of(MethodOptions)
    described = [
        f"{section}.{key}"
        for section, reference in schema["properties"].items()
        for key, field in schema["$defs"][reference["$ref"].rpartition("/")[2]]["properties"].items()
        if field.get("description")
    ]
    assert tuple(described) == known_keys()


def test_the_schema_has_the_options_of_the_method() -> None:
    section = schema_of(SimCLROptions)["$defs"]["MethodConfig"]
    assert list(section["properties"]) == ["name", "temperature", "learnable_temperature"]
    assert section["properties"]["temperature"]["exclusiveMinimum"] == 0
    assert section["properties"]["temperature"]["default"] == 0.1
    assert all(option["description"] for option in section["properties"].values())
    assert section["additionalProperties"] is False


def test_reading_a_configuration_needs_no_torch() -> None:
    code = (
        "import sys, ssl_domains.engine.record.config_file; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_that_hide_another_key_are_refused() -> None:
    for key in ("hidden", "name"):
        options = pydantic.create_model("Options", __base__=MethodOptions, **{key: (int, 7)})
        with pytest.raises(UsageError, match=f"has an option '{key}', which is a key of"):
            with_method_options(load_config(), options)


def test_a_value_that_a_check_refuses_is_said_without_the_words_of_the_validator() -> None:
    with pytest.raises(UsageError) as caught:
        load_config(sets=["encoder.freeze=-1"])
    assert "value error" not in caught.value.message.lower()
    assert "it is a number of stages from 0 on" in caught.value.message
