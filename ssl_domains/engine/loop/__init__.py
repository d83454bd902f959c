"""A whole training run: assemble its parts, loop over steps, measure, refresh and save."""
