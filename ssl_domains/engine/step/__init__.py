"""One training step: a batch comes in, gradients and an update come out."""
