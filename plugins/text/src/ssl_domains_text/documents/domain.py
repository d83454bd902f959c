"""The domain ``text``, as the hook hands it over; everything heavy is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, ScanOption
from ssl_domains_text.documents.pairs import EXTRA_COLUMNS

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ssl_domains.extending import RecipeRequest
    from ssl_domains.samples import Reader, SampleTable
    from ssl_domains.views import PreprocessSource, Recipe
    from ssl_domains_text.documents.inputs.settings import TokenSettings

__all__ = ["TEXT"]


def _reader() -> Reader:
    from ssl_domains_text.documents.reader import DocumentReader

    return DocumentReader()


def _preprocess(table: SampleTable, settings: TokenSettings) -> PreprocessSource:
    from ssl_domains_text.documents.inputs import tokens_for

    return tokens_for(table, settings)


def _input_settings() -> type[TokenSettings]:
    from ssl_domains_text.documents.inputs.settings import TokenSettings

    return TokenSettings


def _recipe(request: RecipeRequest) -> Recipe:
    from ssl_domains_text.documents.inputs import recipe

    return recipe(request)


def _thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> str:
    text = array.tobytes().decode("utf-8", "replace")
    return text if len(text) <= 300 else text[:299] + "…"


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_text.documents.demo import write_demo_data

    return write_demo_data(out, seed)


def _by_words(documents: SampleTable, queries: SampleTable) -> pl.DataFrame:
    from ssl_domains_text.documents.search.ranking import by_words

    return by_words(documents, queries)


TEXT = Domain(
    name="text",
    summary="documents and queries (BEIR, MS MARCO, TREC, click logs, plain text): relevance as positives",
    reader=_reader,
    preprocess=_preprocess,
    preprocess_classes=("ssl_domains_text.documents.inputs:TokenPreprocess",),
    input_settings=_input_settings,
    recipe=_recipe,
    scan_options=(
        ScanOption("encoding", str, help="encoding of text files: utf-8 (default), latin-1, cp1252, …", repeat=True),
        ScanOption("lines", bool, help="each line of a plain text file is a document; else the file is one"),
        ScanOption("chunk", int, help="cut documents into pieces of so many words", repeat=True),
        ScanOption("words", int, help="words that an encoder reads, for the note on what it cuts (200)"),
        ScanOption(
            "strip_titles", bool, help="a body that begins with its title stands for both (Cranfield)", repeat=True
        ),
        ScanOption(
            "text_column",
            str,
            help="column of tables with their texts, if not called as usual; repeat it",
            many=True,
            repeat=True,
        ),
        ScanOption("id_column", str, help="column of tables with the ids, if not called as usual", repeat=True),
        ScanOption("relevant_from", float, help="smallest grade of a relevant document (1; 2 for TREC-DL)"),
    ),
    nuisance=("length",),
    floors={"length alone": ("length",)},
    default_encoder="static",
    rankings={"BM25": _by_words},
    extra_columns=EXTRA_COLUMNS,
    thumbnail=_thumbnail,
    demo_data=_demo_data,
    files="documents, queries and judgements (.jsonl, .tsv, .csv, .parquet, .txt, Cranfield's own)",
)
