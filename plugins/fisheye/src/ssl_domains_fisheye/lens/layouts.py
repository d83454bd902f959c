"""Calibrations of other programs, put into the numbers of this package: Kalibr's and camodocal's (KITTI-360)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ssl_domains.errors import UsageError
from ssl_domains.quantities import plural
from ssl_domains_fisheye.lens.numbers import shown

__all__ = ["cameras_in", "is_calibration"]

_KALIBR: dict[tuple[Any, Any], tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]] = {
    # (camera_model, distortion_model): names of the intrinsics, names of the distortion, what is added
    ("pinhole", "equidistant"): (("fx", "fy", "cx", "cy"), ("k1", "k2", "k3", "k4"), {"model": "kannala_brandt"}),
    ("pinhole", "radtan"): (("fx", "fy", "cx", "cy"), ("k1", "k2", "p1", "p2"), {"model": "mei", "xi": 0.0}),
    ("pinhole", "none"): (("fx", "fy", "cx", "cy"), (), {"model": "mei", "xi": 0.0, "k1": 0.0, "k2": 0.0}),
    ("omni", "radtan"): (("xi", "fx", "fy", "cx", "cy"), ("k1", "k2", "p1", "p2"), {"model": "mei"}),
    ("omni", "none"): (("xi", "fx", "fy", "cx", "cy"), (), {"model": "mei", "k1": 0.0, "k2": 0.0}),
}
_KALIBR_HINT = (
    "calibrate with the models pinhole-equi or omni-radtan, whose lens is read exactly, "
    'or write a JSON file with "model": "kannala_brandt" or "mei"'
)

# Of each model: its section and name there of each of our numbers.
_CAMODOCAL: dict[str, dict[str, tuple[str, str]]] = {
    "MEI": {
        "xi": ("mirror_parameters", "xi"),
        **{key: ("distortion_parameters", key) for key in ("k1", "k2", "p1", "p2")},
        "fx": ("projection_parameters", "gamma1"),
        "fy": ("projection_parameters", "gamma2"),
        "cx": ("projection_parameters", "u0"),
        "cy": ("projection_parameters", "v0"),
    },
    "KANNALA_BRANDT": {
        **{f"k{i}": ("projection_parameters", f"k{i + 1}") for i in range(1, 5)},
        "fx": ("projection_parameters", "mu"),
        "fy": ("projection_parameters", "mv"),
        "cx": ("projection_parameters", "u0"),
        "cy": ("projection_parameters", "v0"),
    },
    "PINHOLE": {
        **{key: ("distortion_parameters", key) for key in ("k1", "k2", "p1", "p2")},
        **{key: ("projection_parameters", key) for key in ("fx", "fy", "cx", "cy")},
    },
}
_CAMODOCAL_MODELS = {"MEI": {"model": "mei"}, "KANNALA_BRANDT": {"model": "kannala_brandt"}}
_SIDES = {"image_width": "width", "image_height": "height"}


def is_calibration(content: Mapping[str, Any]) -> bool:
    """Whether an object looks like the calibration of a camera, in any layout known here or by name."""
    keys = {"model", "intrinsic", "camera_model", "model_type", "distortion_model", "camera_matrix"}
    return bool(keys & set(content)) or bool(_kalibr_cameras(content)) or _has_opencv_matrix(content)


def cameras_in(content: Mapping[str, Any], source: str) -> dict[str, Mapping[str, Any]]:
    """The cameras of a file by name, each in the layout that `camera_of` reads; the name is empty for a single one.

    Raises:
        UsageError: For a calibration of a program or model that is not read; it is named.
    """
    if "model_type" in content:
        return {"": _camodocal(content, source)}
    if "camera_model" in content:
        return {"": _kalibr(content, source)}
    several = _kalibr_cameras(content)
    if several:
        return {name: _kalibr(camera, f"{source}, {name},") for name, camera in several.items()}
    if "model" not in content and "intrinsic" not in content:
        _refuse_others(content, source)
    return {"": content}


def _kalibr_cameras(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(key): part for key, part in content.items() if isinstance(part, Mapping) and "camera_model" in part}


def _kalibr(camera: Mapping[str, Any], source: str) -> dict[str, Any]:
    kind, distortion = camera.get("camera_model"), camera.get("distortion_model") or "none"
    distortion = "equidistant" if distortion == "equi" else distortion
    entry = _KALIBR.get((kind, distortion)) if _is_text(kind) and _is_text(distortion) else None
    if entry is None:
        raise UsageError(
            f"{source} is a Kalibr calibration with camera_model {shown(kind)} and distortion_model "
            f"{shown(distortion)}, which is not read",
            _KALIBR_HINT,
        )
    intrinsics, coefficients, added = entry
    return {
        **added,
        **_listed(camera, "intrinsics", intrinsics, source),
        **_listed(camera, "distortion_coeffs", coefficients, source),
        **_listed(camera, "resolution", ("width", "height"), source),
    }


def _listed(camera: Mapping[str, Any], key: str, names: Sequence[str], source: str) -> dict[str, Any]:
    values = camera.get(key)
    if not names and not values:
        return {}
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != len(names):
        have = "no list" if values is None else shown(values)
        have = plural(len(values), "number") if isinstance(values, list) else have
        raise UsageError(f"{source} has {have} for {key!r}", f"Kalibr writes [{', '.join(names)}] there for this model")
    return dict(zip(names, values, strict=True))


def _camodocal(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    kind = content["model_type"]
    if not _is_text(kind) or kind not in _CAMODOCAL:
        raise UsageError(
            f"{source} has the model_type {shown(kind)}, which is not read",
            f'read are {", ".join(_CAMODOCAL)}; or write a JSON file with "model": "kannala_brandt" or "mei"',
        )
    numbers: dict[str, Any] = dict(_CAMODOCAL_MODELS.get(kind, {"model": "mei", "xi": 0.0}))
    for key, ours in _SIDES.items():
        if key in content:
            numbers[ours] = content[key]
    used: dict[str, set[str]] = {}
    for ours, (section, name) in _CAMODOCAL[kind].items():
        part = content.get(section)
        if not isinstance(part, Mapping) or name not in part:
            raise UsageError(
                f"{source} is a {kind} calibration and has no {name!r} in {section!r}", "the file is incomplete"
            )
        numbers[ours] = part[name]
        used.setdefault(section, set()).add(name)
    for section, names in used.items():
        for name, value in content[section].items():
            if name not in names and value != 0:
                raise UsageError(
                    f"{source} has {shown(name)} in {section!r}, which {kind} does not read",
                    "without it the lens would be another one: check the file",
                )
    return numbers


def _refuse_others(content: Mapping[str, Any], source: str) -> None:
    name = ""
    if "distortion_model" in content or "camera_matrix" in content or "distortion_coefficients" in content:
        name = "a camera_info of ROS or matrices of OpenCV"
    elif _has_opencv_matrix(content):
        name = "a file of OpenCV matrices"
    if name:
        raise UsageError(
            f"{source} is {name}, which does not say which lens model its numbers belong to",
            'write a JSON file: for cv2.fisheye "model": "kannala_brandt" with fx, fy, cx, cy, k1–k4, width, height; '
            'for cv2.omnidir "model": "mei"',
        )


def _has_opencv_matrix(content: Mapping[str, Any]) -> bool:
    return any(isinstance(part, Mapping) and {"rows", "cols", "data"} <= set(part) for part in content.values())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
