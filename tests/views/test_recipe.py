"""A recipe: fused geometry, masks, what views depend on and what they don't, and what a run records of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import (
    Albumentations,
    Blur,
    ColorJitter,
    Draws,
    Geometric,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewRecipe,
    ViewStep,
    with_variants,
)
from ssl_domains.views.steps import grid

Pictures = Callable[..., NDArray[np.float32]]
Batched = Callable[[NDArray[np.float32]], Tensor]
WHY = "a reason"
GEOMETRY: tuple[ViewStep, ...] = (
    Rotate((-30.0, 30.0), reason=WHY), RandomResizedCrop((0.3, 1.0), reason=WHY), HorizontalFlip(reason=WHY),
    VerticalFlip(reason=WHY),
)  # fmt: skip
FULL = ViewRecipe((*GEOMETRY, Intensity(reason=WHY), Blur(reason=WHY), Noise(reason=WHY)), 32)


def test_the_views_of_a_sample_do_not_depend_on_the_batch(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 3))
    slots = torch.arange(100, 112)
    whole = FULL.device_views(images, seed=1, step=2, slots=slots)
    order = torch.tensor([7, 3, 11])
    some = FULL.device_views(images[order], seed=1, step=2, slots=slots[order])
    for all_of_them, few in zip(whole, some, strict=True):
        assert torch.allclose(all_of_them.images[order], few.images, atol=1e-6)
        assert all_of_them.mask is not None
        assert few.mask is not None
        assert torch.equal(all_of_them.mask[order], few.mask)


def test_the_same_call_gives_the_same_bits(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 3))
    first, again = (FULL.device_views(images, seed=1, step=2, slots=torch.arange(12)) for _ in range(2))
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))


def test_some_views_are_those_of_all(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 3))
    every = FULL.device_views(images, seed=1, step=2, slots=torch.arange(12))
    (second,) = FULL.device_views(images, seed=1, step=2, slots=torch.arange(12), only=[1])
    assert torch.equal(second.images, every[1].images)


def test_views_steps_seeds_and_slots_differ(pictures: Pictures, batched: Batched) -> None:
    same = batched(pictures("textured", 3, n=1)).expand(2, -1, -1, -1)
    a, b = FULL.device_views(same, seed=1, step=2, slots=torch.tensor([0, 1]))
    other_step = FULL.device_views(same, seed=1, step=3, slots=torch.tensor([0, 1]))[0]
    other_seed = FULL.device_views(same, seed=2, step=2, slots=torch.tensor([0, 1]))[0]
    pictures_seen = [a.images[0], a.images[1], b.images[0], b.images[1], other_step.images[0], other_seed.images[0]]
    for i, one in enumerate(pictures_seen):
        assert all(not torch.equal(one, other) for other in pictures_seen[:i])


def test_fused_geometry_equals_one_step_after_the_other(pictures: Pictures, batched: Batched) -> None:
    """Away from the border of the data, which fades over half a pixel, once or four times; on waves both can follow."""
    recipe = ViewRecipe(GEOMETRY, 32, views=1)
    images = pictures("smooth", 3)
    (view,) = recipe.device_views(batched(images), seed=4, step=0, slots=torch.arange(12))
    assert view.mask is not None
    for slot, image in enumerate(images):
        one = recipe.cpu_view(image, seed=4, step=0, slot=slot)
        assert one.mask is not None
        assert (one.mask[0] != view.mask[slot]).float().mean() < 0.03
        both = (one.mask[0] & view.mask[slot]).float()
        inner = torch.nn.functional.avg_pool2d(both, 7, 1, 3) > 0.999
        assert inner.float().mean() > 0.2
        assert ((view.images[slot] - one.images[0]).abs() * inner).max() < 0.005


@pytest.mark.parametrize("before", [(), (HorizontalFlip(reason=WHY), VerticalFlip(reason=WHY))])
@pytest.mark.parametrize("after", [(), (VerticalFlip(reason=WHY), HorizontalFlip(0.3, reason=WHY))])
@pytest.mark.parametrize("size", [32, 20])
def test_a_cut_rectangle_equals_the_interpolation_at_its_places(
    before: tuple[ViewStep, ...], after: tuple[ViewStep, ...], size: int, pictures: Pictures, batched: Batched
) -> None:
    """With a mask every pixel is looked up at its own place; without one, crops and flips are cut out."""
    images = batched(pictures("textured", 3))
    recipe = ViewRecipe((*before, RandomResizedCrop((0.1, 0.8), (0.5, 2.0), reason=WHY), *after), size)
    cut = recipe.device_views(images, seed=1, step=2, slots=torch.arange(12))
    everywhere = torch.ones(12, 1, 32, 32, dtype=torch.bool)
    placed = recipe.device_views(images, everywhere, seed=1, step=2, slots=torch.arange(12))
    for one, other in zip(cut, placed, strict=True):
        assert one.mask is None
        assert torch.allclose(one.images, other.images, atol=1e-4)


def test_a_crop_shows_nothing_from_outside_it_even_when_turned() -> None:
    """Rotation after a crop: the corners have no data, though the canvas has."""
    crop = RandomResizedCrop((0.1, 0.2), reason=WHY)
    recipe = ViewRecipe((crop, Rotate((45.0, 45.0), reason=WHY)), 32, views=1)
    # Each pixel holds its own column: a view shows the columns of its crop only.
    columns = (torch.arange(32) / 31).expand(4, 1, 32, 32).contiguous()
    (view,) = recipe.device_views(columns, seed=0, step=0, slots=torch.arange(4))
    assert view.mask is not None
    assert not view.mask[:, 0, 0, 0].any()
    assert view.mask[:, 0, 16, 16].all()
    drawn = crop.parameters(Draws(0, 0, torch.arange(4), 0, "crop"), 32)
    first, last = drawn["left"], drawn["left"] + drawn["width"] - 1
    assert torch.allclose(view.images.amin(dim=(1, 2, 3)).double() * 31, first, atol=0.6)
    assert torch.allclose(view.images.amax(dim=(1, 2, 3)).double() * 31, last, atol=0.6)
    assert (view.images.amin(dim=(1, 2, 3)).double() * 31 >= first - 1e-3).all()
    assert (view.images.amax(dim=(1, 2, 3)).double() * 31 <= last + 1e-3).all()
    # A square turned by 45° covers 2(√2 − 1) of itself.
    assert view.mask.float().mean() == pytest.approx(2 * (2**0.5 - 1), abs=0.03)


def test_a_mask_moves_with_the_picture_and_changes_no_pixel(pictures: Pictures, batched: Batched) -> None:
    images = pictures("textured", 3)
    mask = np.zeros((12, 32, 32), dtype=bool)
    mask[:, 8:24] = True
    given = torch.from_numpy(mask)[:, None]
    views = FULL.device_views(batched(images), given, seed=1, step=2, slots=torch.arange(12))
    without = FULL.device_views(batched(images), seed=1, step=2, slots=torch.arange(12))
    for view, plain in zip(views, without, strict=True):
        assert view.mask is not None
        assert plain.mask is not None
        assert view.mask.shape == (12, 1, 32, 32)
        assert 0.1 < view.mask.float().mean() < 0.95
        assert (view.mask <= plain.mask).all()
        assert torch.equal(view.images, plain.images), "what pads the canvas is a picture like the rest"
    one = FULL.cpu_view(images[3], mask[3], seed=1, step=2, slot=3)
    assert one.mask is not None
    assert views[0].mask is not None
    assert (one.mask[0] != views[0].mask[3]).float().mean() < 0.05


@pytest.mark.parametrize("degrees", [45.0, -20.0, 180.0])
def test_what_a_rotation_exposes_is_the_picture_reflected(degrees: float, pictures: Pictures, batched: Batched) -> None:
    """Against the rotation of a canvas that NumPy has padded by reflection; the mask against that of ones and zeros."""
    images = pictures("smooth", 3)
    recipe = ViewRecipe((Rotate((degrees, degrees), reason=WHY),), 32, views=1)
    (view,) = recipe.device_views(batched(images), seed=0, step=0, slots=torch.arange(12))
    turn = cv2.getRotationMatrix2D((47.5, 47.5), degrees, 1.0)
    assert view.mask is not None
    for slot, image in enumerate(images):
        wide = np.pad(image, ((32, 32), (32, 32), (0, 0)), mode="symmetric")
        turned = cv2.warpAffine(wide, turn, (96, 96), flags=cv2.INTER_LINEAR)[32:64, 32:64]
        # OpenCV counts places in 32nds of a pixel.
        assert np.abs(view.images[slot].permute(1, 2, 0).numpy() - turned).max() < 0.01
        inside = np.pad(np.ones((32, 32), np.float32), 32)
        there = cv2.warpAffine(inside, turn, (96, 96), flags=cv2.INTER_LINEAR)[32:64, 32:64] >= 0.5
        assert (view.mask[slot, 0].numpy() != there).mean() < 0.02


def test_missing_data_stays_apart_from_its_surroundings(batched: Batched) -> None:
    """A hole of a grey picture moves with it; what was 0 there is changed like a pixel, and only the mask tells."""
    image = np.full((1, 32, 32, 1), 0.5, np.float32)
    mask = np.ones((1, 32, 32), bool)
    mask[:, 4:12, 20:28] = False
    image[~mask] = 0
    recipe = ViewRecipe((HorizontalFlip(1.0, reason=WHY),), 32, views=1)
    (view,) = recipe.device_views(
        batched(image), torch.from_numpy(mask)[:, None], seed=0, step=0, slots=torch.arange(1)
    )
    assert view.mask is not None
    assert torch.equal(view.mask, torch.from_numpy(mask[:, None, :, ::-1].copy()))
    assert torch.equal(view.images > 0.25, view.mask)


def test_no_mask_is_made_where_nothing_outside_can_be_seen(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 1))
    assert FULL.without("rotate").device_views(images, seed=0, step=0, slots=torch.arange(12))[0].mask is None
    assert FULL.device_views(images, seed=0, step=0, slots=torch.arange(12))[0].mask is not None


def test_leaving_a_step_out_leaves_the_others_alone(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("textured", 3))
    never = ViewRecipe((*GEOMETRY, Intensity(reason=WHY), Blur(p=0, reason=WHY), Noise(reason=WHY)), 32)
    a = never.device_views(images, seed=1, step=2, slots=torch.arange(12))[1]
    b = FULL.without("blur").device_views(images, seed=1, step=2, slots=torch.arange(12))[1]
    assert torch.equal(a.images, b.images)


def test_two_steps_of_a_name_draw_apart() -> None:
    recipe = ViewRecipe((Noise((0.1, 0.1), p=1, reason=WHY), Noise((0.1, 0.1), p=1, reason=WHY)), 32, views=1)
    flat = torch.full((16, 1, 32, 32), 0.5)
    (view,) = recipe.device_views(flat, seed=0, step=0, slots=torch.arange(16))
    assert (view.images - flat).std() == pytest.approx(0.1 * 2**0.5, abs=0.005)


def test_uint8_canvases_count_in_steps_of_a_255th(batched: Batched) -> None:
    whole = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    recipe = ViewRecipe((HorizontalFlip(0.0, reason=WHY),), 8, views=1)
    (view,) = recipe.device_views(whole, seed=0, step=0, slots=torch.arange(4))
    assert torch.allclose(view.images, whole / 255, atol=1e-6)


def test_a_larger_canvas_ends_at_the_size_of_the_views(pictures: Pictures, batched: Batched) -> None:
    images = batched(pictures("smooth", 3, size=48))
    assert FULL.device_views(images, seed=0, step=0, slots=torch.arange(12))[0].images.shape == (12, 3, 32, 32)
    with pytest.raises(UsageError, match="48 pixels"):
        ViewRecipe((Noise(reason=WHY),), 32).device_views(images, seed=0, step=0, slots=torch.arange(12))


@dataclass(frozen=True)
class Zoom(Geometric):
    """A step as a plugin writes one: reads a column, bends the geometry, and tells what the view has become."""

    name: ClassVar[str] = "zoom"
    columns: ClassVar[tuple[str, ...]] = ("distance",)
    exposes: ClassVar[bool] = True
    reason: str = "the same object seen from further off"

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        return {"factor": draws.between(1.0, 2.0)}

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"distance": columns["distance"] * parameters["factor"]}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        factor = parameters["factor"].float()[:, None, None]
        far = factor * (x.square() + y.square()).sqrt()
        return torch.where(far > 5, torch.nan, x * factor), y * factor

    def cpu(self, image: Any, parameters: Mapping[str, Any], columns: Mapping[str, float]) -> Any:
        raise AssertionError("not part of this test")

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "reason": self.reason}


def test_a_plugins_step_reads_columns_and_emits_numbers() -> None:
    recipe = ViewRecipe((Zoom(), HorizontalFlip(reason=WHY), Zoom()), 16)
    assert isinstance(Zoom(), ViewStep)
    assert recipe.columns == ("distance",)
    distance = torch.tensor([1.0, 3.0], dtype=torch.float64)
    views = recipe.device_views(
        torch.ones(2, 1, 16, 16), seed=0, step=0, slots=torch.arange(2), columns={"distance": distance}
    )
    for view in views:
        factor = view.emitted["distance"] / distance
        assert view.emitted["distance"].dtype == torch.float64
        assert ((factor >= 1) & (factor <= 4)).all(), "the second zoom reads what the first one emitted"
        assert view.mask is not None
        assert torch.allclose(view.images, torch.ones(())), "a plain picture is plain where the zoom shows no data"
        seen = view.mask.float().mean(dim=(1, 2, 3)).double()
        assert torch.allclose(seen, 1 / factor**2, atol=0.15)
    assert not torch.equal(views[0].emitted["distance"], views[1].emitted["distance"])
    with pytest.raises(UsageError, match="distance") as raised:
        recipe.device_views(
            torch.ones(2, 1, 16, 16), seed=0, step=0, slots=torch.arange(2), columns={"distanse": distance}
        )
    assert "distanse" in raised.value.hint


def test_places_are_pixel_centres() -> None:
    x, y = grid(4, torch.device("cpu"))
    assert x.flatten().tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert (x.shape, y.shape) == ((1, 1, 4), (1, 4, 1))


def test_a_recipe_can_be_written_down_and_read_back(pictures: Pictures, batched: Batched) -> None:
    recipe = ViewRecipe((*FULL.steps, ColorJitter(reason=WHY)), 32, views=3)
    written = json.loads(json.dumps(recipe.to_dict()))
    assert ViewRecipe.from_dict(written) == recipe
    assert written["steps"][0] == {"name": "rotate", "reason": WHY, "degrees": [-30.0, 30.0], "p": 1.0}
    with pytest.raises(UsageError, match="zoom"):
        ViewRecipe.from_dict(ViewRecipe((Zoom(),), 32).to_dict())
    assert ViewRecipe.from_dict(ViewRecipe((Zoom(),), 32).to_dict(), {"zoom": Zoom}) == ViewRecipe((Zoom(),), 32)


def test_a_custom_transform_is_written_down() -> None:
    step = Albumentations(A.CLAHE(clip_limit=(1, 3), p=0.5), reason=WHY)
    written = json.loads(json.dumps(ViewRecipe((step,), 32).to_dict()))["steps"][0]
    assert written["label"] == "CLAHE"
    assert written["transform"]["clip_limit"] == [1, 3]


def test_the_table_of_reasons() -> None:
    rows = FULL.rows()
    assert [name for name, _, _ in rows] == [step.name for step in FULL.steps]
    assert all(reason == WHY for _, _, reason in rows)
    assert rows[0][1] == "degrees -30 to 30, p 1"


def test_leaving_out_a_step_that_is_not_there() -> None:
    with pytest.raises(UsageError) as raised:
        FULL.without("blurr")
    assert "blur" in raised.value.hint


@pytest.mark.parametrize(("size", "views"), [(0, 2), (32, 0)])
def test_a_recipe_of_nothing_is_refused(size: int, views: int) -> None:
    with pytest.raises(UsageError):
        ViewRecipe((), size, views)


def test_local_views_have_the_requested_size() -> None:
    recipe = ViewRecipe((RandomResizedCrop((0.3, 1.0), reason=WHY),), 32)
    assert recipe.variant("global") is recipe
    assert recipe.variant("local").size == 16
    local = recipe.variant("local", 12)
    assert local.size == 12
    assert local.steps[0] == RandomResizedCrop((0.05, 0.3), reason=WHY)
    made = with_variants(recipe, {"global": 2, "local": 3}, {"local": 12})
    views = made.views_of(Input(torch.rand(2, 3, 32, 32)), seed=0, step=0, slots=torch.arange(2))
    assert [view.input.space for view in views] == [(32, 32)] * 2 + [(12, 12)] * 3


def test_local_views_larger_than_the_canvas_are_refused() -> None:
    recipe = ViewRecipe((RandomResizedCrop(reason=WHY),), 32)
    with pytest.raises(UsageError, match="local crops of 33 pixels are larger than the canvas of 32") as raised:
        with_variants(recipe, {"global": 2, "local": 3}, {"local": 33})
    assert "views.size=66" in raised.value.hint
