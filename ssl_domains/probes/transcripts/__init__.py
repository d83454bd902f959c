"""Transcripts of lines and utterances: alphabet, CTC loss, decoding, scores, and the frozen probe of them.

In: frames of an encoder, a sequence for each sample, and a column of texts. Out: texts, and how many of their
characters, words and lines are right. Labels are put into the order of the frames (left to right), answers back into
the order in which they are read: whatever a user sees is in reading order.
"""

from ssl_domains.probes.transcripts.alphabet import BLANK, FORM, Alphabet, Form, tidy_text
from ssl_domains.probes.transcripts.ctc_loss import ctc_losses
from ssl_domains.probes.transcripts.decoding import Decoded, beam_search, best_path, decode, log_probability
from ssl_domains.probes.transcripts.direction import DIRECTION, read_directions
from ssl_domains.probes.transcripts.edit_distance import edit_distance
from ssl_domains.probes.transcripts.frame_counts import frame_counts, require_frames
from ssl_domains.probes.transcripts.frame_features import FrameFeatures
from ssl_domains.probes.transcripts.frame_head import FittedFrameHead, TranscriptFit, fit_frame_head
from ssl_domains.probes.transcripts.frame_order import frame_order, reading_order
from ssl_domains.probes.transcripts.needed_frames import LabelProblems, label_problems, needed_frames
from ssl_domains.probes.transcripts.scores import (
    CER,
    CHARACTER_ACCURACY,
    OF_TRANSCRIPTS,
    transcript_scores,
    transcript_sums,
)
from ssl_domains.probes.transcripts.transcript_probe import (
    PER_GROUP,
    TranscriptResult,
    run_transcript_probe,
    score_texts,
)
from ssl_domains.probes.transcripts.transcripts import TRANSCRIPTION, Transcripts, read_transcripts

__all__ = [
    "BLANK",
    "CER",
    "CHARACTER_ACCURACY",
    "DIRECTION",
    "FORM",
    "OF_TRANSCRIPTS",
    "PER_GROUP",
    "TRANSCRIPTION",
    "Alphabet",
    "Decoded",
    "FittedFrameHead",
    "Form",
    "FrameFeatures",
    "LabelProblems",
    "TranscriptFit",
    "TranscriptResult",
    "Transcripts",
    "beam_search",
    "best_path",
    "ctc_losses",
    "decode",
    "edit_distance",
    "fit_frame_head",
    "frame_counts",
    "frame_order",
    "label_problems",
    "log_probability",
    "needed_frames",
    "read_directions",
    "read_transcripts",
    "reading_order",
    "require_frames",
    "run_transcript_probe",
    "score_texts",
    "tidy_text",
    "transcript_scores",
    "transcript_sums",
]
