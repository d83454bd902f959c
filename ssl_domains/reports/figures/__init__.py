"""Figures as SVG that compare arms by two scores at once."""
