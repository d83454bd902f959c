"""The text of calibration files: JSON, and YAML as Kalibr and OpenCV write it."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssl_domains.errors import UsageError
from ssl_domains.samples import Unreadable, read_guarded

__all__ = ["SUFFIXES", "read_content"]

SUFFIXES = (".json", ".yaml", ".yml")
_LARGEST = {"JSON": 1 << 20, "YAML": 1 << 17}  # bytes; a calibration has a few hundred
_DEEPEST = 40  # PyYAML needs seconds for brackets in brackets in brackets
# YAML 1.1 takes 1e-3 and 2.5e4 for text.
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_content(path: Path) -> Mapping[str, Any]:
    """The object in a calibration file, whatever its layout.

    Raises:
        UsageError: When the file is missing, too large for a calibration, no text, or no JSON or YAML object.
    """
    source = f"the calibration {path.name}"
    try:
        if not path.is_file():
            cause = "it is no file" if path.exists() else "No such file or directory"
            raise UsageError(f"cannot read {source}: {cause}", "--calibration takes a file, or a folder of files")
        with path.open("rb") as file:
            data = file.read(_LARGEST["JSON"] + 1)
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}", "check --calibration") from error
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    kind = "YAML" if path.suffix.lower() in (".yaml", ".yml") or b"%YAML" in data[:40] else "JSON"
    if len(data) > _LARGEST[kind]:
        limit = f"{_LARGEST[kind] >> 10} kB"
        raise UsageError(f"{source} is larger than {limit}", "a calibration has a few hundred bytes")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"{source} is not text in UTF-8", "save it as UTF-8") from None
    content = read_guarded(lambda: (_yaml if kind == "YAML" else _json)(text), path)
    if isinstance(content, Unreadable):
        raise UsageError(f"{source} is not {kind}: {content.cause}", "check --calibration")
    if not isinstance(content, Mapping):
        raise UsageError(f"{source} holds no object", "WoodScape's layout has 'intrinsic' in it")
    return content


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_rivals)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _without_rivals(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content and content[key] != value:
            raise ValueError(f"it has two values for {key[:40]!r}")
        content[key] = value
    return content


def _yaml(text: str) -> Any:
    if _depth(text) > _DEEPEST:
        raise ValueError("it is nested too deeply")
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.SafeLoader):
        """Numbers as in JSON, OpenCV's tags passed over, and no merge keys, which can grow without bound."""

        def flatten_mapping(self, node: Any) -> None:
            return None

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    Loader.add_multi_constructor("tag:yaml.org,2002:opencv-", lambda loader, _, node: loader.construct_mapping(node))
    # OpenCV's first line, %YAML:1.0, is no directive of YAML.
    body = re.sub(r"\A%YAML:[^\n]*\n", "", text)
    try:
        return yaml.load(body, Loader=Loader)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _depth(text: str) -> int:
    """How many brackets, or dashes of lists in lists, are open at once at most."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    dashes = max((run.count("-") + run.count("?") for run in re.findall(r"^[ ]*(?:[-?][ ]+)+", text, re.M)), default=0)
    return max(deepest, dashes)
