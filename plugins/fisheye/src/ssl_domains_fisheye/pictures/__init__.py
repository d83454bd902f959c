"""Pictures as files of a data set: which of them are samples, and the part that a row shows.

In come the paths of pictures; `without_masks` leaves out masks and label maps. Out of the pixels of a picture, `cut`
takes the crop of a row.
"""

from ssl_domains_fisheye.pictures.crops import crop_columns, cut
from ssl_domains_fisheye.pictures.masks import without_masks

__all__ = ["crop_columns", "cut", "without_masks"]
