"""Evaluation by transcripts: frames of an encoder, rows whose transcripts fit them, and the frozen probe."""

from ssl_domains.evaluation.transcripts.frames import frame_features, input_lengths
from ssl_domains.evaluation.transcripts.probe import transcript_probe_run
from ssl_domains.evaluation.transcripts.rows import TranscribedRows, transcribed_rows

__all__ = ["TranscribedRows", "frame_features", "input_lengths", "transcribed_rows", "transcript_probe_run"]
