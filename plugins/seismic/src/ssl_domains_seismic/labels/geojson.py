"""Polygons of a GeoJSON file (RFC 7946): the outlines of each feature and its properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["PolygonFeature", "polygon_features"]

_LEAST_POINTS = 3

Polygon = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class PolygonFeature:
    """One feature.

    Attributes:
        polygons: For each of its polygons the outer ring and those of its holes, each float64 ``[points, 2]``.
        properties: Its properties, beside those that the whole file has.
    """

    polygons: tuple[Polygon, ...]
    properties: Mapping[str, Any]


def polygon_features(path: Path) -> tuple[list[PolygonFeature], int]:
    """The features that are polygons, and the number of others, such as points and lines.

    Members of the file beside its features, such as ``"time_ms": 1400``, hold for every feature that has no such
    property of its own.

    Raises:
        ReadError: When the file is no GeoJSON, or a polygon in it is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(f"it is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") not in ("FeatureCollection", "Feature"):
        raise ReadError("it is no GeoJSON: its type is neither FeatureCollection nor Feature")
    listed = document.get("features") if document["type"] == "FeatureCollection" else [document]
    if not isinstance(listed, list):
        raise ReadError("it is no GeoJSON: features is no list")
    general = {key: value for key, value in document.items() if isinstance(value, str | int | float)}
    general.pop("type")
    features, others = [], 0
    for number, feature in enumerate(listed, 1):
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if geometry is None or kind not in ("Polygon", "MultiPolygon"):
            others += 1
            continue
        polygons = [geometry.get("coordinates")] if kind == "Polygon" else geometry.get("coordinates")
        properties = feature.get("properties")
        own = properties if isinstance(properties, dict) else {}
        features.append(PolygonFeature(_polygons(polygons, number), {**general, **own}))
    return features, others


def _polygons(listed: Any, number: int) -> tuple[Polygon, ...]:
    try:
        polygons = tuple(
            tuple(np.array([[float(point[0]), float(point[1])] for point in ring]) for ring in polygon)
            for polygon in listed
        )
        rings = [ring for polygon in polygons for ring in polygon]
        good = bool(rings) and all(len(ring) >= _LEAST_POINTS and np.isfinite(ring).all() for ring in rings)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        good = False
    if not good:
        raise ReadError(f"feature {number} is no polygon: a ring is a list of at least {_LEAST_POINTS} points [x, y]")
    return tuple(polygon for polygon in polygons if polygon)
