"""Fine-tuning: a pre-trained encoder and a head on top are trained on labels, and predict them for new samples.

In: labelled rows, their views, and the weights of an encoder (`FineTuneParts`). Out: a run folder, which `FineTuned`
opens as a model. Training from scratch is fine-tuning from random weights.
"""

from ssl_domains.finetuning.comparison import Comparison, compare
from ssl_domains.finetuning.configuration import finetune_config
from ssl_domains.finetuning.heads import Head, LabelHead, LabelledRows, MapHead, create_head, register_head
from ssl_domains.finetuning.measuring.initial import InitialWeights
from ssl_domains.finetuning.measuring.material import Material, label_material, mask_material
from ssl_domains.finetuning.method import FineTune, FineTuning
from ssl_domains.finetuning.model import FineTuned, WholeModel
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.parts import DrawnFrom, FineTuneParts, engine_parts
from ssl_domains.finetuning.rehearsal import rehearse_comparison
from ssl_domains.finetuning.report import FineTuneReport, FineTuneRow, finetune_path, read_finetune_reports
from ssl_domains.finetuning.start import frozen_probe_head
from ssl_domains.finetuning.task import MASKS, TASK_FILE, Task
from ssl_domains.finetuning.training import finetune, rehearse_finetuning

__all__ = [
    "MASKS",
    "TASK_FILE",
    "Comparison",
    "DrawnFrom",
    "FineTune",
    "FineTuneOptions",
    "FineTuneParts",
    "FineTuneReport",
    "FineTuneRow",
    "FineTuned",
    "FineTuning",
    "Head",
    "InitialWeights",
    "LabelHead",
    "LabelledRows",
    "MapHead",
    "Material",
    "Task",
    "WholeModel",
    "compare",
    "create_head",
    "engine_parts",
    "finetune",
    "finetune_config",
    "finetune_path",
    "frozen_probe_head",
    "label_material",
    "mask_material",
    "read_finetune_reports",
    "register_head",
    "rehearse_comparison",
    "rehearse_finetuning",
]
