"""Methods for recordings."""
