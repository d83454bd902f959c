"""Use of a fine-tuned model on new data: from a table of samples to answers or masks, and to an exported model.

`predict` takes a `FineTuned`, a table and its store. Answers and texts become one CSV file; texts are also put into
files of the domain (`TextPlan` of `TextFile`). Masks become the files that the domain plans (`MapPlan` of `MapFile`, or
of `MapAssembly` for volumes larger than memory and for probabilities): a
volume in the geometry of its source, or by default a PNG file for each picture. `export_model` writes encoder and head
as one model, which `load_model` reads.
"""

from ssl_domains.prediction.answers import answer_frame
from ssl_domains.prediction.file_names import distinct_names, mirrored_names
from ssl_domains.prediction.png_masks import PngMask, png_masks
from ssl_domains.prediction.predict import Predicted, predict, require_new_output
from ssl_domains.prediction.texts import text_frame
from ssl_domains.prediction.whole_model import MODEL_FORMATS, export_model, load_model
from ssl_domains.samples.writing.map_files import (
    Assembled,
    AssemblySize,
    MapAssembly,
    MapFile,
    MapFiles,
    MapModel,
    MapPlan,
)
from ssl_domains.samples.writing.text_files import TextFile, TextFiles, TextPlan, Transcribed

__all__ = [
    "MODEL_FORMATS",
    "Assembled",
    "AssemblySize",
    "MapAssembly",
    "MapFile",
    "MapFiles",
    "MapModel",
    "MapPlan",
    "PngMask",
    "Predicted",
    "TextFile",
    "TextFiles",
    "TextPlan",
    "Transcribed",
    "answer_frame",
    "distinct_names",
    "export_model",
    "load_model",
    "mirrored_names",
    "png_masks",
    "predict",
    "require_new_output",
    "text_frame",
]
