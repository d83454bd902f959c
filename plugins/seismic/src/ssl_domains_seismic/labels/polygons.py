"""Labels from polygons that were drawn on time slices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels.geojson import PolygonFeature, polygon_features
from ssl_domains_seismic.labels.grid import UNLABELLED, LabelGrid, PlacedLabels, nearest, span
from ssl_domains_seismic.labels.rasterise import cells_inside

__all__ = ["Axes", "PolygonLabels", "class_words", "read_polygons"]

Axes = Literal["x,y", "inline,crossline", "crossline,inline"]
"""What the two numbers of a point are."""

_TIME = ("time_ms", "ms", "time", "twt")
_CLASS = ("class", "label", "facies", "name")
_TIME_IN_NAME = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)[\s_-]?ms(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class PolygonLabels:
    """What the polygons of a file say.

    Attributes:
        labels: Class numbers of the slices that have polygons.
        classes: Number of each class that the file names by a word.
        axes: What the two numbers of a point were taken for.
        contested: Cells inside polygons of different classes; they are unlabelled.
        outside: Polygons that hold no cell of the survey.
        others: Features that are no polygons.
    """

    labels: PlacedLabels
    classes: Mapping[str, int]
    axes: Axes
    contested: int
    outside: int
    others: int


def class_words(features: Sequence[PolygonFeature]) -> list[str]:
    """The classes that are named by words instead of numbers, in alphabetical order."""
    return sorted({value for feature in features if isinstance(value := _property(feature, _CLASS), str)})


def read_polygons(
    path: Path,
    grid: LabelGrid,
    ms: float | None = None,
    axes: Axes | None = None,
    classes: Mapping[str, int] | None = None,
) -> PolygonLabels:
    """The labels of a GeoJSON file of polygons on time slices.

    A feature has its class as ``class``, ``label``, ``facies`` or ``name`` and its time as ``time_ms``, ``ms``,
    ``time`` or ``twt``, each else as a member of the whole file; a time is also read from a file name such as
    ``bodies_1420ms.geojson``. Cells whose middle is inside are labelled; everything else is not.

    Args:
        path: The file.
        grid: The survey.
        ms: Time of all polygons; None takes it from the file or its name.
        axes: What the two numbers of a point are; None takes what fits the survey.
        classes: Numbers of classes that are named by words; None numbers them from 0 in alphabetical order.

    Raises:
        ReadError: When it can't be read, says no class or time, or does not fit the survey.
    """
    features, others = polygon_features(path)
    if not features:
        raise ReadError(f"it has no polygons, and {others} other features")
    axes = _axes(features, grid) if axes is None else axes
    words = class_words(features)
    numbers = dict(classes) if classes is not None else {word: place for place, word in enumerate(words)}
    samples = [_sample(feature, grid, path.name, ms) for feature in features]
    of_features = [_class(feature, numbers) for feature in features]
    depth = np.unique(samples)
    values = np.full((*grid.shape[:2], depth.size), UNLABELLED, dtype=np.uint8)
    contested = np.zeros(values.shape, dtype=bool)
    outside = 0
    for feature, sample, number in zip(features, samples, of_features, strict=True):
        at = int(np.searchsorted(depth, sample))
        inside = _inside(feature, axes, grid)
        outside += not inside.any()
        contested[..., at] |= inside & (values[..., at] != UNLABELLED) & (values[..., at] != number)
        values[..., at][inside] = number
    if outside == len(features):
        raise ReadError("no cell of the survey is inside its polygons")
    values[contested] = UNLABELLED
    labels = PlacedLabels(values, np.arange(grid.shape[0]), np.arange(grid.shape[1]), depth)
    return PolygonLabels(labels, {word: numbers[word] for word in words}, axes, int(contested.sum()), outside, others)


def _property(feature: PolygonFeature, names: Sequence[str]) -> Any:
    return next((feature.properties[name] for name in names if feature.properties.get(name) is not None), None)


def _class(feature: PolygonFeature, numbers: Mapping[str, int]) -> int:
    value = _property(feature, _CLASS)
    if value is None:
        raise ReadError(f"a polygon says no class: give each a property {_CLASS[0]!r}")
    if isinstance(value, str) and value not in numbers:
        raise ReadError(f"the class {value!r} has no number; known: {', '.join(sorted(numbers)) or 'none'}")
    number = numbers[value] if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or number not in range(UNLABELLED):
        raise ReadError(f"the class {value!r} is no whole number from 0 to {UNLABELLED - 1}")
    return int(number)


def _sample(feature: PolygonFeature, grid: LabelGrid, name: str, ms: float | None) -> int:
    """The sample nearest to the time of a feature."""
    time = _property(feature, _TIME) if ms is None else ms
    if time is None:
        said = {float(number) for number in _TIME_IN_NAME.findall(name)}
        if len(said) != 1:
            raise ReadError(
                f"a polygon says no time: give it a property {_TIME[0]!r}, or name the file like a_1420ms.geojson"
            )
        time = said.pop()
    try:
        at = int(nearest(grid.ms, np.array([float(time)]))[0])
    except (TypeError, ValueError, OverflowError) as error:
        raise ReadError(f"the time {time!r} is no number of ms") from error
    if at < 0:
        raise ReadError(f"the time {float(time):g} ms is not in the survey, which has {span(grid.ms)} ms")
    return at


def _inside(feature: PolygonFeature, axes: Axes, grid: LabelGrid) -> NDArray[np.bool_]:
    """Cells inside any polygon of a feature, bool ``[inline, crossline]``."""
    inside = np.zeros(grid.shape[:2], dtype=bool)
    for polygon in feature.polygons:
        rings = [_in_lines(ring, axes, grid) for ring in polygon]
        inside |= cells_inside(rings, grid.inlines, grid.crosslines)
    return inside


def _in_lines(ring: NDArray[np.float64], axes: Axes, grid: LabelGrid) -> NDArray[np.float64]:
    """Points as inline and crossline numbers, ``[points, 2]``."""
    if axes == "x,y":
        return grid.lines_at(ring[:, 0], ring[:, 1]).T
    return ring if axes == "inline,crossline" else ring[:, ::-1]


def _axes(features: Sequence[PolygonFeature], grid: LabelGrid) -> Axes:
    """What the numbers of the points are: that by which most of them lie in the survey."""
    points = np.concatenate([ring for feature in features for polygon in feature.polygons for ring in polygon])
    known: list[Axes] = [each for each in get_args(Axes) if each != "x,y" or grid.affine is not None]
    fitting = {each: _share_inside(_in_lines(points, each, grid), grid) for each in known}
    best = max(fitting.values())
    if best == 0:
        x, y = (f"{values.min():g} to {values.max():g}" for values in points.T)
        raise ReadError(
            f"its points ({x}; {y}) lie outside the survey: inlines {span(grid.inlines)}, crosslines "
            f"{span(grid.crosslines)}{'' if grid.affine is not None else ', no coordinates'}"
        )
    choices = [each for each, share in fitting.items() if share == best]
    if len(choices) > 1:
        raise ReadError(f"its points may be {' or '.join(choices)}: both fit the survey; say which")
    return choices[0]


def _share_inside(lines: NDArray[np.float64], grid: LabelGrid) -> float:
    inside = np.ones(len(lines), dtype=bool)
    for values, numbers in zip(lines.T, (grid.inlines, grid.crosslines), strict=True):
        step = float(np.median(np.diff(numbers))) if numbers.size > 1 else 1.0
        inside &= (values >= numbers[0] - step) & (values <= numbers[-1] + step)
    return float(inside.mean())
