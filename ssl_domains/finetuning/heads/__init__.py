"""Heads of fine-tuned models: from the encoder's features to answers, with the loss that they are trained by.

`LabelHead` predicts a label column, `MapHead` the class of each pixel, `TranscriptHead` a text. A plugin adds a kind of
task with `register_head`.
"""

from ssl_domains.finetuning.heads.head import Head, LabelledRows
from ssl_domains.finetuning.heads.label_head import LabelHead
from ssl_domains.finetuning.heads.map_head import MapHead
from ssl_domains.finetuning.heads.registry import create_head, register_head
from ssl_domains.finetuning.heads.transcript_head import TOO_LONG, TranscriptHead

__all__ = [
    "TOO_LONG",
    "Head",
    "LabelHead",
    "LabelledRows",
    "MapHead",
    "TranscriptHead",
    "create_head",
    "register_head",
]
