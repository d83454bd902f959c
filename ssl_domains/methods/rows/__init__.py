"""From views to rows: sequences of places, named transforms, and rows of length 1."""
