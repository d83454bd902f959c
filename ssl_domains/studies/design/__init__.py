"""What a study is: its file, arms, groups, folds and cells, planned before anything is trained."""
