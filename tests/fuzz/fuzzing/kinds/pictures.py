"""PNG, JPEG and TIFF, read by both domains, each damaged picture beside good ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.kind import READ, Command, Kind, Plan
from fuzzing.kinds.shared import SMALL, picture, texture
from fuzzing.mutations.picture import JPEG, PNG, TIFF

__all__ = ["KINDS"]

_MEDICAL = Command("medical scan in -o out.parquet", READ, "out.parquet")
_FISHEYE = Command("fisheye scan in -o out.parquet", READ, "out.parquet")
_PLANS = (
    Plan((_MEDICAL,), 3),
    Plan((_FISHEYE,), 3),
    Plan((_MEDICAL, Command(f"medical pretrain out.parquet --out run --dry-run {SMALL}", READ)), 1),
    Plan((_FISHEYE, Command(f"fisheye pretrain out.parquet --out run --dry-run {SMALL}", READ)), 1),
)

_PNG: dict[str, dict[str, Any]] = {
    "colour": {},
    "grey": {"mode": "L"},
    "palette": {"mode": "P"},
    "alpha": {"mode": "RGBA"},
}
_JPEG: dict[str, dict[str, Any]] = {
    "baseline": {}, "grey": {"mode": "L"}, "progressive": {"progressive": True}, "turned": {"exif": 6},
}  # fmt: skip
_TIFF: dict[str, dict[str, Any]] = {
    "plain": {}, "deflate": {"compression": "tiff_adobe_deflate"}, "lzw": {"compression": "tiff_lzw"},
    "pages": {"pages": 3},
}  # fmt: skip


def _make(suffix: str, cases: dict[str, dict[str, Any]]) -> Callable[[Path, Path], None]:
    def make(folder: Path, shared: Path) -> None:
        for case, given in cases.items():
            options = dict(given)
            source = folder / case / "in"
            mode = options.get("mode", "RGB")
            for number in range(4):
                picture(source / f"good{number}.png", number, mode=mode if mode in ("L", "RGB") else "RGB")
            if "exif" in options:
                exif = Image.Exif()
                exif[0x0112] = options["exif"]
                options["exif"] = exif
            if "pages" in options:
                others = [Image.fromarray(texture(number)) for number in range(1, options.pop("pages"))]
                options |= {"save_all": True, "append_images": others}
            picture(source / f"target{suffix}", 50, **options)
        if suffix != ".jpg":
            sixteen = folder / "sixteen" / "in"
            for number in range(4):
                picture(sixteen / f"good{number}.png", number, mode="L")
            Image.fromarray(texture(9)[..., 0].astype(np.uint16) * 250).save(sixteen / f"target{suffix}")

    return make


KINDS = (
    Kind("png", _make(".png", _PNG), ("in/target.png",), PNG, _PLANS, ("in/good*.png",)),
    Kind("jpeg", _make(".jpg", _JPEG), ("in/target.jpg",), JPEG, _PLANS, ("in/good*.png",)),
    Kind("tiff", _make(".tif", _TIFF), ("in/target.tif",), TIFF, _PLANS, ("in/good*.png",)),
)
