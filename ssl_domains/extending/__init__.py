"""Plugins: the classes with which they declare domains, pair samplers, methods and encoders, and their loading."""

from __future__ import annotations

from ssl_domains.extending.current import current_registry, use_registry
from ssl_domains.extending.discovery import API_VERSION, KNOWN_DOMAINS, PluginInfo
from ssl_domains.extending.domain import Domain, RecipeRequest, ScanOption
from ssl_domains.extending.encoder_entry import EncoderEntry
from ssl_domains.extending.loader import Plugin
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.pair_sampler import PairSampler, parse_call
from ssl_domains.extending.registry import Registry
from ssl_domains.extending.settings import PluginSettings
from ssl_domains.pairs.rules.registry import RuleEntry

__all__ = [
    "API_VERSION",
    "KNOWN_DOMAINS",
    "Domain",
    "EncoderEntry",
    "MethodEntry",
    "PairSampler",
    "Plugin",
    "PluginInfo",
    "PluginSettings",
    "RecipeRequest",
    "Registry",
    "RuleEntry",
    "ScanOption",
    "current_registry",
    "parse_call",
    "use_registry",
]
