"""Inputs of an encoder: strips of one height and any width, in which ink is 1 and paper is 0."""

from ssl_domains_text.lines.inputs.line_preprocess import LinePreprocess, lines_for
from ssl_domains_text.lines.inputs.settings import LineSettings

__all__ = ["LinePreprocess", "LineSettings", "lines_for"]
