"""Views of lines ``[B, 1, height, width]``: they change strokes and keep the order and the places of the characters.

Steps that move pixels are `Warp` objects: each says by how much it moves a pixel, as a share of the valid width or of
the height. `recipe` keeps the sum of all horizontal movements within 2 % of the width, so that the frames of two views
that are compared show the same characters.
"""

from ssl_domains_text.lines.views.crop_edges import CropEdges
from ssl_domains_text.lines.views.perspective import Perspective
from ssl_domains_text.lines.views.recipe import MOST_SHIFT, recipe
from ssl_domains_text.lines.views.sharpen import Sharpen
from ssl_domains_text.lines.views.stroke_blur import StrokeBlur
from ssl_domains_text.lines.views.warp import Warp
from ssl_domains_text.lines.views.wave import Wave

__all__ = ["MOST_SHIFT", "CropEdges", "Perspective", "Sharpen", "StrokeBlur", "Warp", "Wave", "recipe"]
