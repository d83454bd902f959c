"""The augmentation steps of a recipe, one file each, and the protocol `ViewStep` that they follow."""

from ssl_domains.views.steps.albumentations import Albumentations
from ssl_domains.views.steps.blur import Blur
from ssl_domains.views.steps.colour import ColorJitter
from ssl_domains.views.steps.crop import RandomResizedCrop
from ssl_domains.views.steps.flip import HorizontalFlip, VerticalFlip
from ssl_domains.views.steps.intensity import Intensity
from ssl_domains.views.steps.noise import Noise
from ssl_domains.views.steps.rotate import Rotate
from ssl_domains.views.steps.step import Geometric, ViewStep, backend, grid, nearest, reflect, sample

__all__ = [
    "Albumentations",
    "Blur",
    "ColorJitter",
    "Geometric",
    "HorizontalFlip",
    "Intensity",
    "Noise",
    "RandomResizedCrop",
    "Rotate",
    "VerticalFlip",
    "ViewStep",
    "backend",
    "grid",
    "nearest",
    "reflect",
    "sample",
]
