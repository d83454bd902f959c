"""Writes the folders that sentence-transformers and transformers load.

The files have the form that sentence-transformers 3 to 6 read.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file

from ssl_domains.encoders import Encoder, TransformerEncoder
from ssl_domains.encoders.hugging_face.folder import without_progress_bars
from ssl_domains.errors import UsageError
from ssl_domains.evaluation.sentence_models.contract import SentenceEncoder, SentenceModule, TextPreprocess

if TYPE_CHECKING:
    from ssl_domains.engine import Run
    from ssl_domains.views import Preprocess

__all__ = [
    "require_sentence_transformers",
    "sentence_formats",
    "write_sentence_model",
    "write_transformer_model",
]

SENTENCES, TRANSFORMERS = "sentence-transformers", "transformers"
_PACKAGE = "sentence_transformers.models"
_ROLES = {
    "pad_token": ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>", "</s>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def sentence_formats(encoder: Encoder, preprocess: Preprocess) -> tuple[str, ...]:
    """The formats of this room that can hold an encoder with its preprocess, the usual one first."""
    if not isinstance(preprocess, TextPreprocess):
        return ()
    if isinstance(encoder, TransformerEncoder):
        return (SENTENCES, TRANSFORMERS)
    return (SENTENCES,) if isinstance(encoder, SentenceEncoder) else ()


def require_sentence_transformers() -> None:
    """Refuse the format where the package is missing, as an export is loaded back by it.

    Raises:
        UsageError: With the command that installs it.
    """
    if find_spec("sentence_transformers") is None:
        cause = "this format is loaded back by sentence-transformers, which is not installed"
        raise UsageError(cause, "pip install sentence-transformers")


def write_sentence_model(run: Run, encoder: Encoder, out: Path) -> None:
    """Write an encoder of texts as sentence-transformers loads it: ``SentenceTransformer(out)``.

    A model of transformers and its tokenizer lie in the folder itself, so that transformers loads it too. The vectors
    are compared by their cosine, as in a search.
    """
    preprocess: Any = run.preprocess
    if isinstance(encoder, TransformerEncoder):
        write_transformer_model(run, encoder, out)
        chain = [("", "Transformer"), ("1_Pooling", "Pooling")]
        loading = {"add_pooling_layer": False} if hasattr(encoder.model, "pooler") else {}
        settings = {"max_seq_length": preprocess.tokens, "do_lower_case": False, "model_args": loading}
        _write(out / "sentence_bert_config.json", settings)
        _write_module(out / "1_Pooling", SentenceModule("Pooling", _mean_pooling(encoder.num_features)))
    else:
        assert isinstance(encoder, SentenceEncoder)
        modules = encoder.sentence_modules(preprocess)
        chain = [(f"{place}_{module.kind}", module.kind) for place, module in enumerate(modules)]
        for (name, _), module in zip(chain, modules, strict=True):
            _write_module(out / name, module)
    listed = [
        {"idx": place, "name": str(place), "path": path, "type": f"{_PACKAGE}.{kind}"}
        for place, (path, kind) in enumerate(chain)
    ]
    _write(out / "modules.json", listed)
    about: dict[str, Any] = {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    _write(out / "config_sentence_transformers.json", {"model_type": "SentenceTransformer", **about})


def write_transformer_model(run: Run, encoder: Encoder, out: Path) -> None:
    """Write a model of transformers with its tokenizer: ``AutoModel`` and ``AutoTokenizer.from_pretrained(out)``.

    Raises:
        UsageError: When the tokenizer has no token for padding.
    """
    preprocess: Any = run.preprocess
    model: Any = encoder.model
    with without_progress_bars():
        model.save_pretrained(out)
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)  # a folder of this machine
    _write(out / "config.json", config)
    _save_tokenizer(preprocess, out)


def _save_tokenizer(preprocess: TextPreprocess, out: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(preprocess.tokenizer)
    tokenizer.no_padding()
    tokenizer.no_truncation()  # the length is a setting of the tokenizer of transformers
    found = {
        role: next((name for name in names if tokenizer.token_to_id(name) is not None), None)
        for role, names in _ROLES.items()
    }
    if found["pad_token"] is None:
        raise UsageError("the tokenizer has no token for padding", "add [PAD] to it, and train again")
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=preprocess.tokens,
        model_input_names=["input_ids", "attention_mask"],
        **{role: name for role, name in found.items() if name is not None},
    )
    made.save_pretrained(out)


def _mean_pooling(features: int) -> dict[str, Any]:
    others = ("cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    return {
        "word_embedding_dimension": features,
        "pooling_mode_mean_tokens": True,
        **{f"pooling_mode_{name}": False for name in others},
        "include_prompt": True,
    }


def _write_module(folder: Path, module: SentenceModule) -> None:
    folder.mkdir()
    if module.config:
        _write(folder / "config.json", module.config)
    if module.weights:
        weights = {name: one.detach().cpu().contiguous().clone() for name, one in module.weights.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for name, text in module.files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
