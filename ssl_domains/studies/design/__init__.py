"""The plan of a study: its file, arms, groups, folds and cells, all fixed before anything is trained."""
