"""Throwaway plugin distributions: a folder with a module and its metadata, put on ``sys.path``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MakePlugin = Callable[..., Path]


@pytest.fixture
def make_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePlugin]:
    before = set(sys.modules)
    for name in ("SSL_DOMAINS_BLOCK", "SSL_DOMAINS_ALLOW"):
        monkeypatch.delenv(name, raising=False)

    def make(
        name: str,
        hooks: str,
        *,
        api: str | None = "1",
        cli: str | None = None,
        version: str = "1.2.3",
        distribution: str | None = None,
    ) -> Path:
        distribution = distribution or f"ssl-domains-{name}"
        module = distribution.replace("-", "_") + "_code"
        site = tmp_path / "site"
        site.mkdir(exist_ok=True)
        (site / f"{module}.py").write_text(hooks)
        entries = f"[ssl_domains]\n{name} = {module}\n"
        if cli is not None:
            (site / f"{module}_cli.py").write_text(cli)
            entries += f"[ssl_domains.cli]\n{name} = {module}_cli:app\n"
        if api is not None:
            entries += f"[ssl_domains.api]\n{api} = {module}\n"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\nSummary: the summary of {name}\n"
        )
        (info / "entry_points.txt").write_text(entries)
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        return site

    yield make
    for module in set(sys.modules) - before:
        if module.startswith("ssl_domains_") and module.endswith(("_code", "_cli")):
            del sys.modules[module]
