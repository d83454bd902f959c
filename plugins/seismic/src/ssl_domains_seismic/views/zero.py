"""The value of a picture where the amplitude is zero."""

__all__ = ["ZERO"]

ZERO = 0.5
"""The preprocess clips amplitudes symmetrically and scales them to [0, 1], so that the amplitude 0 becomes ½."""
