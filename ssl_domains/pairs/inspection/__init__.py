"""Are these pairs worth training on? What the `pairs` command reports before training."""
