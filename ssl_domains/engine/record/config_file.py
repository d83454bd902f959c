"""Read a configuration from a TOML file and ``--set KEY=VALUE``; a mistake gives an error of one line and a hint."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ssl_domains.engine.record.config import HeadConfig, RunConfig
from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["build_config", "known_keys", "load_config", "parse_set", "with_input_settings", "with_method_options"]

_OPEN = ("method.", "input.")
"""Sections whose keys are checked once the method or the domain is known."""


def known_keys() -> tuple[str, ...]:
    """Every dotted key of the configuration, in order."""
    keys = []
    for section, info in RunConfig.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            keys += [f"{section}.{key}" for key in model.model_fields]
    return tuple(keys)


def load_config(
    file: str | Path | None = None,
    sets: Sequence[str] = (),
    *,
    defaults: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> RunConfig:
    """Read a configuration; later sources win: ``defaults``, the file, ``sets``, ``overrides``.

    Args:
        file: TOML file with the sections of `RunConfig`.
        sets: Texts ``"train.epochs=50"``; the value is TOML, or else plain text.
        defaults: Dotted key → default value of the domain; None keeps the general default.
        overrides: Dotted key → value of an option of the command line; None means that it was not given.

    Raises:
        UsageError: For a file that is missing or not TOML, an unknown key, or a value of the wrong type or range.
    """
    values = {key: value for key, value in (defaults or {}).items() if value is not None}
    if file is not None:
        values |= _flatten(_read_toml(Path(file)))
    values |= dict(parse_set(text) for text in sets)
    values |= {key: value for key, value in (overrides or {}).items() if value is not None}
    return build_config(values)


def parse_set(text: str) -> tuple[str, Any]:
    """``"a.b=value"`` as (dotted key, value); a value that isn't TOML is taken as text.

    Raises:
        UsageError: When there is no ``=``.
    """
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise UsageError(f"--set {text!r} is not KEY=VALUE", "for example: --set train.epochs=50")
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    # A value with a line break could define a second key; such a value is taken as text.
    return (key, parsed["value"]) if set(parsed) == {"value"} else (key, value)


def build_config(values: Mapping[str, Any]) -> RunConfig:
    """A checked configuration from values by dotted key.

    Raises:
        UsageError: For an unknown key, with the nearest known one, or a value that doesn't fit.
    """
    known = known_keys()
    nested: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        if key not in known and not key.startswith(_OPEN):
            raise UsageError(f"unknown configuration key {key!r}", _suggest(key, known))
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise UsageError(f"configuration key {key!r} is a number of more than 64 bits", _describe(key))
        section, _, name = key.partition(".")
        nested.setdefault(section, {})[name] = value
    try:
        return RunConfig.model_validate(nested)
    except ValidationError as error:
        raise _one_line(error) from None


def with_method_options(config: RunConfig, options: type[BaseModel]) -> RunConfig:
    """Check the options of the method, and add the defaults of those that are not given.

    Args:
        config: Its section ``[method]`` holds a name and options.
        options: The options of that method.

    Raises:
        UsageError: For an option that the method doesn't have, with the nearest it has, or a value that doesn't fit.
    """
    section = config.method.model_dump()
    name = section.pop("name")
    known = tuple(options.model_fields)
    # A method without a projection head may have options with the names of [head].
    head = HeadConfig.model_fields if getattr(options, "projection_head", True) else ()
    taken = sorted({"name", *head}.intersection(known))
    if taken:
        cause = f"the method {name!r} has an option {taken[0]!r}, which is a key of [method] or [head] already"
        raise UsageError(cause, "rename the option in the method's class")
    for key in section:
        if key not in known:
            hint = did_you_mean(key, known) if known else "it has no options"
            raise UsageError(f"the method {name!r} has no option {key!r}", hint)
    return _with_section(config, "method.", section, options)


def with_input_settings(config: RunConfig, settings: type[BaseModel] | None, domain: str) -> RunConfig:
    """Check the section ``[input]``, and add the defaults of the settings that are not given.

    Args:
        config: The configuration.
        settings: The settings that the domain declares; None if it declares none.
        domain: Name of the domain, for the errors.

    Raises:
        UsageError: For a setting that the domain doesn't have, with the nearest it has, or a value that doesn't fit.
    """
    section = config.input.model_dump()
    known = () if settings is None else tuple(settings.model_fields)
    for key in section:
        if key not in known:
            hint = did_you_mean(key, known) if known else "it has no settings in [input]: leave this one out"
            raise UsageError(f"the domain {domain} has no setting 'input.{key}'", hint)
    return config if settings is None else _with_section(config, "input.", section, settings)


def _with_section(config: RunConfig, prefix: str, section: Mapping[str, Any], model: type[BaseModel]) -> RunConfig:
    """The configuration with the checked values of one section, defaults included."""
    try:
        checked = model.model_validate(section, strict=True)
    except ValidationError as error:
        raise _one_line(error, prefix, model) from None
    return config.with_values({f"{prefix}{key}": value for key, value in checked.model_dump().items()})


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration {file}: {error.strerror}", "check --config") from None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8, a number of too many digits, too many brackets
        raise UsageError(f"{file} is not TOML: {error}", "`ssl-domains config show` prints a valid file") from None


def _flatten(sections: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for section, keys in sections.items():
        if isinstance(keys, Mapping):
            flat |= {f"{section}.{key}": value for key, value in keys.items()}
        else:
            flat[section] = keys
    return flat


def _suggest(key: str, known: Sequence[str]) -> str:
    # `epochs` or `training.epochs` nearly always means `train.epochs`, though the texts differ much.
    same_name = [one for one in known if one.partition(".")[2] == key.rpartition(".")[2]]
    if same_name:
        return f"did you mean {same_name[0]!r}?"
    section = key.partition(".")[0]
    within = [one for one in known if one.startswith(f"{section}.")]
    return did_you_mean(key, within or known)


def _one_line(error: ValidationError, section: str = "", options: type[BaseModel] | None = None) -> UsageError:
    first = error.errors()[0]
    key = section + ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return UsageError(f"configuration key {key!r} is {first['input']!r}: {message}{more}", _describe(key, options))


def _describe(key: str, options: type[BaseModel] | None = None) -> str:
    section, _, name = key.partition(".")
    model = RunConfig.model_fields[section].annotation if section in RunConfig.model_fields else None
    model = model if options is None else options
    fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
    field = fields.get(name.partition(".")[0])
    return f"{key}: {field.description}" if field is not None else ""
