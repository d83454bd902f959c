"""The padding of a canvas tells nothing: the aspect ratio of a picture can't be read from a random encoder."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

import ssl_domains.encoders  # noqa: F401  small_conv is registered with timm
from ssl_domains.inputs import Input
from ssl_domains.views import (
    Blur,
    Canvas,
    FittedScaling,
    HorizontalFlip,
    ImagePreprocess,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    Scaling,
    ViewRecipe,
)

SIZE, PICTURES = 32, 600
LEAST_WITH_ZEROS, MOST = 0.6, 0.15
WHY = "a reason"
RECIPE = ViewRecipe(
    (
        Rotate((-30.0, 30.0), reason=WHY), RandomResizedCrop((0.4, 1.0), reason=WHY), HorizontalFlip(reason=WHY),
        Intensity(0.1, 0.1, reason=WHY), Blur(reason=WHY), Noise(reason=WHY),
    ),
    SIZE,
    views=1,
)  # fmt: skip

Fill = Callable[[Tensor, Tensor], Tensor]
FILLS: dict[str, Fill] = {"as it is": lambda images, mask: images, "zeros": lambda images, mask: images * mask}


def textures(rng: np.random.Generator) -> tuple[list[NDArray[np.float32]], NDArray[np.float64]]:
    """Smooth textures of aspect 1:3 to 3:1, and log(width / height).

    The long side is 64 pixels and the width of the texture is drawn for each picture, so that on a canvas, which scales
    the long side, the texture doesn't tell the aspect ratio.
    """
    pictures, ratios = [], np.exp(rng.uniform(-np.log(3), np.log(3), PICTURES))
    for ratio in ratios:
        height, width = (round(64 / ratio), 64) if ratio > 1 else (64, round(64 * ratio))
        sigma = np.exp(rng.uniform(np.log(1.5), np.log(8)))
        noise = cv2.GaussianBlur(rng.normal(size=(160, 160)).astype(np.float32), (0, 0), sigma)[48:112, 48:112]
        picture = 0.5 + 0.15 * noise / noise.std()
        pictures.append(picture[:height, :width, None].clip(0, 1).astype(np.float32))
    return pictures, np.log([picture.shape[1] / picture.shape[0] for picture in pictures])


def explained(images: Tensor, ratios: NDArray[np.float64], seed: int) -> float:
    """R² on held-out pictures of the log aspect ratio, read by ridge regression from a random encoder."""
    torch.manual_seed(seed)
    encoder = timm.create_model("small_conv", in_chans=images.shape[1]).eval()
    with torch.no_grad():
        features = encoder(images).numpy()
    probe = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
    answers = cross_val_predict(probe, features, ratios, cv=KFold(5, shuffle=True, random_state=0))
    return float(1 - ((ratios - answers) ** 2).sum() / ((ratios - ratios.mean()) ** 2).sum())


@pytest.fixture(scope="module")
def placed() -> tuple[Tensor, Tensor, NDArray[np.float64]]:
    """Pictures on a ``fit`` canvas by a preprocess, their masks, and their log aspect ratios."""
    torch.set_num_threads(1)
    pictures, ratios = textures(np.random.default_rng(5))
    preprocess = ImagePreprocess(FittedScaling(Scaling(lo=0, hi=1), {"": (0.0, 1.0)}), Canvas(SIZE, "fit"), in_chans=1)
    canvases = Input.cat([preprocess(picture) for picture in pictures])
    assert canvases.valid is not None
    return canvases.values, canvases.valid, ratios


def viewed(images: Tensor, masks: Tensor, fill: Fill) -> Tensor:
    (view,) = RECIPE.device_views(fill(images, masks), masks, seed=0, step=0, slots=torch.arange(len(images)))
    assert view.mask is not None
    return fill(view.images, view.mask)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_canvas_does_not_tell_the_aspect_ratio(
    placed: tuple[Tensor, Tensor, NDArray[np.float64]], seed: int
) -> None:
    images, masks, ratios = placed
    assert explained(images * masks, ratios, seed) > 0.9, "a frame of zeros does tell it"
    assert explained(images, ratios, seed) <= MOST


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_views_do_not_tell_the_aspect_ratio(placed: tuple[Tensor, Tensor, NDArray[np.float64]], seed: int) -> None:
    images, masks, ratios = placed
    assert explained(viewed(images, masks, FILLS["zeros"]), ratios, seed) > LEAST_WITH_ZEROS
    assert explained(viewed(images, masks, FILLS["as it is"]), ratios, seed) <= MOST
