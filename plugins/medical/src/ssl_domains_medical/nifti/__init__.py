"""NIfTI: volumes into slices, masks into columns."""
