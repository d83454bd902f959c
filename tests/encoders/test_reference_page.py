"""The page about encoders: its code runs, and its lists say what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

PAGE = (Path(__file__).parents[2] / "docs/reference/encoders.md").read_text(encoding="utf-8")
MEL = InputSpec("mel", 1, (80, None))


def _names(heading: str) -> list[str]:
    """Names in the first column of the table with this heading; patterns such as ``vit_…`` are left out."""
    rows = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`([\w]+)`", row.split("|")[1])]


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
def test_the_code_runs(code: str) -> None:
    names: dict[str, object] = {}
    exec(code, names)
    hook = names.get("ssl_domains_encoders")
    if callable(hook):
        assert [entry.name for entry in hook()] == ["narrow"]


@pytest.mark.parametrize("name", sorted(set(_names("taken")) - {"conv1d", "wide_resnet50_2", "darknet53"}))
def test_networks_listed_as_taken_are_built(name: str) -> None:
    assert create_encoder(name, takes=MEL).name == name


@pytest.mark.parametrize("name", _names("refused"))
def test_networks_listed_as_refused_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="can't take inputs of differing length"):
        create_encoder(name, takes=MEL)
