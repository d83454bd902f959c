"""Floors: what is reached without an encoder, from columns, from hand-made features, or from the place of a pixel."""

from ssl_domains.probes.floors.columns import TreeProbe, column_floor, floor_features
from ssl_domains.probes.floors.handmade import hog, intensity_statistics, mean_colour
from ssl_domains.probes.floors.position import POSITION, position_floor

__all__ = [
    "POSITION",
    "TreeProbe",
    "column_floor",
    "floor_features",
    "hog",
    "intensity_statistics",
    "mean_colour",
    "position_floor",
]
