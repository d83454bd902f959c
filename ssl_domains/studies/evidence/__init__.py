"""From cells to findings: intervals over held-out groups, contrasts, corrections."""
