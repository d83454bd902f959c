"""Preprocessing and augmentation: what happens to a sample before the encoder.

An array of the store comes in. A preprocess turns it into an `Input`: `ImagePreprocess` scales pictures to [0, 1] and
resizes them to the canvas, `SignalPreprocess` scales signals and keeps their length. A recipe turns the input into
views, which are randomly changed copies: `ViewRecipe` for square pictures, `SequenceRecipe` for inputs of any number of
sides. Both are applied in this order to every batch. The last part of a preprocess may run on the device, after the
views were made or as one of their steps; see `finished`.
"""

import os

import cv2

from ssl_domains.views.batches import InputDataset, TileDataset, whole_batch
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.contract import (
    MapPreprocess,
    Preprocess,
    PreprocessSource,
    PreprocessToFit,
    Recipe,
    RowInputs,
)
from ssl_domains.views.crops import (
    Crop,
    RandomCrop,
    Tiles,
    Tiling,
    crop_from_dict,
    crop_of,
    crop_to_dict,
    emitted_names,
    recipe_to_dict,
    register_crop,
    replaced_names,
    tiles_of,
)
from ssl_domains.views.draws import Draws
from ssl_domains.views.image_preprocess import ImagePreprocess
from ssl_domains.views.label_masks import (
    IGNORED,
    DrawnLabelMaps,
    LabelMaps,
    map_planes,
    map_sides,
    place_mask,
    to_native,
    with_label_maps,
)
from ssl_domains.views.preprocesses import (
    extended,
    finished,
    fitted_preprocess,
    loaded_spec,
    preprocess_from_dict,
    preprocess_to_dict,
    register_preprocess,
)
from ssl_domains.views.recipe import Viewed, ViewRecipe
from ssl_domains.views.scaling import FittedScaling, Scaling
from ssl_domains.views.sequences import (
    AddNoise,
    CropLength,
    DropChannels,
    Gain,
    MaskStretches,
    Pointwise,
    SequenceRecipe,
    SequenceStep,
)
from ssl_domains.views.signal_preprocess import SignalPreprocess
from ssl_domains.views.steps import (
    Albumentations,
    Blur,
    ColorJitter,
    Geometric,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewStep,
)
from ssl_domains.views.variants import VariantRecipe, with_variants

__all__ = [
    "IGNORED",
    "AddNoise",
    "Albumentations",
    "Blur",
    "Canvas",
    "ColorJitter",
    "Crop",
    "CropLength",
    "DrawnLabelMaps",
    "Draws",
    "DropChannels",
    "FittedScaling",
    "Gain",
    "Geometric",
    "HorizontalFlip",
    "ImagePreprocess",
    "InputDataset",
    "Intensity",
    "LabelMaps",
    "MapPreprocess",
    "MaskStretches",
    "Noise",
    "Pointwise",
    "Preprocess",
    "PreprocessSource",
    "PreprocessToFit",
    "RandomCrop",
    "RandomResizedCrop",
    "Recipe",
    "Rotate",
    "RowInputs",
    "Scaling",
    "SequenceRecipe",
    "SequenceStep",
    "SignalPreprocess",
    "TileDataset",
    "Tiles",
    "Tiling",
    "VariantRecipe",
    "VerticalFlip",
    "ViewRecipe",
    "ViewStep",
    "Viewed",
    "crop_from_dict",
    "crop_of",
    "crop_to_dict",
    "emitted_names",
    "extended",
    "finished",
    "fitted_preprocess",
    "loaded_spec",
    "map_planes",
    "map_sides",
    "place_mask",
    "preprocess_from_dict",
    "preprocess_to_dict",
    "recipe_to_dict",
    "register_crop",
    "register_preprocess",
    "replaced_names",
    "tiles_of",
    "to_native",
    "whole_batch",
    "with_label_maps",
    "with_variants",
]

# albumentations 2.0.8 looks for a newer version on the network when it is imported, unless this variable is set. It is
# set here because the steps import albumentations only when they first need it.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

# Batches are made in worker processes; OpenCV's threads would compete with them for the same cores.
cv2.setNumThreads(0)
