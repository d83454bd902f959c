"""The steps of a recipe, one file each."""

from ssl_domains.views.steps.step import Geometric, ViewStep, grid, sample

__all__ = ["Geometric", "ViewStep", "grid", "sample"]
