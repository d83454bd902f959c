"""The whole run: assembled from its parts, looped over steps, measured, refreshed, saved."""
