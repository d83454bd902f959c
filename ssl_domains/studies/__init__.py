"""Studies: arms × folds × seeds with their controls and floors, and the statistics of what came of it."""
