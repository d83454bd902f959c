"""Each step: its two forms make the same picture, and its parameters keep to what was declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views import (
    Albumentations,
    Blur,
    ColorJitter,
    Draws,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewRecipe,
    ViewStep,
)
from ssl_domains.views.steps.blur import blurred, blurred_on_cpu
from ssl_domains.views.steps.colour import changed, changed_on_cpu

Pictures = Callable[..., NDArray[np.float32]]
Batched = Callable[[NDArray[np.float32]], Tensor]
WHY = "a reason"
NO_COLUMNS: dict[str, Tensor] = {}

# Largest difference on (waves, white noise). OpenCV 4 warps at 1/32 of a pixel, hence the room for Rotate.
STEPS: list[tuple[ViewStep, float, float]] = [
    (RandomResizedCrop(reason=WHY), 1e-4, 1e-4),
    (RandomResizedCrop((0.05, 0.3), (0.3, 3.0), reason=WHY), 1e-4, 1e-4),
    (HorizontalFlip(reason=WHY), 0, 0),
    (VerticalFlip(reason=WHY), 0, 0),
    (Rotate((-180.0, 180.0), reason=WHY), 0.02, 0.07),
    (Intensity(brightness=0.3, contrast=0.4, gamma=0.5, reason=WHY), 1e-4, 1e-4),
    (Blur((0.1, 3.0), p=0.8, reason=WHY), 1e-4, 1e-4),
    (Noise((0.0, 0.3), p=0.8, reason=WHY), 1e-6, 1e-6),
    (ColorJitter(grey=0.3, hue=0.5, reason=WHY), 1e-3, 1e-3),
]
IDS = [f"{step.name}-{number}" for number, (step, _, _) in enumerate(STEPS)]


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("kind", ["smooth", "textured"])
@pytest.mark.parametrize(("step", "smooth", "textured"), STEPS, ids=IDS)
def test_device_and_cpu_form_make_the_same_picture(
    step: ViewStep, smooth: float, textured: float, kind: str, channels: int, pictures: Pictures, batched: Batched
) -> None:
    if isinstance(step, ColorJitter) and channels != 3:
        pytest.skip("colour is for three channels")
    recipe = ViewRecipe((step,), 32, views=1)
    images = pictures(kind, channels)
    before = batched(images)
    kept = before.clone()
    (view,) = recipe.device_views(before, seed=1, step=2, slots=torch.arange(len(images)))
    assert torch.equal(before, kept), "the batch that came in was changed"
    assert view.images.dtype == torch.float32
    assert (view.images != before).any(), "the step did nothing"
    tolerance = smooth if kind == "smooth" else textured
    for slot, image in enumerate(images):
        one = recipe.cpu_view(image, seed=1, step=2, slot=slot)
        assert (view.images[slot] - one.images[0]).abs().max() <= tolerance
        assert (one.mask is None) == (view.mask is None)
        if one.mask is not None and view.mask is not None:
            assert (one.mask[0] != view.mask[slot]).float().mean() < 0.02


@pytest.mark.parametrize("kind", ["smooth", "textured"])
def test_the_form_for_accelerators_makes_the_same_picture(kind: str, pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures(kind, 3))
    factors = [torch.rand(12, 1, 1, 1, generator=torch.Generator().manual_seed(n)) * 2 for n in range(3)]
    for hue in (None, torch.linspace(-0.5, 0.5, 12)[:, None, None, None]):
        assert (changed(images, *factors, hue) - changed_on_cpu(images, *factors, hue)).abs().max() < 1e-4
    sigma = torch.linspace(0, 3, 12)
    assert (blurred(images, sigma, 10) - blurred_on_cpu(images, sigma, 10)).abs().max() < 1e-5


@pytest.mark.parametrize(("step", "smooth", "textured"), STEPS, ids=IDS)
def test_views_stay_in_zero_to_one(
    step: ViewStep, smooth: float, textured: float, pictures: Pictures, batched: Batched
) -> None:
    images = batched(pictures("textured", 3, n=64))
    for view in ViewRecipe((step,), 32).device_views(images, seed=0, step=0, slots=torch.arange(64)):
        assert view.images.min() >= 0
        assert view.images.max() <= 1 + 1e-6
        assert view.images.isfinite().all()


def parameters(step: ViewStep, n: int = 4000, size: int = 32) -> dict[str, Tensor]:
    return step.parameters(Draws(0, 0, torch.arange(n), 0, step.name), size)


def test_crops_keep_to_scale_and_ratio_and_stay_inside() -> None:
    drawn = parameters(RandomResizedCrop((0.25, 0.5), (0.5, 2.0), reason=WHY), size=64)
    left, top, width, height = (drawn[key] for key in ("left", "top", "width", "height"))
    assert ((left >= 0) & (left + width <= 64) & (top >= 0) & (top + height <= 64)).all()
    area = width * height / 64**2
    assert area.min() > 0.2
    assert area.max() < 0.55
    assert area.mean() == pytest.approx(0.375, abs=0.01)
    ratio = width / height
    assert ratio.min() > 0.45
    assert ratio.max() < 2.2
    # Every place is as likely as any other.
    narrow = width == 32
    assert (left[narrow] / (64 - 32)).mean() == pytest.approx(0.5, abs=0.05)


def test_a_crop_of_everything_is_the_picture_itself(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 3))
    recipe = ViewRecipe((RandomResizedCrop((1.0, 1.0), (1.0, 1.0), reason=WHY),), 32, views=1)
    (view,) = recipe.device_views(images, seed=0, step=0, slots=torch.arange(len(images)))
    assert torch.allclose(view.images, images, atol=1e-5)


def test_a_crop_tells_where_it_was() -> None:
    step = RandomResizedCrop(emit=True, reason=WHY)
    told = step.emits(parameters(step), NO_COLUMNS)
    assert set(told) == {"crop_x", "crop_y", "crop_area"}
    assert all(((value > 0) & (value <= 1)).all() for value in told.values())
    assert RandomResizedCrop(reason=WHY).emits(parameters(step), NO_COLUMNS) == {}


@pytest.mark.parametrize("step", [HorizontalFlip(0.3, reason=WHY), VerticalFlip(0.3, reason=WHY)])
def test_flips_happen_as_often_as_declared(step: ViewStep) -> None:
    assert parameters(step)["flip"].double().mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("step", "name", "identity"),
    [
        (Rotate((-10, 20), p=0.3, reason=WHY), "degrees", 0),
        (Blur((0.5, 1.0), p=0.3, reason=WHY), "sigma", 0),
        (Noise((0.1, 0.2), p=0.3, reason=WHY), "sigma", 0),
        (Intensity(p=0.3, reason=WHY), "scale", 1),
        (ColorJitter(p=0.3, reason=WHY), "brightness", 1),
    ],
)
def test_steps_happen_as_often_as_declared(step: ViewStep, name: str, identity: float) -> None:
    values = parameters(step)[name]
    assert (values != identity).double().mean() == pytest.approx(0.3, abs=0.03)


def test_contrast_turns_about_mid_grey(batched: Batched) -> None:
    """A seismic picture's zero is 0.5 and has to stay there when brightness isn't touched."""
    grey = torch.full((8, 1, 4, 4), 0.5)
    step = Intensity(brightness=0, contrast=0.9, p=1, reason=WHY)
    images, _ = step.device(grey, None, parameters(step, 8), NO_COLUMNS)
    assert torch.allclose(images, grey)


def test_blur_keeps_the_mean_of_a_constant_and_narrows_the_spread(pictures: Pictures, batched: Batched) -> None:
    step = Blur((1.0, 1.0), p=1, reason=WHY)
    constant = torch.full((4, 2, 16, 16), 0.3)
    assert torch.allclose(step.device(constant, None, parameters(step, 4), NO_COLUMNS)[0], constant, atol=1e-6)
    noise = batched(pictures("textured", 2))
    assert step.device(noise, None, parameters(step, 12), NO_COLUMNS)[0].std() < 0.5 * noise.std()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_tiny_pictures(size: int) -> None:
    recipe = ViewRecipe(tuple(step for step, _, _ in STEPS), size)
    views = recipe.device_views(torch.rand(3, 3, size, size), seed=0, step=0, slots=torch.arange(3))
    assert views[0].images.shape == (3, 3, size, size)


def test_noise_has_the_declared_spread() -> None:
    step = Noise((0.1, 0.1), p=1, reason=WHY)
    images = torch.full((16, 3, 32, 32), 0.5)
    noisy, _ = step.device(images, None, parameters(step, 16), NO_COLUMNS)
    assert (noisy - images).std() == pytest.approx(0.1, abs=0.003)
    assert len(torch.unique(noisy[:, 0, 0, 0])) == 16


@pytest.mark.parametrize("channels", [1, 5])
def test_colour_refuses_other_than_three_channels(channels: int) -> None:
    recipe = ViewRecipe((ColorJitter(reason=WHY),), 8)
    with pytest.raises(UsageError, match="3 channels") as raised:
        recipe.device_views(torch.rand(2, channels, 8, 8), seed=0, step=0, slots=torch.arange(2))
    assert "Intensity" in raised.value.hint


def test_a_custom_transform_is_seeded_by_slot_step_and_view(pictures: Pictures, batched: Batched) -> None:
    transform = A.Compose([A.CoarseDropout(p=1.0), A.RandomBrightnessContrast(p=1.0)])
    recipe = ViewRecipe((Albumentations(transform, reason=WHY),), 32)
    images = batched(pictures("textured", 3))
    first = recipe.device_views(images, seed=1, step=2, slots=torch.arange(12))
    again = recipe.device_views(images[4:8], seed=1, step=2, slots=torch.arange(4, 8))
    assert torch.equal(first[0].images[4:8], again[0].images)
    assert torch.equal(first[1].images[4:8], again[1].images)
    assert not torch.equal(first[0].images, first[1].images)
    later = recipe.device_views(images, seed=1, step=3, slots=torch.arange(12))
    assert not torch.equal(first[0].images, later[0].images)
    one = recipe.cpu_view(pictures("textured", 3)[5], seed=1, step=2, slot=5)
    assert torch.equal(one.images[0], first[0].images[5])


def test_a_custom_transform_may_not_change_the_shape(pictures: Pictures) -> None:
    step = Albumentations(A.Resize(16, 16), reason=WHY)
    with pytest.raises(UsageError, match="Resize made float32"):
        step.cpu(pictures("smooth", 1)[0], {"seed": 0}, {})


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomResizedCrop((0.0, 1.0), reason=WHY),
        lambda: RandomResizedCrop((0.8, 0.2), reason=WHY),
        lambda: HorizontalFlip(1.5, reason=WHY),
        lambda: Rotate((10, -10), reason=WHY),
        lambda: Intensity(brightness=2, reason=WHY),
        lambda: Intensity(gamma=-1, reason=WHY),
        lambda: Blur((0, 1), reason=WHY),
        lambda: Noise((-1, 1), reason=WHY),
        lambda: ColorJitter(hue=0.7, reason=WHY),
        lambda: HorizontalFlip(reason=" "),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(UsageError) as raised:
        make()
    assert raised.value.hint


def test_a_step_without_a_reason_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="reason"):
        HorizontalFlip()  # type: ignore[call-arg]


@pytest.mark.parametrize(("step", "smooth", "textured"), STEPS, ids=IDS)
def test_steps_are_what_the_protocol_says(step: ViewStep, smooth: float, textured: float) -> None:
    assert isinstance(step, ViewStep)
    assert step.to_dict()["reason"] == WHY
    assert replace(step, reason="other") != step  # type: ignore[type-var]
