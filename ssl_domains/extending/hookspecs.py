"""The hooks that a plugin may implement. Each is called once and returns small frozen dataclasses.

A plugin is a distribution with an entry point in the group ``ssl_domains`` that names a module, and functions of these
names in that module; no decorator and no import of pluggy is needed::

    [project.entry-points.ssl_domains]
    fisheye = "ssl_domains_fisheye.hooks"

    [project.entry-points."ssl_domains.cli"]     # only to add commands to those of the core
    fisheye = "ssl_domains_fisheye.cli:app"

    [project.entry-points."ssl_domains.api"]     # the API version it was written for
    1 = "ssl_domains_fisheye"

The name of the first entry point is that of the domain: without an entry point in ``ssl_domains.cli``, the core serves
``ssl-domains NAME`` with all its commands. A plugin of several domains names its module once for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ssl_domains.extending.domain import Domain
from ssl_domains.extending.encoder_entry import EncoderEntry
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.pair_sampler import PairSampler
from ssl_domains.pairs.rules.registry import RuleEntry

__all__ = [
    "PREFIX",
    "ssl_domains_domains",
    "ssl_domains_encoders",
    "ssl_domains_methods",
    "ssl_domains_pair_samplers",
    "ssl_domains_rules",
]


PREFIX = "ssl_domains_"

hookspec = pluggy.HookspecMarker("ssl_domains")


@hookspec
def ssl_domains_domains() -> Iterable[Domain]:  # type: ignore[empty-body]
    """The domains of this plugin.

    Example::

        def ssl_domains_domains():
            from ssl_domains_fisheye.domain import FISHEYE

            return [FISHEYE]
    """


@hookspec
def ssl_domains_pair_samplers() -> Iterable[PairSampler]:  # type: ignore[empty-body]
    """The pair samplers of this plugin, for its own domain or for another one.

    Example::

        def ssl_domains_pair_samplers():
            return [PairSampler("patient", "medical", "positives share a patient", "same('patient')")]
    """


@hookspec
def ssl_domains_methods() -> Iterable[MethodEntry]:  # type: ignore[empty-body]
    """The contrastive methods of this plugin.

    Example::

        def ssl_domains_methods():
            return [MethodEntry("my_method", "what it adds", "Doe 2026, A Method", "my_package.my_method:MyMethod")]
    """


@hookspec
def ssl_domains_encoders() -> Iterable[EncoderEntry]:  # type: ignore[empty-body]
    """The encoders this plugin brings. What an entry names is imported when the encoder is built.

    Example::

        def build(takes, init):
            from ssl_domains.encoders import Conv1d, MaskedEncoder

            return MaskedEncoder(Conv1d(takes.channels, widths=(16, 32), strides=(4, 4)), "narrow", takes)

        def ssl_domains_encoders():
            return [EncoderEntry("narrow", "small network for waveforms", "my_package.hooks:build")]
    """


@hookspec
def ssl_domains_rules() -> Iterable[RuleEntry]:  # type: ignore[empty-body]
    """The rules this plugin brings, which rule text can then name like ``same``.

    Example::

        def ssl_domains_rules():
            return [RuleEntry("prefix", "texts with equal first characters", "my_package.prefix:prefix")]
    """
