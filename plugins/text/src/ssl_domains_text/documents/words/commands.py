"""What the commands on words do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.command_line import quoted
from ssl_domains.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["export_words", "nearest_words", "train"]

FORMS = ("word2vec", "static")


def train(
    samples: Path, out: Path, config: Path | None, sets: Sequence[str], options: Mapping[str, Any], resume: bool
) -> Run:
    """Train word vectors on a table of documents; progress and lines go to standard error.

    Args:
        samples: The table.
        out: The run folder.
        config: Configuration file (TOML).
        sets: ``KEY=VALUE`` texts of ``--set``.
        options: Values by dotted key; None doesn't change a key.
        resume: Go on with the run.
    """
    from ssl_domains.cli.console import note
    from ssl_domains.cli.for_plugins import open_table
    from ssl_domains.cli.progress import showing_progress
    from ssl_domains.engine import Run
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.words.settings import word_config
    from ssl_domains_text.documents.words.training import train_words

    (Run.require_resumable if resume else Run.require_new)(out)
    if resume and config is None and (out / "config.toml").is_file():
        config = out / "config.toml"
    settled = word_config(config, sets, {**options, "data.samples": str(samples)})
    table = open_table(TEXT, samples)
    with showing_progress() as progress:
        return train_words(settled, table, out, resume=resume, progress=progress, say=note)


def nearest_words(run: Path, words: Sequence[str], k: int) -> list[tuple[str, float]]:
    """The words nearest to some words, with their cosines."""
    from ssl_domains_text.documents.words.vectors import WordVectors

    return WordVectors.of(run).nearest(list(words), k)


def export_words(run: Path, out: Path, form: str) -> Iterator[str]:
    """Write the vectors of a run for other programs; yields the lines to print.

    Raises:
        UsageError: When there is no such form, or the vectors don't fit it.
    """
    from ssl_domains.samples import require_target
    from ssl_domains_text.documents.words.static_init import write_static
    from ssl_domains_text.documents.words.vectors import WordVectors

    if form not in FORMS:
        raise UsageError(f"--format {form!r} is no form of word vectors", did_you_mean(form, FORMS))
    if form == "word2vec":
        require_target(out)
    vectors = WordVectors.of(run)
    what = f"{len(vectors.words):,} words of {vectors.vectors.shape[1]} numbers → {out}"
    if form == "word2vec":
        vectors.write_word2vec(out)
        yield what
        return
    write_static(vectors, out)
    yield what
    init, tokenizer = quoted(str(out / "static.safetensors")), quoted(f"input.tokenizer={out}")
    yield f"next: ssl-domains text pretrain SAMPLES --out RUN --encoder static --init {init} --set {tokenizer}"
