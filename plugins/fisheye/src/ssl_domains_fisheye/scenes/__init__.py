"""Scenes made of flat pictures on cards around a camera, looked at through a calibrated lens."""

from ssl_domains_fisheye.scenes.write import write_lens_scenes

__all__ = ["write_lens_scenes"]
