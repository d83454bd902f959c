"""Crops: which part of a large array a slot of a batch sees.

A crop is drawn in a worker process, from the shape of a sample's array and numbers of its row. Only that part is read
from the store. At evaluation no crop is drawn: the encoder sees the centre, the whole, or a grid of tiles.
"""

from ssl_domains.views.crops.contract import Crop, crop_of, emitted_names, recipe_to_dict, replaced_names
from ssl_domains.views.crops.placement import Tiling, centre, emit_all, place_all
from ssl_domains.views.crops.random_crop import RandomCrop
from ssl_domains.views.crops.registry import crop_from_dict, crop_to_dict, register_crop
from ssl_domains.views.crops.tiles import Tiles, facts_of_rows, tiles_of

__all__ = [
    "Crop",
    "RandomCrop",
    "Tiles",
    "Tiling",
    "centre",
    "crop_from_dict",
    "crop_of",
    "crop_to_dict",
    "emit_all",
    "emitted_names",
    "facts_of_rows",
    "place_all",
    "recipe_to_dict",
    "register_crop",
    "replaced_names",
    "tiles_of",
]
