"""Labels that don't fit their frames, or the alphabet, are found and named before training."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.probes.transcripts import (
    Alphabet,
    Transcripts,
    frame_counts,
    label_problems,
    needed_frames,
    require_frames,
)

SHARED = os.environ.get("SSL_DOMAINS_SHARED_DATA", "")


def test_a_repeat_needs_a_blank() -> None:
    assert [needed_frames(one) for one in ("", "a", "aa", "aba", "aabb")] == [0, 1, 3, 3, 6]


def test_problems_are_counted_and_named() -> None:
    texts = ["ab", "aaaa", None, "aé", "abab", "béé", "aaaaa"]
    transcripts = Transcripts.of(texts, alphabet=Alphabet.given("ab"))
    found = label_problems(transcripts, np.array([2, 6, 0, 9, 4, 9, 2]), [*"ABCDEFG"], "training row")
    assert found.outside.tolist() == [False, False, False, True, False, True, False]
    assert found.too_long.tolist() == [False, True, False, False, False, False, True]
    assert found.rows.sum() == 4
    assert found.notes == (
        "2 training rows with characters outside the alphabet: 'é' (2)",
        "2 training rows whose transcript needs more frames (its characters, and one for each repeat) than the encoder "
        "gives: 'B' needs 7 of 6 frames, 'G' needs 9 of 2 frames",
    )


def test_frames_of_a_waveform_follow_from_the_stride() -> None:
    encoder = create_encoder("conv1d", takes=InputSpec("wave", 1, (None,)))
    lengths = np.array([1, 63, 64, 65, 640, 641])
    assert frame_counts(encoder, lengths).tolist() == [1, 1, 1, 2, 10, 11]


def test_an_encoder_says_its_frames_itself_where_it_can() -> None:
    encoder = create_encoder("conv1d", takes=InputSpec("wave", 1, (None,)))
    encoder.frames = lambda length: length // 5  # type: ignore[assignment]
    assert frame_counts(encoder, np.array([5, 12])).tolist() == [1, 2]


def test_a_map_of_a_picture_is_no_sequence_of_frames() -> None:
    with pytest.raises(UsageError, match="a map of 2 sides"):
        require_frames(create_encoder("small_conv", 1, image_size=32))


@pytest.mark.shared_data
def test_the_case_of_four_lines() -> None:
    folder = Path(SHARED).parent / "cases" / "text" / "T09"
    if not folder.is_dir():
        pytest.skip("the case is not there")
    expected = json.loads((folder / "case.json").read_text(encoding="utf-8"))["expected"]
    table = pl.read_csv(folder / "labels.csv")
    widths = np.array([Image.open(folder / name).width for name in table["file"].to_list()])
    frames = -(-widths // expected["stride"])
    assert frames.tolist() == expected["frames"]
    found = label_problems(Transcripts.of(table["label"].to_list()), frames, table["file"].to_list())
    assert [needed_frames(label) for label in table["label"].to_list()] == expected["need"]
    assert (~found.rows).tolist() == expected["fits"]
