"""What happens to a sample before the encoder: scaling, canvas, and the views of a recipe."""

import os

import cv2

from ssl_domains.views.batches import CanvasDataset, whole_batch
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.draws import Draws
from ssl_domains.views.label_masks import IGNORED, place_mask, to_native
from ssl_domains.views.preprocess import Preprocess
from ssl_domains.views.recipe import Viewed, ViewRecipe
from ssl_domains.views.scaling import FittedScaling, Scaling
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

__all__ = [
    "IGNORED",
    "Albumentations",
    "Blur",
    "Canvas",
    "CanvasDataset",
    "ColorJitter",
    "Draws",
    "FittedScaling",
    "Geometric",
    "HorizontalFlip",
    "Intensity",
    "Noise",
    "Preprocess",
    "RandomResizedCrop",
    "Rotate",
    "Scaling",
    "VerticalFlip",
    "ViewRecipe",
    "ViewStep",
    "Viewed",
    "place_mask",
    "to_native",
    "whole_batch",
]

# albumentations 2.0.8 asks the network for a newer version when it is imported, unless told otherwise beforehand; the
# steps import it when they first need it.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

# Batches are made in worker processes; OpenCV's own threads on top of them fight for the same cores.
cv2.setNumThreads(0)
