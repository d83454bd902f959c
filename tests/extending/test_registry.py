"""Plugins: found by metadata, imported one by one, and none of them can take the rest down."""

from __future__ import annotations

import shlex
import sys
import textwrap
from pathlib import Path

import pytest

from missing_distribution import hide
from ssl_domains.errors import PluginError, UsageError
from ssl_domains.extending import PluginSettings, Registry, discovery

SAMPLER = """
from ssl_domains.extending import PairSampler

def ssl_domains_pair_samplers():
    return [PairSampler("mine", "toy", "one line", "same('patient')")]
"""

DOMAIN = """
from ssl_domains.extending import Domain

def ssl_domains_domains():
    yield Domain("toy", "toys", reader=object, recipe=lambda request: None, scaling=lambda table: None)
"""

METHOD = """
from ssl_domains.extending import MethodEntry

def ssl_domains_methods():
    return [MethodEntry({name!r}, "what", "Doe 2026", "ssl_domains.methods:SimCLR")]
"""

APP = "import typer\napp = typer.Typer()\n@app.command()\ndef hello():\n    print('hello')\n"


def registry(**settings) -> Registry:
    return Registry(PluginSettings.of(**settings))


def loaded(name: str, **settings):
    found = registry(**settings)
    [info] = [info for info in found.infos if name in info.names]
    return found.check(info)


def test_metadata_is_read_without_importing(make_plugin):
    make_plugin("toy", "raise RuntimeError('imported')", cli=APP)
    found = registry()
    [info] = [info for info in found.infos if info.name == "toy"]
    assert (info.distribution, info.version, info.summary) == ("ssl-domains-toy", "1.2.3", "the summary of toy")
    assert found.commands()["toy"] == "the summary of toy"
    assert "ssl_domains_toy_code" not in sys.modules


def test_a_working_plugin_is_active_and_hands_over(make_plugin):
    make_plugin("toy", SAMPLER + DOMAIN + METHOD.format(name="new"), cli=APP)
    plugin = loaded("toy")
    assert plugin.status == "active"
    assert [d.name for d in plugin.domains] == ["toy"]
    found = registry()
    assert found.domain("toy").summary == "toys"
    assert found.pair_sampler("toy", "mine").summary == "one line"
    assert found.method("new").paper == "Doe 2026"
    assert found.method("simclr").name == "simclr"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('no GPU here')", "RuntimeError: no GPU here"),
        ("import sys\nsys.exit(3)", "sys.exit(3)"),
        ("raise SystemExit", "SystemExit"),
        ("this is no Python", "SyntaxError"),
        ("import a_module_nobody_has", "a_module_nobody_has"),
        ("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd"),
        ("def ssl_domains_domains():\n    return ['toy']", "returned str instead of Domain"),
        ("def ssl_domains_pair_samplers():\n    return 3", "TypeError"),
        ("def ssl_domains_methods():\n    yield 1/0", "ZeroDivisionError"),
        ("def ssl_domains_domains(too, many):\n    return []", "too"),
        ("def ssl_domains_domain():\n    return []", "unknown hook 'ssl_domains_domain'"),
        (
            "def ssl_domains_domains():\n    pass",
            "ssl_domains_domains returned None instead of a list of Domain",
        ),
        ("ssl_domains_domains = []", "the hook ssl_domains_domains is list, not a function that returns a list"),
    ],
)
def test_a_broken_plugin_is_recorded_with_its_distribution_and_a_cure(make_plugin, code, told):
    make_plugin("bad", code, cli=APP)
    make_plugin("good", SAMPLER, cli=APP)
    plugin = loaded("bad")
    assert plugin.status == "broken"
    assert "ssl-domains-bad 1.2.3 is broken" in plugin.reason
    assert told in plugin.reason
    assert "\n" not in plugin.reason
    assert "ssl-domains-bad" in plugin.cure
    assert loaded("good").status == "active"
    with pytest.raises(PluginError, match="ssl-domains-bad"):
        registry().command("bad")


