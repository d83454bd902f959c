"""The configuration of a training on words: the core's, of which only some keys are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.config_file import load_config, with_method_options
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_text.documents.words.methods import METHODS, WordMethod

__all__ = ["config_toml", "method_of", "word_config"]

_READ = (
    "data.samples", "train.epochs", "train.max_steps", "train.batch_size", "train.lr", "train.seed",
    "train.checkpoint_every_steps", "train.keep", "train.trackers", "health.every_steps",
)  # fmt: skip
"""Keys that a training on words reads, beside those of [method]."""


def method_of(name: str) -> type[WordMethod]:
    """The method of a name.

    Raises:
        UsageError: When there is none.
    """
    if name not in METHODS:
        raise UsageError(f"words are not trained by {name!r}", did_you_mean(name, METHODS))
    return METHODS[name]


def word_config(
    file: Path | None, sets: Sequence[str], options: Mapping[str, Any], default: str = "skipgram"
) -> RunConfig:
    """Resolve the configuration: the defaults of the method, the file, ``sets``, ``options``.

    Args:
        file: Configuration file (TOML).
        sets: ``KEY=VALUE`` texts of ``--set``.
        options: Values by dotted key; None doesn't change a key.
        default: Name of the method where none is given.

    Raises:
        UsageError: For a key that is unknown or not read, or a value that doesn't fit.
    """
    first = {"method.name": default}
    method = method_of(load_config(file, sets, defaults=first, overrides=options).method.name)
    config = load_config(file, sets, defaults={**first, **method.defaults}, overrides=options)
    usual = RunConfig().flat()
    for key, value in config.flat().items():
        if key.startswith("method.") or key in _READ or value == usual.get(key, value):
            continue
        if key == "train.device" and value == "cpu":
            continue
        raise UsageError(
            f"{key} is not read by {config.method.name!r}: words are trained on the CPU", f"leave {key} out"
        )
    return with_method_options(config, method.options)


def config_toml(config: RunConfig) -> str:
    """The keys that are read, as TOML."""
    sections: dict[str, dict[str, Any]] = {
        "pairs": {"rule": "none"},
        "method": config.method.model_dump(exclude_none=True),
    }
    flat = config.flat()
    for key in _READ:
        section, _, name = key.partition(".")
        if flat[key] is not None:
            sections.setdefault(section, {})[name] = flat[key]
    return tomli_w.dumps(sections)
