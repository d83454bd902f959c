"""Extending: what plugins declare, and how they are found and loaded."""

from __future__ import annotations

from ssl_domains.extending.domain import Domain, RecipeRequest, ScanOption
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.pair_sampler import PairSampler, parse_call

__all__ = ["Domain", "MethodEntry", "PairSampler", "RecipeRequest", "ScanOption", "parse_call"]
