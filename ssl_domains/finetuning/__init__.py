"""Fine-tuning: a pre-trained encoder and a head on top are trained on labels, and predict them for new samples.

In: labelled rows, their views, and the weights of an encoder (`FineTuneParts`). Out: a run folder, which `FineTuned`
opens as a model. Training from scratch is fine-tuning from random weights.
"""

from ssl_domains.finetuning.configuration import finetune_config
from ssl_domains.finetuning.heads import Head, LabelHead, LabelledRows, MapHead, create_head, register_head
from ssl_domains.finetuning.method import FineTune, FineTuning
from ssl_domains.finetuning.model import FineTuned, WholeModel
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.parts import FineTuneParts, engine_parts
from ssl_domains.finetuning.start import frozen_probe_head
from ssl_domains.finetuning.task import MASKS, TASK_FILE, Task
from ssl_domains.finetuning.training import finetune, rehearse_finetuning

__all__ = [
    "MASKS",
    "TASK_FILE",
    "FineTune",
    "FineTuneOptions",
    "FineTuneParts",
    "FineTuned",
    "FineTuning",
    "Head",
    "LabelHead",
    "LabelledRows",
    "MapHead",
    "Task",
    "WholeModel",
    "create_head",
    "engine_parts",
    "finetune",
    "finetune_config",
    "frozen_probe_head",
    "register_head",
    "rehearse_finetuning",
]
