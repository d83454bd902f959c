"""The views of the domain: changes that acquisition and processing make to a picture, and the rock doesn't.

Pictures come in as the preprocess makes them: values in [0, 1], of which ½ is the amplitude 0. In a section, rows are
time (or depth) downwards and a column is a trace. In a time slice, rows are inlines and columns are crosslines; no side
is time. `recipe` puts the steps together for the samples of a table. `STEPS` has the class of each step of this plugin
by its name: ``ViewRecipe.from_dict(run.recipe, STEPS)`` reads the recipe of a run back.
"""

from __future__ import annotations

from typing import Any

from ssl_domains_seismic.views.amplitude_scale import AmplitudeScale
from ssl_domains_seismic.views.dip import Dip
from ssl_domains_seismic.views.polarity import Polarity
from ssl_domains_seismic.views.recipe import EXTRA, recipe
from ssl_domains_seismic.views.relative_noise import RelativeNoise
from ssl_domains_seismic.views.spectral_band import SpectralBand
from ssl_domains_seismic.views.time_shift import TimeShift
from ssl_domains_seismic.views.trace_dropout import TraceDropout

__all__ = [
    "EXTRA",
    "STEPS",
    "AmplitudeScale",
    "Dip",
    "Polarity",
    "RelativeNoise",
    "SpectralBand",
    "TimeShift",
    "TraceDropout",
    "recipe",
]

STEPS: dict[str, Any] = {
    step.name: step for step in (AmplitudeScale, Dip, Polarity, RelativeNoise, SpectralBand, TimeShift, TraceDropout)
}
"""Class of each step of this plugin by its name."""
