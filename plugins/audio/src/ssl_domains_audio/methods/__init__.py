"""Methods for recordings, and the views that they alone ask for."""