def test_ctrl_c_while_importing_is_still_ctrl_c(make_plugin):
    make_plugin("bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        loaded("bad")


def test_a_broken_command_module_is_broken_too(make_plugin):
    make_plugin("toy", DOMAIN, cli="raise OSError('cli')")
    assert loaded("toy").status == "broken"
    with pytest.raises(PluginError, match="OSError: cli"):
        registry().command("toy")


def test_a_command_that_is_no_app_is_broken(make_plugin):
    make_plugin("toy", DOMAIN, cli="app = 3")
    assert "not a typer app" in loaded("toy").reason


def test_what_a_plugin_prints_on_import_stays_off_standard_output(make_plugin, capsys):
    make_plugin("loud", "print('loud')" + SAMPLER)
    assert loaded("loud").status == "active"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "loud" in captured.err


@pytest.mark.parametrize("api", [None, "2"])
def test_another_api_version_is_incompatible_and_never_imported(make_plugin, api):
    make_plugin("old", "raise RuntimeError('imported')", api=api, cli=APP)
    plugin = loaded("old")
    assert plugin.status == "incompatible"
    assert ("API 2" if api else "no API version") in plugin.reason
    assert "ssl_domains_old_code" not in sys.modules
    with pytest.raises(PluginError, match="ssl-domains-old"):
        registry().command("old")


def test_plugins_can_be_switched_off(make_plugin, monkeypatch):
    make_plugin("toy", SAMPLER, cli=APP)
    make_plugin("other", SAMPLER.replace('"toy"', '"other"'), cli=APP)
    assert loaded("toy", enabled=False).status == "blocked"
    assert loaded("toy", block=["toy"]).status == "blocked"
    assert loaded("toy", block=["ssl-domains-toy"]).status == "blocked"
    assert loaded("other", block=["toy"]).status == "active"
    assert loaded("other", allow=["toy"]).status == "blocked"
    assert loaded("toy", allow=["toy"]).status == "active"
    assert "ssl-domains-toy" not in str(registry(block=["toy"]).commands())
    with pytest.raises(PluginError, match="block list"):
        registry(block=["toy"]).command("toy")
    monkeypatch.setenv("SSL_DOMAINS_BLOCK", "toy, other")
    assert loaded("toy").status == loaded("other").status == "blocked"
    monkeypatch.setenv("SSL_DOMAINS_BLOCK", "")
    monkeypatch.setenv("SSL_DOMAINS_ALLOW", "other")
    assert (loaded("toy").status, loaded("other").status) == ("blocked", "active")


def test_a_plugin_file_is_loaded_only_when_named(make_plugin, tmp_path):
    file = tmp_path / "my_sampler.py"
    file.write_text(SAMPLER)
    with pytest.raises(UsageError):
        registry().pair_sampler("toy", "mine")
    assert registry(files=[file]).pair_sampler("toy", "mine").name == "mine"
    assert registry(files=[file], enabled=False).pair_sampler("toy", "mine").name == "mine"


def test_a_plugin_file_that_is_missing_or_broken_is_said(tmp_path):
    with pytest.raises(UsageError, match="no plugin file"):
        _ = registry(files=[tmp_path / "none.py"]).infos
    file = tmp_path / "bad_file.py"
    file.write_text("raise SystemExit(1)")
    plugin = loaded("bad_file", files=[file])
    assert (plugin.status, "--plugin-file" in plugin.cure) == ("broken", True)
    with pytest.raises(UsageError) as caught:
        registry(files=[file]).pair_sampler("toy", "mine")
    assert "bad_file.py" in caught.value.hint


def test_two_plugins_with_one_name_are_an_error_said_aloud(make_plugin):
    make_plugin("toy", SAMPLER + DOMAIN, cli=APP)
    make_plugin("toy", SAMPLER + DOMAIN, cli=APP, distribution="another-toy")
    make_plugin("third", METHOD.format(name="simclr"))
    found = registry()
    for act in (
        lambda: found.command("toy"),
        lambda: found.domain("toy"),
        lambda: found.pair_sampler("toy", "mine"),
        lambda: found.method("simclr"),
    ):
        with pytest.raises(PluginError, match="two plugins") as caught:
            act()
        assert "--block" in caught.value.hint
    assert len(found.clashes()) == 4
    # Blocking one by its distribution's name settles it.
    settled = registry(block=["another-toy", "ssl-domains-third"])
    assert settled.clashes() == []
    assert settled.domain("toy").name == "toy"


def test_a_plugin_file_and_an_installed_plugin_with_one_domain_are_a_clash(make_plugin, tmp_path):
    make_plugin("toy", DOMAIN, cli=APP)
    file = tmp_path / "my_toy.py"
    file.write_text(DOMAIN.replace('"toys"', '"toys of the file"'))
    with pytest.raises(PluginError, match="two plugins bring a domain 'toy'") as caught:
        registry(files=[file]).domain("toy")
    assert "--plugin-file" in caught.value.hint
    assert registry(files=[file], block=["toy"]).domain("toy").summary == "toys of the file"


def test_a_plugin_file_that_is_given_twice_counts_once(tmp_path):
    file = tmp_path / "my_toy.py"
    file.write_text(DOMAIN)
    assert registry(files=[file, file]).domain("toy").summary == "toys"


def test_the_command_that_installs_a_plugin_is_printed_only_where_its_folder_is(tmp_path, monkeypatch):
    root = Path(discovery.__file__).resolve().parents[2]
    monkeypatch.chdir(root)
    assert discovery.how_to_install("fisheye") == "pip install -e plugins/fisheye"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(discovery.how_to_install("fisheye"))[-1] == str(root / "plugins" / "fisheye")
    assert shlex.split(discovery.how_to_install("lines"))[-1] == str(root / "plugins" / "text")
    assert shlex.split(discovery.how_to_install("text"))[-1] == str(root / "plugins" / "text")
    assert "pip install" not in discovery.how_to_install("sonar"), "no distribution here has such a domain"


def test_a_known_domain_that_is_missing_says_how_to_install_it(monkeypatch):
    hide(monkeypatch, "ssl-domains-text")
    for act in (registry().command, registry().domain):
        with pytest.raises(PluginError) as caught:
            act("text")
        assert caught.value.hint.startswith("pip install -e ")
        with pytest.raises(UsageError) as unknown:
            act("seismik")
        assert "seismic" in unknown.value.hint


def test_an_unknown_sampler_or_method_names_the_nearest(make_plugin):
    make_plugin("toy", SAMPLER)
    with pytest.raises(UsageError) as caught:
        registry().pair_sampler("toy", "mien")
    assert "mine" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        registry().method("simcrl")
    assert "simclr" in caught.value.hint


def test_every_hook_has_a_docstring_with_an_example():
    from ssl_domains.extending import hookspecs

    hooks = [getattr(hookspecs, name) for name in dir(hookspecs) if name.startswith("ssl_domains_")]
    assert len(hooks) == 5
    for hook in hooks:
        assert "Example::" in hook.__doc__
        code = textwrap.dedent(hook.__doc__.split("Example::")[1])
        compile(code, hook.__name__, "exec")
        assert f"def {hook.__name__}():" in code


RULE = """
from ssl_domains.extending import RuleEntry

def ssl_domains_rules():
    return [RuleEntry({name!r}, "one line", {factory!r})]
"""


def test_rules_of_plugins_are_named_in_text_and_imported_only_then(make_plugin):
    from ssl_domains.pairs import parse, same

    make_plugin("toy", RULE.format(name="alike", factory="ssl_domains_toy_rules_code:alike"))
    site = make_plugin(
        "toy-rules", "from ssl_domains.pairs import same\n\ndef alike(column):\n    return same(column)\n"
    )
    assert site.is_dir()
    found = registry()
    assert parse("same('a')") == same("a")
    assert "ssl_domains_toy_code" not in sys.modules
    assert parse("alike('a') & same('b')") == same("a") & same("b")
    assert found.rule_names() == ("alike",)
    assert [entry.name for _, entry in found.rules()] == ["same", "within", "overlap", "linked", "alike"]
    registry(block=["toy"])
    with pytest.raises(UsageError, match="there is no function 'alike'"):
        parse("alike('a')")


def test_two_plugins_with_one_rule_are_a_clash(make_plugin):
    from ssl_domains.pairs import parse

    for name in ("toy", "other"):
        make_plugin(name, RULE.format(name="alike", factory=f"ssl_domains_{name}_code:alike"))
    found = registry()
    with pytest.raises(PluginError, match="two plugins bring a rule 'alike': ssl-domains-other and ssl-domains-toy"):
        parse("alike('a')")
    assert [clash for clash in found.clashes() if "rule" in clash]
    registry(block=["other"])
    with pytest.raises(PluginError, match="can't be loaded from ssl_domains_toy_code:alike: AttributeError"):
        parse("alike('a')")


@pytest.mark.parametrize("name", ["same", "linked", "bins", "none"])
def test_a_rule_of_the_core_s_name_breaks_its_plugin(make_plugin, name):
    make_plugin("toy", RULE.format(name=name, factory="ssl_domains_toy_code:alike"))
    plugin = loaded("toy")
    assert plugin.status == "broken"
    assert f"the rule {name!r} is the core's" in plugin.reason


@pytest.mark.parametrize("entry", [("not a name", "x", "a:b"), ("fine", "x", "no_function"), ("fine", "x", ":b")])
def test_a_malformed_rule_entry_is_refused(entry):
    from ssl_domains.extending import RuleEntry

    with pytest.raises(ValueError, match=r"identifier|module:function"):
        RuleEntry(*entry)
