"""Seismic surveys: places on lines, in metres and in milliseconds as positives."""
