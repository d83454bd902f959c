"""Trainings of ``ance`` on a made-up collection, with the encoder ``static`` or a small BERT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.text.files import Collection, write_collection
from ssl_domains.cli.work.scan import scan_to
from ssl_domains.engine import Parts, RunConfig, World, load_config
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.stores import ArrayStore
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.inputs import TokenPreprocess, TokenRecipe, tokens_for
from ssl_domains_text.documents.inputs.settings import TokenSettings
from ssl_domains_text.documents.methods.ance import ANCE
from ssl_domains_text.documents.reader import DocumentReader

__all__ = ["TEMPERATURE", "Task", "assembled", "config_of", "parts_of", "small_bert", "task_of"]

TEMPERATURE = 0.05
_TOKENS = 256


@dataclass(frozen=True)
class Task:
    """A scanned collection with its tokenizer.

    Attributes:
        folder: Where its files are.
        table: Documents and queries.
        store: Their texts.
        preprocess: The tokenizer.
        encoder: Name of the encoder.
    """

    folder: Path
    table: SampleTable
    store: ArrayStore
    preprocess: TokenPreprocess
    encoder: str


def task_of(folder: Path, collection: Collection, encoder: str = "static", width: int = 128) -> Task:
    """Scan a made-up collection, unless it is there, and train a tokenizer on it.

    Args:
        folder: Where files are written.
        collection: Its documents and queries.
        encoder: ``"static"``, or ``"bert"`` for a BERT of two layers.
        width: Numbers of a token in the BERT.
    """
    samples = folder / "samples.parquet"
    if not samples.exists():
        scan_to(TEXT, write_collection(folder / "in", collection), samples)
    table = read_table(samples)
    store = ArrayStore.fill(folder / "store", table, DocumentReader())
    settings = TokenSettings(vocabulary=8192, tokens=_TOKENS)
    if encoder == "static":
        return Task(folder, table, store, tokens_for(table, settings).fit(table, store), encoder)
    model = small_bert(folder / f"bert{width}", tokens_for(table, settings).fit(table, store), width)
    settings = TokenSettings(tokenizer=str(model), tokens=_TOKENS)
    made = tokens_for(table, settings).fit(table, store)
    return Task(folder, table, store, made, f"transformers:{model}")


def small_bert(folder: Path, tokens: TokenPreprocess, width: int) -> Path:
    """Save a BERT of two layers, of random weights and without dropout, and its tokenizer, as transformers does."""
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    with seeded(0):
        config = BertConfig(
            vocab_size=tokens.pieces, hidden_size=width, num_hidden_layers=2, num_attention_heads=max(1, width // 32),
            intermediate_size=4 * width, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokens.tokenizer), pad_token="[PAD]", unk_token="[UNK]",
        model_max_length=_TOKENS,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    return folder


def parts_of(task: Task, negatives: str | None = None, epoch_steps: int | None = None) -> Parts:
    """Queries against the documents of the batch, and a negative each by the rule; views show all tokens."""
    rule = parse(f"linked('{task.folder / 'samples.relevance.parquet'}', grade='relevant')")
    composition = Composition("partner", seeds="query", negatives=negatives, epoch_steps=epoch_steps)
    recipe = TokenRecipe(views=2 if negatives is None else 3, drop=0.0)
    return Parts(task.table, task.store, rule, composition, recipe, None, ANCE, preprocess=task.preprocess)


def config_of(task: Task, batch: int, settings: Sequence[str] = ()) -> RunConfig:
    """The configuration of a training that never ends by itself, unless the settings say otherwise."""
    init = "random" if task.encoder == "static" else "pretrained"
    return load_config(
        sets=[
            f"encoder.name={task.encoder}", f"encoder.init={init}", f"train.batch_size={batch}", "train.device=cpu",
            "train.epochs=1000000", "views.n=2", "method.name=ance", "method.top=0",
            f"method.temperature={TEMPERATURE}", "pairs.composition=partner", "pairs.seeds=query", *settings,
        ]
    )  # fmt: skip


def assembled(task: Task, batch: int, settings: Sequence[str] = ()) -> Assembled:
    """A run put together and not started."""
    parts = parts_of(task)
    config = resolve_config(config_of(task, batch, settings), parts)
    with seeded(0):
        return assemble(config, parts, World())
