"""The simulated survey of the seismic demonstration, drawn once for all tests of a process."""

from __future__ import annotations

from functools import cache

from ssl_domains_seismic.demo.survey import Survey, draw_survey

__all__ = ["drawn"]


@cache
def drawn(seed: int) -> Survey:
    """The survey of a seed; tests don't write into it."""
    return draw_survey(seed)
