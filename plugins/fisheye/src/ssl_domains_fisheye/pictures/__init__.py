"""Pictures as files of a data set: which of them are samples, which way up they are, and the part that a row shows.

In come the paths of pictures; `without_masks` leaves out masks and label maps. Out of the pixels of a picture, `turned`
makes what viewers show, and `cut` takes the crop of a row.
"""

from ssl_domains_fisheye.pictures.crops import crop_columns, cut
from ssl_domains_fisheye.pictures.masks import without_masks
from ssl_domains_fisheye.pictures.orientation import orientation_of, turned, turned_back, turned_size

__all__ = ["crop_columns", "cut", "orientation_of", "turned", "turned_back", "turned_size", "without_masks"]
