"""Box annotations: WoodScape text, COCO JSON, YOLO text, Pascal VOC XML.

In come the files of a data set and the paths of its pictures. Each file is read once (`recognise`, `coco`) into
`Annotation` objects, and `match` says which of them belongs to which picture. `find_annotations` returns them by
picture, with notes on what was passed over.
"""

from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.box import Box, clip
from ssl_domains_fisheye.annotations.keys import key_of
from ssl_domains_fisheye.annotations.lookup import Annotations, find_annotations
from ssl_domains_fisheye.annotations.recognise import FORMATS

__all__ = ["FORMATS", "Annotation", "Annotations", "Box", "clip", "find_annotations", "key_of"]
