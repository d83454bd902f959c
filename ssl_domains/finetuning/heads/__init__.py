"""Heads of fine-tuned models: from the encoder's features to answers, with the loss that they are trained by.

`LabelHead` predicts a label column, `MapHead` the class of each pixel. A plugin adds a kind of task with
`register_head`.
"""

from ssl_domains.finetuning.heads.head import Head, LabelledRows
from ssl_domains.finetuning.heads.label_head import LabelHead
from ssl_domains.finetuning.heads.map_head import MapHead
from ssl_domains.finetuning.heads.registry import create_head, register_head

__all__ = ["Head", "LabelHead", "LabelledRows", "MapHead", "create_head", "register_head"]
