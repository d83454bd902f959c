"""Labels that interpreters drew, placed on the grid of a survey by line number and time, never by row order.

What comes in is a file and a `LabelGrid`: the line numbers, the times and the coordinates of the survey. What goes out
are `PlacedLabels`, class numbers of some lines and samples of the grid, or a `Horizon`, one time for each trace.
"""

from ssl_domains_seismic.labels.grid import UNLABELLED, LabelGrid, PlacedLabels
from ssl_domains_seismic.labels.horizons import Horizon, read_horizon, zones
from ssl_domains_seismic.labels.label_volume import open_label_volume, read_mask, write_label_volume
from ssl_domains_seismic.labels.polygons import PolygonLabels, read_polygons
from ssl_domains_seismic.labels.sections import line_of, read_section
from ssl_domains_seismic.labels.volumes import read_label_volume

__all__ = [
    "UNLABELLED",
    "Horizon",
    "LabelGrid",
    "PlacedLabels",
    "PolygonLabels",
    "line_of",
    "open_label_volume",
    "read_horizon",
    "read_label_volume",
    "read_mask",
    "read_polygons",
    "read_section",
    "write_label_volume",
    "zones",
]
