"""Word vectors as the first weights of the encoder `static`: a tokenizer of whole words, and a file of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from ssl_domains.errors import UsageError
from ssl_domains.samples import require_folder, write_errors, write_whole
from ssl_domains_text.documents.encoders.static import StaticModel
from ssl_domains_text.documents.inputs.tokenizer import PAD, UNKNOWN
from ssl_domains_text.documents.segmentation import tokenizer_word
from ssl_domains_text.documents.words.vectors import WordVectors

__all__ = ["word_tokenizer", "write_static"]

_SPECIAL = (PAD, UNKNOWN)


def write_static(vectors: WordVectors, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``static.safetensors``, for ``--set input.tokenizer`` and ``--init``.

    Embeddings are the word vectors; padding and unknown words have 0. The dense layer takes the mean off and keeps the
    directions in which the vectors vary most, so that a text starts as the mean of its words.

    Args:
        vectors: The vectors, of as many numbers as the encoder's embeddings have.
        folder: The folder to write; made where it is missing.

    Raises:
        UsageError: When the vectors have another size than the encoder's embeddings, or more would be lost than kept.
        ResourceError: When the disk is full.
    """
    model = StaticModel(len(_SPECIAL) + len(vectors.words))
    width, out = model.embedding.embedding_dim, model.dense.out_features
    if vectors.vectors.shape[1] != width:
        cause = (
            f"the encoder static has embeddings of {width} numbers, and these vectors have {vectors.vectors.shape[1]}"
        )
        raise UsageError(cause, f"train them with --set method.dims={width}")
    known = vectors.vectors.astype(np.float64)
    mean = known.mean(0)
    _, directions = np.linalg.eigh((known - mean).T @ (known - mean))
    largest = directions[:, ::-1][:, :out].T
    with torch.no_grad():
        model.embedding.weight[: len(_SPECIAL)] = 0
        model.embedding.weight[len(_SPECIAL) :] = torch.from_numpy(vectors.vectors)
        model.dense.weight.copy_(torch.from_numpy(largest.copy()))
        model.dense.bias.copy_(torch.from_numpy(-largest @ mean))
    weights = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
    require_folder(folder)
    with write_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        text = word_tokenizer(vectors.words)
        write_whole(folder / "tokenizer.json", lambda part: part.write_text(text, encoding="utf-8"))
        write_whole(folder / "static.safetensors", lambda part: save_file(weights, str(part)))


def word_tokenizer(words: tuple[str, ...]) -> str:
    """The JSON of a tokenizer that cuts texts as `words_of` cut the corpus: folded, whole words, others unknown."""
    numbers = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    # As `folded` does it. Lower case is made letter by letter, so the last sigma of a Greek word needs a rule.
    last_sigma = Regex(r"(?<=\p{Cased}\p{Case_Ignorable}*)Σ(?!\p{Case_Ignorable}*\p{Cased})")
    steps = (
        normalizers.NFC(),
        normalizers.Replace(last_sigma, "ς"),
        normalizers.Lowercase(),
        normalizers.Replace("i\u0307", "i"),
    )
    tokenizer.normalizer = normalizers.Sequence(list(steps))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(tokenizer_word()), behavior="removed", invert=True)
    tokenizer.add_special_tokens(list(_SPECIAL))
    made: str = tokenizer.to_str()
    return made
