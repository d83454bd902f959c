"""Running the cells of a study: train, probe, and store the scores."""
