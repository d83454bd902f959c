"""Plugins on the command line: listed, checked, mounted, and never able to take it down."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from missing_distribution import hide

BROKEN = {
    "raises": "raise RuntimeError('no licence')",
    "exits": "import sys\nsys.exit(7)",
    "returns": "def ssl_domains_domains():\n    return [{'name': 'toy'}]",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_listed_and_everything_else_works(plugin, toy, cli, tmp_path, kind):
    plugin("bad", BROKEN[kind])
    listed = cli("plugins", "list", "--json")
    assert listed.code == 0
    [bad] = [one for one in listed.json["plugins"] if one["name"] == "bad"]
    assert (bad["status"], bad["distribution"], bad["version"]) == ("broken", "ssl-domains-bad", "0.9")
    assert "ssl-domains-bad" in bad["cure"]
    [good] = [one for one in listed.json["plugins"] if one["name"] == "toy"]
    assert (good["status"], good["domains"], good["commands"]) == ("active", ["toy"], ["toy"])
    assert "broken" in cli("plugins", "list").out

    for words in (("--help",), ("methods", "list"), ("config", "show"), ("toy", "demo-data", tmp_path / "toys")):
        assert cli(*words).code == 0
    used = cli("bad", "scan", tmp_path, "-o", tmp_path / "x.parquet")
    assert used.code == 3
    assert "ssl-domains-bad 0.9 is broken" in used.err
    assert "hint: " in used.err
    assert "Traceback" not in used.err
    assert cli("plugins", "check", "bad").code == 3


def test_it_holds_in_a_process_of_its_own_too(plugin):
    # SystemExit while importing is what would end a process; in-process tests could hide it.
    site = plugin("bad", BROKEN["exits"], app=BROKEN["exits"])
    env = {**os.environ, "PYTHONPATH": str(site)}
    for words, code in ((["plugins", "list"], 0), (["methods", "list"], 0), (["bad", "scan"], 3), (["--help"], 0)):
        done = subprocess.run([sys.executable, "-m", "ssl_domains", *words], capture_output=True, text=True, env=env)
        assert done.returncode == code, done.stderr


def test_plugins_check_says_what_a_plugin_brings(toy, cli, monkeypatch):
    hide(monkeypatch, "ssl-domains-text")
    done = cli("plugins", "check", "toy")
    assert done.code == 0
    for text in ("ssl-domains-toy 0.9: active", "domain toy", "pair sampler by(column='patient')", "ssl-domains toy"):
        assert text in done.out
    assert cli("plugins", "check", "ssl-domains-toy", "--json").json[0]["status"] == "active"
    missing = cli("plugins", "check", "text")
    assert (missing.code, "pip install -e" in missing.err) == (3, True)
    assert cli("plugins", "check", "toi").code == 2


def test_another_api_version_is_incompatible(plugin, cli):
    plugin("old", "raise RuntimeError('imported')", api="0")
    [old] = [one for one in cli("plugins", "list", "--json").json["plugins"] if one["name"] == "old"]
    assert (old["status"], old["version"]) == ("incompatible", "0.9")
    assert cli("old", "--help").code == 3


def test_plugins_can_be_left_out(toy, cli, monkeypatch):
    def status(*words: str) -> str:
        plugins = cli(*words, "plugins", "list", "--json").json["plugins"]
        return next(one["status"] for one in plugins if one["name"] == "toy")

    assert status() == "active"
    assert status("--no-plugins") == status("--block", "toy") == status("--allow", "other") == "blocked"
    assert status("--allow", "toy") == "active"
    monkeypatch.setenv("SSL_DOMAINS_BLOCK", "toy")
    assert status() == "blocked"
    done = cli("toy", "--help")
    assert (done.code, "block list" in done.err) == (3, True)
    assert "about toy" not in cli("--help").out


@pytest.mark.parametrize("name", ["text", "lines"])
def test_a_known_domain_that_is_missing_says_how_to_install_it(cli, name, monkeypatch):
    hide(monkeypatch, "ssl-domains-text")
    for words in ((name,), (name, "scan", "somewhere"), (name, "--help")):
        done = cli(*words)
        assert done.code == 3
        assert "hint: pip install -e" in done.err
        assert done.err.strip().endswith("plugins/text")
        assert done.out == ""


def test_a_typing_error_finds_lazy_and_eager_commands(toy, cli):
    for typed, meant in (("tyo", "toy"), ("plugin", "plugins"), ("seismik", "seismic")):
        done = cli(typed)
        assert done.code == 2
        assert f"did you mean {meant!r}?" in done.err
    assert "pretrain" in cli("toy", "pretrian").err


def test_a_plugin_file_brings_a_sampler_or_a_domain(samples, cli, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from ssl_domains.extending import Domain, PairSampler\n"
        "def ssl_domains_pair_samplers():\n    return [PairSampler('mine', 'toy', 'kinds', \"same('kind')\")]\n"
        "def ssl_domains_domains():\n"
        "    return [Domain('other', 'others', reader=object, recipe=object, scaling=object)]\n"
    )
    assert cli("toy", "pairs", samples, "--pairs", "mine").code == 2
    done = cli("--plugin-file", file, "toy", "pairs", samples, "--pairs", "mine", "--json")
    assert done.code == 0, done.err
    assert "others" in cli("--plugin-file", file, "--help").out
    told = cli("--plugin-file", file, "other", "demo-data", tmp_path / "x")
    assert (told.code, "no demo data" in told.err) == (2, True)
    assert cli("--plugin-file", tmp_path / "none.py", "plugins", "list").code == 2


BROKEN_FILES = {
    "def f(:\n": (1, "SyntaxError: invalid syntax"),
    "\nimport a_module_nobody_has\n": (2, "No module named 'a_module_nobody_has'"),
    "def ssl_domains_pair_samplers():\n    return [1 / 0]\n": (2, "ZeroDivisionError"),
    "def ssl_domains_domains():\n    return ['toy']\n": (1, "returned str instead of Domain"),
}


@pytest.mark.parametrize("code", BROKEN_FILES)
def test_a_broken_plugin_file_is_said_at_once(samples, cli, tmp_path, code):
    file = tmp_path / "broken.py"
    file.write_text(code)
    line, error = BROKEN_FILES[code]
    for words in (
        ("toy", "pairs", samples, "--pairs", "patient"),
        ("methods", "list"),
        ("--help",),
        ("plugins", "check", "broken"),
        ("other", "scan"),
    ):
        done = cli("--plugin-file", file, *words)
        assert done.code == 3, (words, done.err)
        assert f"error: the plugin file {file} is broken, line {line}: " in done.err
        assert error in done.err
        assert "\nhint: " in done.err
        assert "Traceback" not in done.err
    assert "Traceback" in cli("--debug", "--plugin-file", file, "methods", "list").err
    listed = cli("--plugin-file", file, "plugins", "list", "--json")
    [broken] = [one for one in listed.json["plugins"] if one["name"] == "broken"]
    assert (listed.code, broken["status"]) == (0, "broken")
    assert cli("--plugin-file", tmp_path / "none.py", "methods", "list").code == 2


def test_check_runs_the_commands_of_a_domain(toy, cli):
    done = cli("plugins", "check", "toy")
    assert done.code == 0, done.err
    assert "ran on the demo data of toy: demo-data, scan, pairs (patient, by), pretrain --dry-run" in done.out
    assert "ran on" not in cli("plugins", "check", "toy", "--no-run").out


def test_check_says_which_command_failed(toy, cli):
    hooks = toy / "toyplugin_toy.py"
    hooks.write_text(hooks.read_text().replace('return Scaling("fixed")', 'raise ValueError("no\\nscale")'))
    done = cli("plugins", "check", "toy")
    assert done.code == 3
    assert "error: ssl-domains toy pretrain" in done.err
    assert "ValueError: no scale" in done.err
    assert cli("plugins", "check", "toy", "--no-run").code == 0


def test_check_loads_the_same_plugins_when_it_runs_commands(toy, cli, tmp_path):
    file = tmp_path / "sampler.py"
    file.write_text(
        "from ssl_domains.extending import PairSampler\n"
        "def ssl_domains_pair_samplers():\n    return [PairSampler('patient', 'toy', 'kinds', \"same('kind')\")]\n"
    )
    clashing = cli("--plugin-file", file, "plugins", "check", "toy")
    assert clashing.code == 3
    assert "two plugins bring a pair sampler" in clashing.err
    assert cli("--allow", "toy", "--block", "other", "plugins", "check", "toy").code == 0


def test_a_name_claimed_twice_is_an_error_said_aloud(toy, plugin, cli, samples):
    from_another = "from ssl_domains.extending import PairSampler\n\n\ndef ssl_domains_pair_samplers():\n"
    plugin("second", from_another + "    return [PairSampler('patient', 'toy', 'again', \"same('kind')\")]\n")
    done = cli("toy", "pairs", samples, "--pairs", "patient")
    assert done.code == 3
    assert "ssl-domains-second 0.9 and ssl-domains-toy 0.9" in done.err
    assert "two plugins" in cli("plugins", "list").err
    assert cli("--block", "second", "toy", "pairs", samples, "--pairs", "patient").code == 0


def test_methods_list(plugin, cli):
    plugin(
        "new",
        "from ssl_domains.extending import MethodEntry\n\n\ndef ssl_domains_methods():\n"
        "    return [MethodEntry('newest', 'what is new', 'Doe 2026', 'no_such_package.method:Newest')]\n",
    )
    listed = {one["name"]: one for one in cli("methods", "list", "--json").json}
    assert listed["simclr"]["from"] == "ssl-domains"
    assert listed["newest"]["from"] == "ssl-domains-new"
    assert "Doe 2026" in cli("methods", "list").out


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf"])
def test_a_limit_is_a_number_of_seconds_above_0(cli, limit):
    for words in (("plugins", "list"), ("plugins", "check", "toy"), ("methods", "list")):
        done = cli(*words, f"--limit={limit}")
        assert (done.code, done.err.splitlines()[0]) == (2, f"error: --limit is {float(limit):g} seconds")


def test_check_refuses_a_domain_whose_name_is_a_command_of_the_core(cli, tmp_path):
    file = tmp_path / "taken.py"
    file.write_text(
        "from ssl_domains.extending import Domain\n"
        "def ssl_domains_domains():\n"
        "    return [Domain('methods', 'others', reader=object, recipe=object, scaling=object)]\n"
    )
    done = cli("--plugin-file", file, "plugins", "check", "taken", "--no-run")
    assert done.code == 3
    assert f"'methods' is a command of the core, so those of {file} can't be called" in done.err


def test_check_says_of_a_plugin_without_hooks_that_it_adds_nothing(cli, tmp_path):
    file = tmp_path / "nothing.py"
    file.write_text("x = 1\n")
    done = cli("--plugin-file", file, "plugins", "check", "nothing")
    assert done.code == 0
    assert "it adds nothing" in done.out
    file.write_text("def ssl_domains_domains():\n    return []\n")
    assert "it adds nothing" in cli("--plugin-file", file, "plugins", "check", "nothing").out


def test_the_domain_of_a_plugin_file_serves_where_the_installed_one_is_blocked_or_missing(
    toy, cli, tmp_path, monkeypatch
):
    hide(monkeypatch, "ssl-domains-text")
    file = tmp_path / "again.py"
    file.write_text(
        "from ssl_domains.extending import Domain\n"
        "def ssl_domains_domains():\n"
        "    return [Domain(n, n, reader=object, recipe=object, scaling=object) for n in ('toy', 'text')]\n"
    )
    clash = cli("--plugin-file", file, "toy", "demo-data", tmp_path / "x")
    assert (clash.code, "two plugins bring a domain 'toy'" in clash.err) == (3, True)
    for words in (("--block", "toy", "--plugin-file", file, "toy"), ("--plugin-file", file, "text")):
        done = cli(*words, "demo-data", tmp_path / "x")
        assert (done.code, "no demo data" in done.err) == (2, True), done.err
