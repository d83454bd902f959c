"""A command line run in this process, and throwaway plugin distributions for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOY = '''
"""A domain of tiny .npy pictures, light enough for tests of the command line."""

from pathlib import Path

from ssl_domains.extending import Domain, PairSampler, ScanOption


class ToyReader:
    version = "1"

    def scan(self, source, *, dark=False, shift=0, tag=()):
        import polars as pl
        from ssl_domains.samples import Problems, SampleTable, ScanResult, TableMeta

        problems, rows = Problems(), []
        for path in sorted(Path(source).glob("*.npy")):
            try:
                self.load({"path": str(path)})
            except Exception as error:
                problems.add(path, error)
                continue
            number = int(path.stem)
            rows.append(
                {
                    "sample": path.stem, "path": str(path), "patient": f"p{number // 4}", "alone": f"a{number}",
                    "one": "same", "kind": "ab"[number % 2], "height": float(number + shift), "dark": dark,
                }
            )
        schema = {"sample": pl.String, "path": pl.String}
        frame = pl.DataFrame(rows) if rows else pl.DataFrame(schema=schema)
        return ScanResult(SampleTable(frame, TableMeta()), problems.frame(), ("toys are counted",))

    def load(self, row):
        import numpy as np
        from ssl_domains.samples import ReadError

        try:
            return np.load(row["path"])
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"no toy: {error}") from error


def recipe(request):
    from ssl_domains.views.recipe import ViewRecipe
    from ssl_domains.views.steps import Noise

    return ViewRecipe((Noise(reason="toys are noisy"),), request.size, request.views)


def scaling(table):
    from ssl_domains.views import Scaling

    return Scaling("fixed")


def demo_data(out, seed):
    import numpy as np

    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(48):
        np.save(out / f"{number:03d}.npy", rng.integers(0, 256, (8, 8, 1), dtype=np.uint8))
    (out / "900.npy").write_bytes(b"no array")
    return f"next: ssl-domains toy scan {out} -o samples.parquet"


TOYS = Domain(
    "toy", "tiny pictures", reader=ToyReader, recipe=recipe, scaling=scaling, demo_data=demo_data,
    scan_options=(
        ScanOption("dark", bool, help="dark toys"), ScanOption("shift", int, help="taller toys"),
        ScanOption("tag", str, help="words for toys; repeat it", many=True),
    ),
    default_encoder="small_conv", default_size=32, group="patient",
    files="toys (.npy)", extra_columns={"shade": "scan with --dark"},
    floors={"height alone": ("height",), "scanner alone": ("scanner",)}, nuisance=("kind", "scanner"),
)


def ssl_domains_domains():
    return [TOYS]


def by(column="patient"):
    return f"same({column!r})"


def ssl_domains_pair_samplers():
    shared = PairSampler("patient", "toy", "share a patient", "same('patient')")
    return [shared, PairSampler("by", "toy", "share it", by)]
'''

APP = "from ssl_domains.cli import domain_app\napp = domain_app({name!r})\n"


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    from ssl_domains.cli.app import run

    def call(*words: object) -> Result:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def plugin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Installs a throwaway distribution for this test; returns its folder, for PYTHONPATH."""
    site = tmp_path_factory.mktemp("site")
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(site))
    for name in ("SSL_DOMAINS_BLOCK", "SSL_DOMAINS_ALLOW"):
        monkeypatch.delenv(name, raising=False)

    def install(name: str, hooks: str, *, api: str = "1", app: str | None = APP) -> Path:
        module = f"toyplugin_{name}"
        (site / f"{module}.py").write_text(hooks)
        commands = "" if app is None else f"[ssl_domains.cli]\n{name} = {module}_cli:app\n"
        if app is not None:
            (site / f"{module}_cli.py").write_text(app.format(name=name))
        info = site / f"ssl_domains_{name}-0.9.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: ssl-domains-{name}\nVersion: 0.9\nSummary: about {name}\n"
        )
        (info / "entry_points.txt").write_text(
            f"[ssl_domains]\n{name} = {module}\n{commands}[ssl_domains.api]\n{api} = {module}\n"
        )
        return site

    yield install
    for module in set(sys.modules) - before:
        if module.startswith("toyplugin_"):
            del sys.modules[module]


@pytest.fixture
def toy(plugin: Callable[..., Path]) -> Path:
    return plugin("toy", TOY)


@pytest.fixture
def samples(toy: Path, cli: Callable[..., Result], tmp_path: Path) -> Path:
    """A scanned table of 48 toys of 12 patients, a quarter of the patients held out."""
    table = tmp_path / "samples.parquet"
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    done = cli("toy", "scan", tmp_path / "data", "-o", table, "--split-by", "patient", "--test", "0.25")
    assert done.code == 0, done.err
    return table
