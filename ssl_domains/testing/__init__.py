"""The conformance kit: checks of the contracts, to be called from the tests of a plugin.

Each check raises `AssertionError` with the clause of the contract that is broken. A test file of a plugin can be::

    from ssl_domains.testing import check_domain, check_pair_sampler

    def test_domain(tmp_path):
        samples = check_domain(MY_DOMAIN, tmp_path)
        for sampler in MY_SAMPLERS:
            check_pair_sampler(sampler, samples)
"""

from __future__ import annotations

from ssl_domains.testing.crop import check_crop
from ssl_domains.testing.domain import check_domain
from ssl_domains.testing.encoder import check_encoder
from ssl_domains.testing.finish import check_finish
from ssl_domains.testing.method import check_method
from ssl_domains.testing.method_case import MethodCase
from ssl_domains.testing.pair_sampler import check_pair_sampler
from ssl_domains.testing.reader import check_reader
from ssl_domains.testing.recipe import check_recipe

__all__ = [
    "MethodCase",
    "check_crop",
    "check_domain",
    "check_encoder",
    "check_finish",
    "check_method",
    "check_pair_sampler",
    "check_reader",
    "check_recipe",
]
