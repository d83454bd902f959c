"""Statistics of the scores: intervals over held-out groups, contrasts between arms, Holm's correction."""
