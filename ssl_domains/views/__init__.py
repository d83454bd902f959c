"""What happens to a sample before the encoder: scaling, canvas, and the views of a recipe."""

import os

# albumentations 2.0.8 asks the network for a newer version when it is imported, unless told otherwise beforehand.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2

# Batches are made in worker processes; OpenCV's own threads on top of them fight for the same cores.
cv2.setNumThreads(0)

from ssl_domains.views.batches import CanvasDataset, whole_batch
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.preprocess import Preprocess
from ssl_domains.views.scaling import FittedScaling, Scaling

__all__ = ["Canvas", "CanvasDataset", "FittedScaling", "Preprocess", "Scaling", "whole_batch"]
