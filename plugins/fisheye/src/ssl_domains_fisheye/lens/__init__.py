"""The lens: how an angle becomes a distance from the optical centre, and back; calibration files and their layouts."""

from ssl_domains_fisheye.lens.calibration import MODELS, camera_of
from ssl_domains_fisheye.lens.camera import Camera
from ssl_domains_fisheye.lens.lookup import IN_SOURCE, Calibrations, calibration_numbers, read_calibration
from ssl_domains_fisheye.lens.model import LensModel
from ssl_domains_fisheye.lens.projection import ANGLE, Angle, HalfSine, Projection, Unified, projection_of

__all__ = [
    "ANGLE",
    "IN_SOURCE",
    "MODELS",
    "Angle",
    "Calibrations",
    "Camera",
    "HalfSine",
    "LensModel",
    "Projection",
    "Unified",
    "calibration_numbers",
    "camera_of",
    "projection_of",
    "read_calibration",
]
