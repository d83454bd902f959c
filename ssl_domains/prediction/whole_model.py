"""Export encoder and head of a fine-tuned run as one model, and load it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.evaluation.export import example_input, exported_preprocess, require_same
from ssl_domains.evaluation.model_card import model_card
from ssl_domains.evaluation.onnx_file import ONNX_FILE, OnnxModel, require_onnx, write_onnx
from ssl_domains.finetuning import TASK_FILE, FineTuned, Task, WholeModel, create_head
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import require_folder, write_errors, write_whole_folder

__all__ = ["MODEL_FORMATS", "export_model", "load_model"]

MODEL_FORMATS = ("safetensors", "onnx")
_WEIGHTS, _PREPROCESS, _CARD = "model.safetensors", "preprocess.json", "README.md"


def export_model(model: FineTuned, out: str | Path, format: str = "safetensors") -> Path:
    """Write encoder and head into the folder ``out``, load them again and compare their outputs on random input.

    ``safetensors`` writes one file of weights, which `load_model` reads. ``onnx`` writes one file from pictures of one
    size to outputs (see `WholeModel`), for any number of pictures. Both add ``task.json``, ``preprocess.json`` and a
    model card that says what the outputs mean. The folder gets its name at the end: ``out`` is a verified export.

    Args:
        model: The model; the newest checkpoint of its run is exported.
        out: Folder to create; it must be missing or empty.
        format: One of `MODEL_FORMATS`.

    Returns:
        The folder.

    Raises:
        UsageError: For another format, or one that doesn't fit the model or whose packages are missing; for a folder
            that is not empty or can't be written to.
        ExportError: When the loaded model gives other outputs than the run.
        ResourceError: When the disk is full.
    """
    out = Path(out)
    if format not in MODEL_FORMATS:
        known = "a model with its head has no other form; --part encoder exports the encoder as timm"
        hint = known if format == "timm" else did_you_mean(format, MODEL_FORMATS)
        raise UsageError(f"a whole model can't be exported as {format!r}", hint)
    require_folder(out, new=True)
    run, whole = model.run, model.module()
    spec = run.preprocess.spec
    if format == "onnx":
        if spec.ragged or len(spec.space) != 2:
            raise UsageError("only models of pictures of one size can be written as ONNX", "--format safetensors")
        require_onnx()
    values, valid = example_input(whole.encoder, spec)
    with torch.no_grad():
        expected = whole(values, valid)

    def write_and_verify(part: Path) -> None:
        if format == "onnx":
            write_onnx(whole, values, part / ONNX_FILE)
        else:
            _write_weights(model, whole, part / _WEIGHTS)
        for name, described in ((TASK_FILE, model.task.to_dict()), (_PREPROCESS, exported_preprocess(run))):
            (part / name).write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        with run.reading("recipe.json"):
            card = model_card(run, format, whole.encoder.num_features, model.task.to_dict())
        (part / _CARD).write_text(card, encoding="utf-8")
        _verify(part, format, values, valid, expected, whole.encoder.name)

    with write_errors(f"the export {str(out)!r}"):
        write_whole_folder(out, write_and_verify)
    return out


def load_model(folder: str | Path) -> WholeModel:
    """Load a model that `export_model` wrote as ``safetensors``: on the CPU, in evaluation mode.

    Example:
        >>> model = load_model("exported")                                                # doctest: +SKIP
        >>> model(values).softmax(dim=1)  # probabilities of a classification             # doctest: +SKIP

    Raises:
        DataError: When the folder holds no such model.
    """
    path = Path(folder) / _WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, str] = file.metadata() or {}
        task = Task.from_dict(json.loads(about["task"]))
        takes, segments = InputSpec.from_dict(json.loads(about["takes"])), int(about.get("segments", 1))
        weights = load_file(path)
    except Exception as error:  # a damaged file raises the library's own kinds
        cause = f"{str(folder)!r} holds no exported model: {type(error).__name__}: {error}"
        raise DataError(cause, "it is a folder that `export --part model --format safetensors` wrote") from error
    encoder = create_encoder(about["architecture"], seed=1, takes=takes, segments=segments).eval()
    whole = WholeModel(encoder, create_head(task, encoder))
    try:
        whole.load_state_dict(weights)
    except RuntimeError as error:
        cause = f"the exported model {str(folder)!r} has other weights than this version builds"
        raise DataError(cause, "use the version that exported it") from error
    return whole.eval()


def _write_weights(model: FineTuned, whole: WholeModel, path: Path) -> None:
    about = {
        "format": "pt",
        "architecture": whole.encoder.name,
        "takes": json.dumps(model.run.preprocess.spec.to_dict()),
        "segments": str(whole.encoder.segments),
        "task": json.dumps(model.task.to_dict()),
        "preprocess": json.dumps(exported_preprocess(model.run)),
    }
    weights = {name: value.detach().cpu().contiguous().clone() for name, value in whole.state_dict().items()}
    save_file(weights, path, metadata=about)


def _verify(part: Path, format: str, values: Tensor, valid: Tensor | None, expected: Tensor, name: str) -> None:
    """Compare the outputs of the written model with those of the run, in float32 on the CPU."""
    onnx = format == "onnx"
    loaded: Any = OnnxModel(part / ONNX_FILE) if onnx else load_model(part)
    for count in (len(values), 1):  # a file written for batches of one size only would refuse the second
        some = values[:count], None if valid is None else valid[:count]
        with torch.no_grad():
            found = loaded(some[0]) if onnx else loaded(*some)
        require_same(found, expected[:count], name, "answers", of_largest=1e-4 if onnx or count == 1 else 0.0)
