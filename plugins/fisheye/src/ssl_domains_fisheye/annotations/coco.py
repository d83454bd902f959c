"""COCO's JSON: one file for all images, boxes as ``[x, y, width, height]`` in pixels."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["SUFFIX", "looks", "read"]

SUFFIX = ".json"


def looks(content: Any) -> bool:
    """Whether a decoded file is one of this format."""
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in ("images", "annotations"))


def read(path: Path, problems: Problems) -> tuple[dict[str, list[Box]], int]:
    """The boxes of every image by its ``file_name``, and how many crowd regions were left out.

    An image with no annotation has an empty list. A bad entry is a problem with its id, the others are kept.

    Raises:
        ReadError: When it is no COCO file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ReadError(f"not JSON: {error}") from error
    if not looks(content):
        raise ReadError("not COCO: lists 'images' and 'annotations' are missing")
    names = {c.get("id"): str(c.get("name")) for c in content.get("categories", []) if isinstance(c, dict)}
    files = {i.get("id"): str(i.get("file_name")) for i in content["images"] if isinstance(i, dict)}
    boxes: dict[str, list[Box]] = defaultdict(list, {name: [] for name in files.values()})
    crowds = 0
    seen: set[tuple[str, str]] = set()
    for count, entry in enumerate(content["annotations"], start=1):
        where = f"annotation {entry.get('id', count) if isinstance(entry, dict) else count}"
        try:
            if not isinstance(entry, dict):
                raise ReadError("not an object")
            if entry.get("iscrowd"):
                crowds += 1
                continue
            if entry.get("image_id") not in files:
                raise ReadError(f"image_id {entry.get('image_id')!r} is in no image")
            if entry.get("category_id") not in names:
                raise ReadError(f"category_id {entry.get('category_id')!r} is in no category")
            corner = entry.get("bbox")
            if not isinstance(corner, list) or len(corner) != 4:
                raise ReadError("bbox is not [x, y, width, height]")
            x, y, w, h = (number(str(value), "bbox") for value in corner)
            file, key = files[entry["image_id"]], str(entry.get("id", count))
            if (file, key) in seen:
                raise ReadError("this id was there before")
        except ReadError as error:
            problems.add(path, f"{where}: {error}")
            continue
        seen.add((file, key))
        boxes[file].append(Box(key, names[entry["category_id"]], x, y, x + w, y + h, path, where))
    return dict(boxes), crowds
