"""Masks and label maps among pictures: they are no samples, though they are pictures by their ending."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

__all__ = ["without_masks"]

# Folders of WoodScape's published archive that hold no samples.
_PUBLISHED = frozenset(
    {"semantic_annotations", "instance_annotations", "motion_annotations", "previous_images", "gtlabels", "rgblabels"}
)
# Words in the name of a folder, or at the end of a file's, that may mean a mask.
_MASKS = frozenset({
    "mask", "masks", "seg", "segmentation", "segmentations", "semantic", "semantics", "instance", "instances",
    "panoptic", "label", "labels", "labelmap", "labelmaps", "labelids", "trainids", "instanceids", "annotation",
    "annotations", "gt", "groundtruth", "trimap", "trimaps", "matte", "mattes", "depth", "disparity", "flow",
})  # fmt: skip
_PICTURES = frozenset({"image", "images", "img", "imgs", "rgb", "raw", "jpegimages", "pictures", "photos", "frames"})
# "with_mask" and "no_mask" are classes of pictures.
_CLASSES = frozenset({"with", "without", "no", "not"})
# What stands beside such a word in the name of a mask file: "a_color_mask", "aachen_gtFine_labelIds".
_BESIDE = _MASKS | {"color", "colour", "fine", "coarse", "ids", "train", "id", "png"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def without_masks(pictures: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Pictures that are samples, and a note on the masks and label maps that were passed over.

    A folder holds masks when its name says so (``masks``, ``SegmentationClass``, ``gtLabels``) and the pictures
    agree: at least half of them are named like pictures outside of such folders, or those lie in a folder of pictures
    (``images``). A file ``a_mask.png`` beside ``a.jpg`` is a mask too. WoodScape's folders need no such sign, as long
    as there are pictures elsewhere; its ``previous_images`` show each scene a moment before, and have no boxes.

    Args:
        pictures: Paths relative to the source.
    """
    suspects: dict[str, list[Path]] = defaultdict(list)
    others = []
    for picture in pictures:
        folder = _suspect_folder(picture)
        if folder is None:
            others.append(picture)
        else:
            suspects[folder].append(picture)
    stems = {picture.stem.lower() for picture in others}
    bare = {_bare(picture.stem) for picture in others}
    beside_pictures = any(_PICTURES & set(_words(part)) for picture in others for part in picture.parts[:-1])
    passed: dict[str, list[Path]] = {}
    for folder, inside in suspects.items():
        alike = sum(path.stem.lower() in stems or _bare(path.stem) in bare for path in inside)
        named = beside_pictures and _is_mask_folder(Path(folder))
        if others and (Path(folder).name.lower() in _PUBLISHED or alike * 2 >= len(inside) or named):
            passed[folder] = inside
    masks = {path for inside in passed.values() for path in inside}
    kept = [picture for picture in pictures if picture not in masks]
    beside = _masks_beside(kept)
    kept = [picture for picture in kept if picture not in beside]
    return kept, _note(passed, len(beside))


def _suspect_folder(picture: Path) -> str | None:
    """The deepest folder of a path whose name may mean masks; None where a folder of pictures is deeper."""
    for depth in range(len(picture.parts) - 1, 0, -1):
        part = picture.parts[depth - 1]
        if _CLASSES & set(_words(part)):
            return None
        if part.lower() in _PUBLISHED or _MASKS & {*_words(part), part.lower()}:
            return Path(*picture.parts[:depth]).as_posix()
        if _PICTURES & set(_words(part)):
            return None
    return None


def _is_mask_folder(folder: Path) -> bool:
    """Whether a folder is called masks, and is none of several folders of pictures (``images/with_mask``)."""
    within_pictures = any(_PICTURES & set(_words(part)) for part in folder.parts[:-1])
    return not within_pictures and bool({"mask", "masks", "trimap", "trimaps"} & set(_words(folder.name)))


def _masks_beside(pictures: Sequence[Path]) -> set[Path]:
    """Files that are named like another one of their folder, and say that they are its mask."""
    names = {(picture.parent, picture.stem.lower()) for picture in pictures}
    masks = set()
    for picture in pictures:
        start = _cut_words(picture.stem)
        words = set(_words(picture.stem[len(start) :]))
        # A mask has sharp edges, which JPEG doesn't keep: "bottle_label.jpg" may be a photograph of a label.
        is_mask = start and (_MASKS & words if picture.suffix.lower() not in (".jpg", ".jpeg") else {"mask"} & words)
        if is_mask and (picture.parent, re.sub(r"[\W_]+$", "", start).lower()) in names:
            masks.add(picture)
    return masks


def _cut_words(stem: str) -> str:
    """A name up to the first of the words at its end that belong to a mask: ``a_color_mask`` is ``a``."""
    end = len(stem)
    for word in reversed(list(_WORD.finditer(stem))):
        if word[0].lower() not in _BESIDE:
            break
        end = word.start()
    return stem[:end]


def _bare(stem: str) -> str:
    """A name without the words of masks, so that ``a_mask``, ``mask_a`` and ``a`` are one."""
    # Cityscapes names its pictures "…_leftImg8bit" and their masks "…_gtFine_labelIds".
    return "_".join(word for word in _words(stem.replace("leftImg8bit", "")) if word not in _BESIDE)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _note(passed: dict[str, list[Path]], beside: int) -> list[str]:
    if not passed and not beside:
        return []
    folders = [f"{len(inside)} in {folder}" for folder, inside in sorted(passed.items())]
    parts = [*folders, *([f"{beside} named like a picture beside them"] if beside else [])]
    hint = "; to use such pictures, scan their folder itself" if passed else ""
    return [f"passed over, as masks, label maps or earlier frames: {', '.join(parts)}{hint}"]
