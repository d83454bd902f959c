"""Columns from label masks: which class a slice shows, and how much of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains_medical.nifti.slicing import Slicing, slicing_of
from ssl_domains_medical.nifti.volumes import is_nifti, open_volume, spatial_shape, stem_of, voxels_of

__all__ = ["Masks", "decode_masks", "parse_names"]


@dataclass(frozen=True)
class Masks:
    """A folder of masks, one for each volume.

    Attributes:
        folder: Where they lie.
        names: Class number → name; a class without one goes by its number.
        files: Stem → file.
    """

    folder: Path
    names: Mapping[int, str]
    files: Mapping[str, Path]

    @classmethod
    def find(cls, masks: Path, source: Path, names: str | None) -> Masks:
        """Find the folder as given, else inside the source or beside it; names as given, else from dataset.json.

        Raises:
            UsageError: When there is no such folder, or no NIfTI file in it, or ``names`` can't be read.
        """
        inside = source if source.is_dir() else source.parent
        folder = next((f for f in (masks, inside / masks, inside.parent / masks) if f.is_dir()), None)
        if folder is None:
            raise UsageError(f"there is no folder {str(masks)!r} for --masks", "as seen from here or from SOURCE")
        folder = folder.resolve()
        files = {stem_of(path): path for path in sorted(folder.rglob("*")) if is_nifti(path) and path.name[0] != "."}
        if not files:
            raise UsageError(f"--masks {folder.name!r} holds no NIfTI file", "masks are .nii or .nii.gz files")
        return cls(folder, parse_names(names) if names else _names_of_dataset(folder, inside), files)

    def of(self, volume: Path) -> Path | None:
        """The mask of a volume: same stem, or without the channel number that nnU-Net appends."""
        stem = stem_of(volume)
        return self.files.get(stem) or (self.files.get(stem[:-5]) if stem[-5:].startswith("_0") else None)

    def name(self, number: int) -> str:
        """What a class is called."""
        return self.names.get(number, str(number))

    def areas(self, mask: Path, image: Any, slicing: Slicing) -> dict[int, NDArray[np.float64]]:
        """Area of each class in each slice, mm².

        Args:
            mask: The mask.
            image: The volume it is of, from `open_volume`.
            slicing: How that is cut.

        Raises:
            ReadError: When the mask is damaged, of another shape, lies elsewhere, or holds no whole numbers.
        """
        classes = _on_the_grid_of(image, mask)
        across = tuple(axis for axis in range(3) if axis != slicing.axis)
        pixel = slicing.pixel_mm[0] * slicing.pixel_mm[1]
        found = [int(value) for value in np.unique(classes) if value != 0]
        return {value: (classes == value).sum(axis=across) * pixel for value in found}

    def columns(self, areas: Mapping[int, NDArray[np.float64]], index: int) -> dict[str, Any]:
        """Columns of one slice: ``slice_class`` when exactly one class shows, null otherwise, and ``area_CLASS``."""
        here = {number: float(area[index]) for number, area in areas.items()}
        shown = [number for number, area in here.items() if area > 0]
        known = dict.fromkeys(self.names, 0.0) | here
        return {
            "slice_class": self.name(shown[0]) if len(shown) == 1 else None,
            **{f"area_{self.name(number)}": area for number, area in known.items()},
        }


def parse_names(text: str) -> dict[int, str]:
    """Read ``"1=anterior,2=posterior"``.

    Raises:
        UsageError: When a part isn't ``NUMBER=NAME``, or the number is 0 (the background).
    """
    names = {}
    for part in text.split(","):
        number, equals, name = (piece.strip() for piece in part.partition("="))
        if not (equals and name and number.isdecimal() and int(number) > 0):
            raise UsageError(f"--mask-names: can't read {part.strip()!r}", 'write "1=anterior,2=posterior"')
        names[int(number)] = name
    if len(set(names.values())) < len(names):
        raise UsageError("--mask-names gives two classes one name", "each class needs its own")
    return names


def decode_masks(mask: str, volume: str, slices: Sequence[tuple[int, str]]) -> list[NDArray[np.integer[Any]]]:
    """Masks of slices of one volume, the mask's voxels read once; cut and standing as `decode_slices` gives the image.

    Args:
        mask: File of the mask.
        volume: File of the image: its affine says how slices stand.
        slices: (index, axis) of each.

    Returns:
        Arrays ``[H, W]`` in the order given: uint8 when no class number is above 255, else int32.

    Raises:
        ReadError: With the cause.
    """
    image = open_volume(Path(volume))
    classes = _on_the_grid_of(image, Path(mask))
    small = classes.size == 0 or (classes.min() >= 0 and classes.max() <= 255)
    classes = classes.astype(np.uint8 if small else np.int32)
    cut = {axis: slicing_of(image.affine, spatial_shape(image), axis) for axis in {axis for _, axis in slices}}
    made = []
    for index, axis in slices:
        if not 0 <= index < cut[axis].count:
            raise ReadError(f"no slice {index}: the volume has {cut[axis].count} along {axis}")
        made.append(cut[axis].cut(classes, index)[:, :, 0])
    return made


def _on_the_grid_of(image: Any, mask: Path) -> NDArray[np.integer[Any]]:
    """Class numbers ``[i, j, k]`` of a mask, voxel by voxel those of the image.

    A mask stored along other axes than its image is turned by its affine, and must then lie where the image lies.
    """
    stored = open_volume(mask)
    if not all(np.isfinite(one.affine).all() for one in (image, stored)):
        raise ReadError("the affine of the mask or of its volume holds values that are not finite")
    ours, theirs = (nibabel.orientations.io_orientation(one.affine) for one in (image, stored))
    if np.isfinite(theirs).all() and not np.array_equal(ours, theirs):
        stored = stored.as_reoriented(nibabel.orientations.ornt_transform(theirs, ours))
        if not np.allclose(stored.affine, image.affine, atol=0.01 * float(np.abs(image.affine[:3, :3]).max())):
            raise ReadError("the mask's affine turns it another way than its volume's")
    labels = voxels_of(stored)
    spatial = spatial_shape(image)
    if labels.shape != spatial:
        raise ReadError(f"mask of shape {labels.shape} for a volume of shape {spatial}")
    return _whole_numbers(labels)


def _names_of_dataset(folder: Path, source: Path) -> dict[int, str]:
    """Class names from the ``dataset.json`` of a Decathlon or nnU-Net data set, when one lies beside the masks."""
    for place in (folder.parent, source, source.parent):
        try:
            labels = json.loads((place / "dataset.json").read_text(encoding="utf-8"))["labels"]
            pairs = [(k, v) if str(k).isdigit() else (v, k) for k, v in labels.items()]
            return {int(number): str(name).lower() for number, name in pairs if int(number) > 0}
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
            continue
    return {}


def _whole_numbers(labels: NDArray[Any]) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.rint(labels).astype(np.int64)
    if labels.dtype.kind == "f" and not np.allclose(labels, whole, atol=1e-3):
        raise ReadError("the mask holds fractions, no class numbers")
    return whole
