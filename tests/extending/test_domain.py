"""A domain says how arrays become inputs in one of two ways; the core serves the commands of a domain without any."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import tone_domain as tones
from ssl_domains.errors import PluginError, UsageError
from ssl_domains.extending import Domain, PluginSettings, Registry, ScanOption

DOMAIN = """
from ssl_domains.extending import Domain

def ssl_domains_domains():
    for name in {names!r}:
        yield Domain(name, "about " + name, reader=object, recipe=lambda r: None, scaling=lambda table: None)
"""
SAMPLER = """
from ssl_domains.extending import PairSampler

def ssl_domains_pair_samplers():
    return [PairSampler("mine", "toy", "one line", "same('patient')")]
"""
APP = "import typer\napp = typer.Typer()\n@app.command()\ndef hello():\n    print('hello')\n"


def registry(**settings) -> Registry:
    return Registry(PluginSettings.of(**settings))


def test_scaling_or_preprocess_is_given_and_not_both():
    assert tones.TONES.scaling is None
    with pytest.raises(ValueError, match=r"'tone' doesn't say how arrays become inputs.*scaling= .*preprocess="):
        replace(tones.TONES, preprocess=None)
    with pytest.raises(ValueError, match="gives both"):
        replace(tones.TONES, scaling=lambda table: None)
    with pytest.raises(ValueError, match="lower-case word"):
        Domain("Tone", "x", reader=object, recipe=lambda request: None, preprocess=tones.preprocess)


def test_options_of_the_scan_and_of_the_masks_have_different_names():
    scanned = ScanOption("format", str, help="of the annotations")
    with pytest.raises(ValueError, match="'format' is an option of the scan and of the files of masks"):
        replace(tones.TONES, scan_options=(scanned,), map_options=(ScanOption("format", str, help="of the masks"),))


def test_a_domain_without_commands_is_served_by_metadata_alone(make_plugin):
    make_plugin("toy", "raise RuntimeError('imported')")
    found = registry()
    assert found.commands()["toy"] == "the summary of toy"
    assert found.serves("toy")
    assert not found.serves("medical")
    assert not found.serves("nothing")
    assert "ssl_domains_toy_code" not in sys.modules
    with pytest.raises(PluginError, match="imported"):
        found.domain("toy")


def test_a_plugin_with_its_own_commands_is_not_served(make_plugin):
    make_plugin("toy", DOMAIN.format(names=["toy"]), cli=APP)
    assert not registry().serves("toy")
    assert registry().commands()["toy"] == "the summary of toy"


def test_a_sampler_named_like_a_domain_leaves_the_commands_of_that_domain_alone(make_plugin):
    make_plugin("toy", DOMAIN.format(names=["toy"]), cli=APP)
    make_plugin("toy", SAMPLER, distribution="more-samplers")
    found = registry()
    assert not found.serves("toy")
    assert found.commands()["toy"] == "the summary of toy"
    assert found.domain("toy").name == "toy"
    assert found.pair_sampler("toy", "mine").summary == "one line"


def test_a_plugin_without_a_domain_of_its_name_says_so(make_plugin):
    make_plugin("extras", SAMPLER)
    with pytest.raises(UsageError, match=r"ssl-domains-extras 1.2.3 brings no domain 'extras'") as caught:
        registry().domain("extras")
    assert caught.value.hint == "ssl-domains plugins check extras"


def test_a_blocked_plugin_serves_nothing(make_plugin):
    make_plugin("toy", DOMAIN.format(names=["toy"]))
    found = registry(block=["toy"])
    assert "toy" not in found.commands()
    with pytest.raises(PluginError, match="block list"):
        found.domain("toy")


OWN_PREPROCESS = """
import dataclasses
from ssl_domains.extending import Domain

def ssl_domains_domains():
    from ssl_domains.views import SignalPreprocess

    yield Domain("toy", "toys", reader=object, recipe=lambda r: None, preprocess=lambda table: SignalPreprocess(),
                 preprocess_classes=({path!r},))

def __getattr__(name):
    if name != "Doubled":
        raise AttributeError(f"there is no {{name}}")
    from ssl_domains.views import SignalPreprocess, register_preprocess

    return register_preprocess(type("Doubled", (SignalPreprocess,), {{"name": "doubled of a test"}}))
"""


def test_the_preprocess_of_a_plugin_is_found_when_a_run_names_it(make_plugin, monkeypatch):
    from ssl_domains.errors import DataError
    from ssl_domains.extending import use_registry
    from ssl_domains.extending.current import _current
    from ssl_domains.views import preprocess_from_dict
    from ssl_domains.views.preprocesses import _BY_NAME

    monkeypatch.setattr("ssl_domains.views.preprocesses._BY_NAME", dict(_BY_NAME))
    before = list(_current)
    try:
        use_registry(registry())
        with pytest.raises(DataError, match="'doubled of a test' isn't known here"):
            preprocess_from_dict({"name": "doubled of a test", "channels": 3})
        make_plugin("toy", OWN_PREPROCESS.format(path="ssl_domains_toy_code:Doubled"))
        use_registry(registry())
        assert preprocess_from_dict({"name": "doubled of a test", "channels": 3}).spec.channels == 3
        make_plugin("other", OWN_PREPROCESS.format(path="ssl_domains_other_code:Missing"))
        use_registry(registry())
        with pytest.raises(PluginError, match="Missing' of ssl-domains-other"):
            preprocess_from_dict({"name": "nobody's"})
    finally:
        _current[:] = before


def test_two_domains_of_one_module_each_have_an_entry_point(make_plugin):
    site = make_plugin("sheets", DOMAIN.format(names=["sheets", "pages"]))
    entries = site / "ssl_domains_sheets-1.2.3.dist-info" / "entry_points.txt"
    entries.write_text(
        entries.read_text().replace("[ssl_domains]\n", "[ssl_domains]\npages = ssl_domains_sheets_code\n")
    )
    found = registry()
    assert {name: found.serves(name) for name in ("sheets", "pages")} == {"sheets": True, "pages": True}
    assert found.domain("sheets").name == "sheets"
    assert found.domain("pages").name == "pages"
    assert len(found.load(next(info for info in found.infos if "pages" in info.names)).domains) == 2
