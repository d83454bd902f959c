"""Box annotations: WoodScape text, COCO JSON, YOLO text, Pascal VOC XML; found by what the files hold, or named."""

from ssl_domains_fisheye.annotations.box import Box, clip
from ssl_domains_fisheye.annotations.found import FORMATS, Annotations, find_annotations, key_of

__all__ = ["FORMATS", "Annotations", "Box", "clip", "find_annotations", "key_of"]
