"""Scaling of values from their native unit to [0, 1]: declared by the domain, fitted once, recorded with the run.

A domain declares a `Scaling`. Its ``fit`` looks at the training rows and gives a `FittedScaling`, which a run saves and
which scales single arrays. Pictures are never scaled by their own minimum and maximum: the unit would be lost, and an
empty slice would look like any other.
"""

from __future__ import annotations

from ssl_domains.views.scaling.declared import Scaling
from ssl_domains.views.scaling.fitted import FittedScaling, valid_pixels

__all__ = ["FittedScaling", "Scaling", "valid_pixels"]
