"""Encoders that plugins bring."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import PluginError, UsageError
from ssl_domains.extending import EncoderEntry, PluginSettings, Registry, use_registry
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

HOOK = """
from ssl_domains.extending import EncoderEntry

def ssl_domains_encoders():
    return [EncoderEntry({name!r}, "narrow net for waves", {factory!r})]

def build(takes, init):
    from ssl_domains.encoders import Conv1d, MaskedEncoder

    if init != "random":
        raise ValueError("no weights")
    return MaskedEncoder(Conv1d(takes.channels, (8, 8), (4, 2)), "narrow", takes)

def not_an_encoder(takes, init):
    return 3
"""


@pytest.fixture(autouse=True)
def no_registry_stays():
    yield
    use_registry(Registry())


def with_plugins(make_plugin, **names: tuple[str, str]) -> Registry:
    for plugin, (name, function) in names.items():
        make_plugin(plugin, HOOK.format(name=name, factory=f"ssl_domains_{plugin}_code:{function}"))
    registry = Registry(PluginSettings.of())
    use_registry(registry)
    return registry


def test_an_encoder_of_a_plugin_is_built_by_its_name(make_plugin):
    registry = with_plugins(make_plugin, toy=("narrow", "build"))
    takes = InputSpec("wave", 2, (None,))
    encoder = create_encoder("narrow", takes=takes, seed=3)
    assert encoder.takes == takes
    check_encoder(encoder)
    again = create_encoder("narrow", takes=takes, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), again.parameters(), strict=True))
    assert ("ssl-domains-toy", "narrow") in [(origin, entry.name) for origin, entry in registry.encoders()]
    assert registry.clashes() == []


def test_the_cores_own_encoders_are_listed_and_built(make_plugin):
    registry = with_plugins(make_plugin)
    names = {entry.name: entry for origin, entry in registry.encoders() if origin == "ssl-domains"}
    assert set(names) == {"small_conv", "small_vit", "conv1d", "small_crnn", "line_conv"}
    torch.manual_seed(2)
    encoder = registry.encoder("conv1d").build(InputSpec("wave", 1, (None,)))
    assert encoder.name == "conv1d"
    assert registry.encoder("small_conv").build(InputSpec("image", 1, (32, 32))).in_chans == 1
    line = InputSpec("line", 2, (32, None))
    assert registry.encoder("small_crnn").build(line).takes == line


@pytest.mark.parametrize(
    ("name", "other", "owners"),
    [
        ("narrow", "narrow", "ssl-domains-toy and ssl-domains-toys"),
        ("conv1d", "other", "ssl-domains and ssl-domains-toy"),
        ("resnet18", "other", "ssl-domains-toy and timm"),
    ],
)
def test_two_that_bring_one_name_are_an_error(make_plugin, name, other, owners):
    registry = with_plugins(make_plugin, toy=(name, "build"), toys=(other, "build"))
    with pytest.raises(PluginError, match=f"two plugins bring an encoder '{name}'") as caught:
        registry.encoder(name)
    assert owners in caught.value.message
    assert registry.clashes() == [caught.value.message]


def test_a_misspelt_name_is_answered_with_the_nearest_of_core_timm_and_plugins(make_plugin):
    with_plugins(make_plugin, toy=("narrow", "build"))
    for wrong, right in [
        ("narow", "narrow"),
        ("conv1", "conv1d"),
        ("resnt18", "resnet18"),
        ("smal_conv", "small_conv"),
        ("smal_crnn", "small_crnn"),
    ]:
        with pytest.raises(UsageError, match=f"there is no encoder '{wrong}'") as caught:
            create_encoder(wrong)
        assert caught.value.hint == f"did you mean {right!r}?"
    make_plugin("bad", "raise RuntimeError('broken')")
    use_registry(Registry(PluginSettings.of()))
    with pytest.raises(UsageError) as caught:
        create_encoder("qqqqqqqq")
    assert "known: bilstm:resnet18, conv1d" in caught.value.hint
    assert "ssl-domains-bad" in caught.value.hint


def test_a_factory_that_is_missing_or_builds_something_else_is_the_plugins_fault(make_plugin):
    with_plugins(make_plugin, toy=("none", "nothing"), toys=("odd", "not_an_encoder"))
    with pytest.raises(PluginError, match="encoder 'none' can't be imported: AttributeError"):
        create_encoder("none")
    with pytest.raises(PluginError, match="returned int instead of an Encoder"):
        create_encoder("odd")


@pytest.mark.parametrize(
    ("name", "factory"), [("transformers:x", "a:b"), ("two words", "a:b"), ("x", "a.b"), ("x", "a:b:c"), ("", "a:b")]
)
def test_entries_of_another_form_are_refused(name, factory):
    with pytest.raises(ValueError, match=r"an encoder's name|'module:function'"):
        EncoderEntry(name, "what", factory)
