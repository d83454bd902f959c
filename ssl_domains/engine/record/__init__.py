"""The record of a run: configuration, run folder, checkpoints, measurements, provenance, progress."""
