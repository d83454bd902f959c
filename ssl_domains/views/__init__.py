"""What happens to a sample before the encoder: scaling, canvas, and the views of a recipe."""

import os

# albumentations 2.0.8 asks the network for a newer version when it is imported, unless told otherwise beforehand.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2  # noqa: E402

# Batches are made in worker processes; OpenCV's own threads on top of them fight for the same cores.
cv2.setNumThreads(0)
