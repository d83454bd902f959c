"""What is written down of a run: configuration, folder, checkpoints, measurements, provenance."""
