"""Evaluation of a run: embed a table, probe the frozen encoder beside floors, export the encoder.

In: a run folder, a sample table and its arrays. Out: embeddings, a `ProbeReport`, or an exported model.
"""

from ssl_domains.evaluation.dense import MASKS, dense_probe_run
from ssl_domains.evaluation.dense_maps import dense_features, dense_targets
from ssl_domains.evaluation.embed import embed, embed_rows
from ssl_domains.evaluation.export import FORMATS, ExportError, export
from ssl_domains.evaluation.handmade import handmade_features
from ssl_domains.evaluation.load import load
from ssl_domains.evaluation.probe import RANDOM, probe_run
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path, read_probe_reports
from ssl_domains.evaluation.retrieval import Gallery, retrieval_run
from ssl_domains.evaluation.sources import FoundTable, find_table, run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit, evaluation_split
from ssl_domains.evaluation.transcripts import (
    TranscribedRows,
    frame_features,
    input_lengths,
    transcribed_rows,
    transcript_probe_run,
)

__all__ = [
    "FORMATS",
    "MASKS",
    "RANDOM",
    "EvaluationSplit",
    "ExportError",
    "FoundTable",
    "Gallery",
    "ProbeReport",
    "ProbeRow",
    "TranscribedRows",
    "dense_features",
    "dense_probe_run",
    "dense_targets",
    "embed",
    "embed_rows",
    "evaluation_split",
    "export",
    "find_table",
    "frame_features",
    "handmade_features",
    "input_lengths",
    "load",
    "probe_path",
    "probe_run",
    "read_probe_reports",
    "retrieval_run",
    "run_store",
    "run_table",
    "transcribed_rows",
    "transcript_probe_run",
]
