"""Export an encoder with its preprocessing and a model card, and check the export by loading it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.encoders.hugging_face.folder import PREFIX
from ssl_domains.errors import SslDomainsError, UsageError, did_you_mean
from ssl_domains.evaluation.model_card import model_card
from ssl_domains.evaluation.onnx_file import ONNX_FILE, OnnxModel, require_onnx, write_onnx
from ssl_domains.evaluation.sentence_models import (
    SentenceModel,
    TextModel,
    TextPreprocess,
    TransformerModel,
    check_texts,
    encoded_texts,
    require_sentence_transformers,
    sentence_formats,
    write_sentence_model,
    write_transformer_model,
)
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import require_folder, write_errors, write_whole_folder
from ssl_domains.views import Preprocess, Scaling, preprocess_to_dict

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["FORMATS", "ExportError", "example_input", "export", "exported_preprocess", "require_same"]

_LOAD = "ssl_domains.load(RUN) gives encoder and preprocessing"
_RAGGED = 300  # places along a ragged side of the inputs that an export is checked with
WEIGHTS, CONFIG, PREPROCESS, CARD = "model.safetensors", "config.json", "preprocess.json", "README.md"


class ExportError(SslDomainsError):
    """The exported files do not give the features of the run. This is a bug; nothing is left of them."""


def export(run: Run, out: str | Path, format: str = "timm") -> Path:
    """Write the frozen encoder into the folder ``out``, load it again and compare features on random input.

    All this is done in a folder beside ``out``, which gets its name at the end: a folder ``out`` is a verified export.

    ``timm`` writes weights and ``config.json`` as timm reads them, for architectures of timm on pictures of one size.
    ``safetensors`` writes one file of weights, with the architecture and the form of its input in the metadata.
    ``onnx`` writes one file from pictures of one size to pooled features, for any number of pictures.
    ``sentence-transformers`` writes an encoder of texts with its tokenizer, ``transformers`` one that is a model of
    transformers; see `ssl_domains.evaluation.sentence_models`. All formats add ``preprocess.json`` and a model card.

    Args:
        run: The run; its newest checkpoint is exported.
        out: Folder to create; it must be missing or empty.
        format: One of `FORMATS`.

    Returns:
        The folder.

    Raises:
        UsageError: For another format, one that doesn't fit the encoder, a folder that is not empty or can't be written
            to, or that another process is writing.
        ExportError: When the loaded encoder gives other features than the run.
        ResourceError: When the disk is full.
    """
    out = Path(out)
    if format not in FORMATS:
        unsupported = format == "torchvision"
        hint = did_you_mean(format, FORMATS)
        if unsupported:
            fitting = fitting_formats(run.encoder(), run.preprocess)
            hint = f"this encoder can be exported as: {', '.join(fitting)}" if fitting else _LOAD
        raise UsageError(f"export to {format!r} is not supported" if unsupported else f"no format {format!r}", hint)
    require_folder(out, new=True)
    encoder = run.encoder().eval()
    fitting = fitting_formats(encoder, run.preprocess)
    if format not in fitting:
        hint = f"--format {fitting[0]}" if fitting else _LOAD
        raise UsageError(f"the format {format!r} can't hold the encoder {encoder.name!r}", hint)
    if format == "onnx":
        require_onnx()
    if format == "sentence-transformers":
        require_sentence_transformers()
    write, read = FORMATS[format]

    def write_and_verify(part: Path) -> None:
        write(run, encoder, part)
        (part / PREPROCESS).write_text(json.dumps(exported_preprocess(run), indent=2) + "\n", encoding="utf-8")
        with run.reading("recipe.json"):
            card = model_card(run, format, encoder.num_features)
        (part / CARD).write_text(card, encoding="utf-8")
        _verify(encoder, read(part), run.preprocess)

    with write_errors(f"the export {str(out)!r}"):
        write_whole_folder(out, write_and_verify)
    return out


def fitting_formats(encoder: Encoder, preprocess: Preprocess) -> tuple[str, ...]:
    """Names of the formats that can hold an encoder, the usual one first."""
    texts = sentence_formats(encoder, preprocess)
    if encoder.name.startswith(PREFIX):  # its architecture is a folder of this machine
        return texts
    pictures = len(encoder.takes.space) == 2 and not encoder.takes.ragged
    if not pictures:
        return (*texts, "safetensors")
    return ("timm", "safetensors", "onnx") if timm.is_model(encoder.name) else ("safetensors", "onnx")


def example_input(encoder: Encoder, spec: InputSpec) -> tuple[Tensor, Tensor | None]:
    """Four random inputs of this form; of a ragged side, the later half of the second one is padding."""
    draws = torch.Generator().manual_seed(0)
    shape = (4, spec.channels, *(_RAGGED if side is None else side for side in spec.space))
    if spec.dtype == "int64":
        values = torch.randint(encoder.vocabulary or 2, shape, generator=draws)
    else:
        values = torch.rand(shape, generator=draws)
    if not spec.ragged:
        return values, None
    valid = torch.ones((4, 1, *shape[2:]), dtype=torch.bool)
    valid.narrow(2 + spec.ragged[0], _RAGGED // 2, _RAGGED - _RAGGED // 2)[1] = False
    return values, valid


def _verify(encoder: Encoder, loaded: nn.Module, preprocess: Preprocess) -> None:
    """Compare pooled features of both encoders on random inputs, or on texts, in float32 on the CPU."""
    spec = preprocess.spec
    if isinstance(loaded, TextModel):
        assert isinstance(preprocess, TextPreprocess)
        texts = check_texts(encoder, preprocess)
        with torch.no_grad():
            vectors = loaded.eval()(texts)
        require_same(vectors, encoded_texts(encoder, preprocess, texts), encoder.name, "vectors", of_largest=1e-5)
        return
    values, valid = example_input(encoder, spec)
    with torch.no_grad():
        expected = encoder(values, valid).pooled
        loaded.eval()
        features = loaded(values, valid).pooled if isinstance(loaded, Encoder) else loaded(values)
        if isinstance(loaded, OnnxModel):  # it may have been written for batches of one size only
            require_same(loaded(values[:1]), expected[:1], encoder.name, "features", of_largest=1e-4)
    share = 1e-4 if isinstance(loaded, OnnxModel) else 0.0
    require_same(features, expected, encoder.name, "features", of_largest=share)


def require_same(found: Tensor, expected: Tensor, name: str, what: str, *, of_largest: float = 0.0) -> None:
    """Compare what a loaded export gives with what the run gives.

    Args:
        found: Numbers of the export.
        expected: Numbers of the run.
        name: Name of the architecture, for the error.
        what: What the numbers are, for the error: ``"features"``.
        of_largest: Share of the largest number by which numbers may differ, where another library computed them in
            another order.

    Raises:
        ExportError: When they differ.
    """
    absolute = of_largest * float(expected.abs().max()) + 1e-6
    if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-5, atol=absolute):
        raise ExportError(
            f"the exported {name!r} does not give the {what} of the run when loaded back",
            "please report this architecture",
        )


def exported_preprocess(run: Run) -> dict[str, Any]:
    """The run's preprocessing as JSON values.

    Windows by volume or by survey are left out, as their keys name training volumes and the files of surveys, and so is
    the file of a tokenizer.
    """
    values = preprocess_to_dict(run.preprocess)
    if "scaling" in values and Scaling.from_dict(values["scaling"]["scaling"]).grouped:
        scaling = values["scaling"]
        chosen = f"{scaling['scaling'].get('column', '')}="
        scaling["windows"] = {name: ends for name, ends in scaling["windows"].items() if name.startswith(chosen)}
        scaling["fitted_on"] = {name: used for name, used in scaling["fitted_on"].items() if name in scaling["types"]}
    if isinstance(run.preprocess, TextPreprocess) and isinstance(values.get("settings"), dict):
        # Where the tokenizer was read from is a file of this machine; the tokenizer itself is among the values.
        values["settings"] = {name: value for name, value in values["settings"].items() if name != "tokenizer"}
    return values


def _weights(encoder: Encoder) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in encoder.model.state_dict().items()}


def _write_timm(run: Run, encoder: Encoder, out: Path) -> None:
    size, _ = run.config.views.square
    save_file(_weights(encoder), out / WEIGHTS, metadata={"format": "pt"})
    config = {
        "architecture": encoder.name,
        "num_classes": 0,
        "num_features": encoder.num_features,
        "model_args": {"in_chans": encoder.in_chans, **_image_size(encoder, size)},
        "pretrained_cfg": {
            "input_size": [encoder.in_chans, size, size],
            "fixed_input_size": bool(_image_size(encoder, size)),
            "num_classes": 0,
            # Input is in [0, 1]; preprocess.json says how to scale to it.
            "mean": [0.0] * encoder.in_chans,
            "std": [1.0] * encoder.in_chans,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            # The weights already have in_chans channels: without this, timm would adapt a three-channel layer.
            "first_conv": None,
            "classifier": None,
        },
    }
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _read_timm(out: Path) -> nn.Module:
    config: dict[str, Any] = json.loads((out / CONFIG).read_text(encoding="utf-8"))
    model: nn.Module = timm.create_model(
        config["architecture"], checkpoint_path=str(out / WEIGHTS), num_classes=0, **config["model_args"]
    )
    return model


def _write_safetensors(run: Run, encoder: Encoder, out: Path) -> None:
    about = {
        "format": "pt",
        "architecture": encoder.name,
        "in_chans": str(encoder.in_chans),
        "takes": json.dumps(run.preprocess.spec.to_dict()),
        "segments": str(encoder.segments),
        "preprocess": json.dumps(exported_preprocess(run)),
    }
    if run.config.views.size is not None:
        about["image_size"] = str(run.config.views.size)
    save_file(_weights(encoder), out / WEIGHTS, metadata=about)


def _read_safetensors(out: Path) -> nn.Module:
    from safetensors import safe_open

    with safe_open(out / WEIGHTS, framework="pt") as file:
        about = file.metadata()
    takes, segments = InputSpec.from_dict(json.loads(about["takes"])), int(about.get("segments", 1))
    encoder = create_encoder(about["architecture"], seed=1, takes=takes, segments=segments)
    encoder.model.load_state_dict(load_file(out / WEIGHTS))
    return encoder


class _Pooled(nn.Module):
    """An encoder of pictures that returns its pooled features alone."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, values: Tensor) -> Tensor:
        features: Tensor = self.encoder(values).pooled
        return features


def _write_onnx(run: Run, encoder: Encoder, out: Path) -> None:
    write_onnx(_Pooled(encoder).eval(), example_input(encoder, run.preprocess.spec)[0], out / ONNX_FILE)


def _image_size(encoder: Encoder, size: int) -> dict[str, int]:
    """Arguments for the image size, which architectures with a fixed grid of patches need when they are created."""
    return {"img_size": size} if hasattr(encoder.model, "patch_embed") else {}


FORMATS: dict[str, tuple[Callable[[Run, Encoder, Path], None], Callable[[Path], nn.Module]]] = {
    "timm": (_write_timm, _read_timm),
    "safetensors": (_write_safetensors, _read_safetensors),
    "onnx": (_write_onnx, lambda out: OnnxModel(out / ONNX_FILE)),
    "sentence-transformers": (write_sentence_model, SentenceModel),
    "transformers": (write_transformer_model, TransformerModel),
}
"""Format → (function that writes it, function that loads it: an `Encoder`, a module of pictures to features, or a
`TextModel`)."""
