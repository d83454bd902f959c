"""``plugins new`` writes a plugin that passes its own tests and whose commands run, as it is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from page_plugin import metadata_of

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {
    "README.md",
    "pyproject.toml",
    "src/ssl_domains_sleep_lab/__init__.py",
    "src/ssl_domains_sleep_lab/demo_data.py",
    "src/ssl_domains_sleep_lab/domain.py",
    "src/ssl_domains_sleep_lab/hooks.py",
    "src/ssl_domains_sleep_lab/pairs.py",
    "src/ssl_domains_sleep_lab/reader.py",
    "tests/test_sleep_lab.py",
}


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def python(words: list[str], folder: Path, *paths: Path) -> str:
    path = os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "SSL_DOMAINS_HASH_KEY": "a key for tests"}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_new_plugin_is_green_at_once(cli, tmp_path: Path) -> None:
    folder, site = tmp_path / "plugin", tmp_path / "site"
    done = cli("plugins", "new", "sleep-lab", "--out", folder)
    assert done.code == 0, done.err
    assert f"pip install -e {folder} && ssl-domains plugins check sleep-lab" in done.out
    assert written(folder) == SHIPPED
    assert not [path for path in folder.rglob("*") if path.is_file() and "$" in path.read_text(encoding="utf-8")]
    metadata_of(folder, site)
    source = folder / "src"
    own_tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    assert "4 passed" in python(own_tests, folder, source, site)

    script = (
        "from ssl_domains.cli.app import run\n"
        "for line in LINES:\n"
        "    print('$', line, flush=True)\n    code = run(line.split())\n    assert code == 0, (line, code)\n"
    )
    lines = [
        "plugins check sleep-lab --no-run",
        "sleep-lab demo-data data",
        "sleep-lab scan data -o samples.parquet --split-by patient",
        "sleep-lab pairs samples.parquet --pairs visits(days=70)",
        "sleep-lab pretrain samples.parquet --pairs patient --out run --set train.epochs=2 --set train.batch_size=16",
        "sleep-lab probe run --label state",
    ]
    shown = python(["-c", f"LINES = {lines!r}\n{script}"], tmp_path, source, site)
    assert "ssl-domains-sleep-lab 0.1.0: active" in shown
    assert "command ssl-domains sleep-lab" in shown
    assert "pair sampler visits(days=90)" in shown
    assert "60 samples → samples.parquet" in shown
    assert "not a readable recording: the file is empty" in shown
    assert (tmp_path / "run" / "config.toml").is_file()


@pytest.mark.slow
def test_check_runs_its_commands(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, site = tmp_path / "plugin", tmp_path / "site"
    assert cli("plugins", "new", "heart", "--out", folder).code == 0
    metadata_of(folder, site)
    shown = python(["-m", "ssl_domains", "plugins", "check", "heart"], tmp_path, folder / "src", site)
    assert "ran on the demo data of heart: demo-data, scan, pairs (patient, visits), pretrain --dry-run" in shown


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("Heart", "a domain's name is a lower-case word", "plugins new heart"),
        ("2d", "a domain's name is a lower-case word", "plugins new d"),
        ("my heart", "a domain's name is a lower-case word", "plugins new my-heart"),
        ("heart-", "a domain's name is a lower-case word", "plugins new heart"),
        ("§", "a domain's name is a lower-case word", "plugins new my-domain"),
        ("class", "'class' is a word of Python", "plugins new class-data"),
        ("plugins", "'plugins' is a command of ssl-domains", "plugins new my-plugins"),
        ("seismic", "'seismic' is a domain of the project ssl-domains", "plugins new my-seismic"),
        ("toy", "the name 'toy' is taken by ssl-domains-toy 0.9", "plugins new my-toy"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused(toy, cli, tmp_path, monkeypatch, name, error, hint) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("plugins", "new", name)
    assert done.code == 2
    assert f"error: {error}" in done.err
    assert f"hint: ssl-domains {hint}\n" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_installed_package_of_that_name_is_not_hidden(cli, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site" / "ssl_domains_lungs").mkdir(parents=True)
    (tmp_path / "site" / "ssl_domains_lungs" / "__init__.py").touch()
    done = cli("plugins", "new", "lungs")
    assert (done.code, "an installed package 'ssl_domains_lungs'" in done.err) == (2, True)


def test_nothing_is_overwritten(cli, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ssl-domains-heart").mkdir()
    (tmp_path / "file").write_text("kept")
    for words in (("heart",), ("heart", "--out", "file")):
        done = cli("plugins", "new", *words)
        assert done.code == 2
        assert "exists already" in done.err
        assert "--out DIR" in done.err
    assert (tmp_path / "file").read_text() == "kept"
    assert list((tmp_path / "ssl-domains-heart").iterdir()) == []
    assert cli("plugins", "new", "heart", "--out", "file/below").code == 2
    assert cli("plugins", "new", "heart", "--out", "new/folder").code == 0
    assert (tmp_path / "new" / "folder" / "pyproject.toml").is_file()


def test_the_files_are_as_a_formatter_leaves_them(cli, tmp_path) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    folder = tmp_path / "plugin"
    assert cli("plugins", "new", "heart", "--out", folder).code == 0
    python(["-m", "ruff", "format", "--check", "."], folder)
    python(["-m", "ruff", "check", "--select", "E,F,I,B,UP", "."], folder)


def test_the_templates_are_in_the_wheel() -> None:
    names = {file.name for file in (files("ssl_domains.cli") / "skeleton").iterdir()}
    assert {"pyproject.toml.template", "README.md.template", "src", "tests"} <= names
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    included = {file.distribution_path for file in builder.WheelBuilder(str(ROOT)).recurse_included_files()}
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ssl_domains/cli/skeleton").rglob("*.template")}
    assert len(templates) == len(SHIPPED)
    assert templates <= included
