"""The lens: how an angle becomes a distance from the optical centre, and back."""

from ssl_domains_fisheye.lens.calibration import MODELS, Calibrations, camera_of, read_calibration
from ssl_domains_fisheye.lens.camera import Camera
from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["MODELS", "Calibrations", "Camera", "LensModel", "camera_of", "read_calibration"]
