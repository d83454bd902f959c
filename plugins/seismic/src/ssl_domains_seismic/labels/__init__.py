"""Labels that interpreters drew, placed on the grid of a survey by line number and time, never by row order.

What comes in is a file and a `LabelGrid`: the line numbers, the times and the coordinates of the survey. What goes out
are `PlacedLabels`, class numbers of some lines and samples of the grid, or a `Horizon`, one time for each trace.
"""

from ssl_domains_seismic.labels.class_numbers import class_numbers, stored_array
from ssl_domains_seismic.labels.geojson import polygon_features
from ssl_domains_seismic.labels.grid import UNLABELLED, LabelGrid, PlacedLabels, nearest, span
from ssl_domains_seismic.labels.horizons import Horizon, read_horizon, zones
from ssl_domains_seismic.labels.label_volume import open_label_volume, read_mask, write_label_volume
from ssl_domains_seismic.labels.number_table import read_number_table
from ssl_domains_seismic.labels.polygons import PolygonLabels, class_words, read_polygons
from ssl_domains_seismic.labels.sections import line_of, lines_in, read_section
from ssl_domains_seismic.labels.volumes import mapped_label_volume, read_label_volume

__all__ = [
    "UNLABELLED",
    "Horizon",
    "LabelGrid",
    "PlacedLabels",
    "PolygonLabels",
    "class_numbers",
    "class_words",
    "line_of",
    "lines_in",
    "mapped_label_volume",
    "nearest",
    "open_label_volume",
    "polygon_features",
    "read_horizon",
    "read_label_volume",
    "read_mask",
    "read_number_table",
    "read_polygons",
    "read_section",
    "span",
    "stored_array",
    "write_label_volume",
    "zones",
]
