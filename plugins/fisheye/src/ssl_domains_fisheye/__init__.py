"""Fisheye images: regions of the lens as positives."""
