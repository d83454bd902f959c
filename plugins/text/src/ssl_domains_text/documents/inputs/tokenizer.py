"""Tokenizers: read from a file, or trained on the texts of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ssl_domains.errors import DataError, UsageError

__all__ = ["PAD", "UNKNOWN", "pad_id", "read_tokenizer", "trained_tokenizer"]

PAD, UNKNOWN = "[PAD]", "[UNK]"
_OF_RUN = "preprocess.json"
_SPECIAL = (PAD, UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
_KEPT = "\u0900-\u109f\u1700-\u1aaf\u1b00-\u1cff\u3099\u309a\ua800-\uabff\U00011000-\U00011fff"
"""Blocks of Indic and Southeast Asian scripts and of kana, in which marks are vowels and consonants, not accents."""


def trained_tokenizer(texts: Iterable[str], vocabulary: int, lower: bool) -> str:
    """Train a tokenizer by byte pair encoding (Sennrich et al. 2016); returns its JSON.

    Texts are normalised and cut into words as for BERT; a word begins with the sign ``▁``. The same texts give the same
    tokenizer, which WordPiece of the same package doesn't promise.

    Args:
        texts: The texts, read once.
        vocabulary: Largest number of pieces, special ones included.
        lower: Whether capitals become small letters and accents are taken off. Marks that are vowels or change a
            consonant stay, as in Hindi, Thai and Japanese.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = _without_accents() if lower else normalizers.BertNormalizer(lowercase=False)
    word = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), word])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=list(_SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    made: str = tokenizer.to_str()
    return made


def _without_accents() -> Any:
    """The normaliser of BERT in lower case, but marks of `_KEPT` stay; texts come out in the form NFD."""
    from tokenizers import Regex, normalizers

    cleaned = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    accents = normalizers.Replace(Regex(rf"[\p{{Mn}}&&[^{_KEPT}]]"), "")
    return normalizers.Sequence([cleaned, normalizers.NFD(), accents, normalizers.Lowercase()])


def read_tokenizer(path: str | Path) -> str:
    """Read a tokenizer, ``tokenizer.json`` or a folder that holds one; returns its JSON.

    Args:
        path: The file, its folder, or the folder of a run on texts, whose tokenizer is taken.

    Raises:
        UsageError: When there is none.
        DataError: When it can't be read.
    """
    from tokenizers import Tokenizer

    given = Path(path).expanduser()
    if (given / _OF_RUN).is_file():
        return _of_run(given)
    file = given / "tokenizer.json" if given.is_dir() else given
    if not file.is_file():
        raise UsageError(f"there is no tokenizer {str(path)!r}", "name a tokenizer.json, or a folder that holds one")
    try:
        made: str = Tokenizer.from_str(file.read_text(encoding="utf-8")).to_str()
    except Exception as error:  # the package raises plain exceptions
        cause = " ".join(str(error).split())[:200]
        raise DataError(f"{file.name} is no tokenizer: {cause}", "save it by tokenizers or transformers") from error
    return made


def _of_run(run: Path) -> str:
    from tokenizers import Tokenizer

    try:
        made = json.loads((run / _OF_RUN).read_text(encoding="utf-8"))["tokenizer"]
        return str(Tokenizer.from_str(made).to_str())
    except Exception as error:  # the package raises plain exceptions
        cause = f"the run {run.name} has no tokenizer"
        raise DataError(cause, "name a run on texts, or a tokenizer.json") from error


def pad_id(tokenizer: Any) -> int:
    """The id that padding has; 0 for a tokenizer without one."""
    for name in (PAD, "<pad>", "<|pad|>"):
        found = tokenizer.token_to_id(name)
        if found is not None:
            return int(found)
    return 0
