"""Rows with transcripts, the frames of their samples, and the frozen probe on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import letter_lines
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import (
    RANDOM,
    frame_features,
    input_lengths,
    read_probe_reports,
    transcribed_rows,
    transcript_probe_run,
)
from ssl_domains.probes.transcripts import (
    FrameFeatures,
    TranscriptFit,
    Transcripts,
    fit_frame_head,
    frame_counts,
    run_transcript_probe,
)
from ssl_domains.samples import SampleTable
from ssl_domains.views import SignalPreprocess

FIT = TranscriptFit(steps=20, lr=(0.03,))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> letter_lines.World:
    return letter_lines.make_world(tmp_path_factory.mktemp("lines"))


def changed(lines: letter_lines.World, **texts: str) -> SampleTable:
    """The table with other texts of some samples; ``_`` stands for the hyphen of their ids."""
    frame = lines.table.frame
    wanted = {name.replace("_", "-"): text for name, text in texts.items()}
    found = [wanted.get(name, text) for name, text in zip(frame["sample"], frame["text"], strict=True)]
    return lines.table.with_columns(text=pl.Series(found, dtype=pl.String))


def test_frames_are_counted_before_the_encoder_is_run(lines: letter_lines.World) -> None:
    encoder, preprocess = lines.run.encoder(), lines.run.preprocess
    lengths = input_lengths(preprocess, lines.table, lines.store)
    assert lengths.tolist() == lines.store.of(lines.table).shapes()[:, 0].tolist()
    features = frame_features(encoder, preprocess, lines.table, lines.store, batch_size=5)
    assert features.counts.tolist() == frame_counts(encoder, lengths).tolist()
    assert features.width == encoder.num_features
    assert len(set(features.counts.tolist())) > 1, "lines of one length would not change places"
    for row in (0, 3, len(features) - 1):
        alone = frame_features(encoder, preprocess, lines.table.take(np.array([row])), lines.store)
        np.testing.assert_allclose(alone[0], features[row], atol=1e-5)


class Unsaid:
    """The preprocess without ``sides``, as a plugin may have it."""

    name = "unsaid"
    columns: tuple[str, ...] = ()
    spec = SignalPreprocess().spec

    def __call__(self, array: object, facts: object = None) -> object:
        return SignalPreprocess()(array)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        return {}


def test_lengths_of_a_preprocess_that_does_not_say_them_are_measured(lines: letter_lines.World) -> None:
    found = input_lengths(Unsaid(), lines.table, lines.store)  # type: ignore[arg-type]
    assert found.tolist() == input_lengths(lines.run.preprocess, lines.table, lines.store).tolist()
    fixed = input_lengths(SignalPreprocess(length=500), lines.table, lines.store)
    assert set(fixed.tolist()) == {500}


def test_training_rows_that_do_not_fit_are_left_out_and_test_rows_count_as_errors(lines: letter_lines.World) -> None:
    table = changed(lines, w0_1="ab" * 40, w1_0="aébé", w3_0="xyz", w7_1="ca" * 60, w2_2="d" * 90)
    run = lines.run
    found = transcribed_rows(run.encoder(), run.preprocess, table, lines.store, "text", group="writer")
    assert (found.left_out, found.dropped) == (2, 0)
    kept = table.take(found.rows).frame["sample"].to_list()
    assert not {"w0-1", "w2-2"} & {*kept}
    assert {"w1-0", "w3-0", "w7-1"} <= {*kept}
    # d stands only in a transcript that does not fit, x, y and z only in test rows: nothing teaches them.
    assert "".join(found.transcripts.alphabet.characters) == "abcé"
    text = "\n".join(found.notes)
    assert "left out: 2 training rows whose transcript needs more frames" in text
    assert "'w2-2' needs 179 of" in text
    assert "scored as errors: 1 test row with characters outside the alphabet: 'x' (1), 'y' (1), 'z' (1)" in text
    assert "scored as errors: 1 test row whose transcript needs more frames" in text
    assert found.split.train.sum() + found.split.test.sum() == len(found.rows) == len(table) - 2


def test_a_given_alphabet_leaves_out_what_it_can_not_spell(lines: letter_lines.World) -> None:
    run = lines.run
    found = transcribed_rows(
        run.encoder(), run.preprocess, lines.table, lines.store, "text", group="writer", alphabet="ab"
    )
    train = lines.table.take(lines.train).frame["text"]
    assert found.left_out == train.str.contains("c").sum()
    assert found.transcripts.alphabet.characters == ("a", "b")
    assert any("alphabet of 2 characters, as given: 'ab'" in note for note in found.notes)


def test_lines_from_right_to_left_are_said(lines: letter_lines.World) -> None:
    run, rows = lines.run, len(lines.table)
    table = lines.table.with_columns(direction=pl.Series(["rtl"] * 3 + [None] * (rows - 3), dtype=pl.String))
    found = transcribed_rows(run.encoder(), run.preprocess, table, lines.store, "text", group="writer")
    assert found.transcripts.rtl.sum() == 3
    assert found.notes[-1].endswith(f"; 3 of {rows} lines run from right to left, their labels turned")
    # Latin letters run from left to right in such a line, too.
    assert found.transcripts.alphabet.decode(found.transcripts.codes(0)) == found.transcripts.texts[0]


def test_every_arm_is_fitted_on_the_same_draws_and_the_report_is_read_back(lines: letter_lines.World) -> None:
    report = transcript_probe_run(
        lines.run, "text", table=lines.table, store=lines.store, group="writer", fractions=(0.5, 1.0), seeds=(0, 1),
        fit=FIT,
    )  # fmt: skip
    assert [(row.arm, row.fraction, row.draw) for row in report.rows] == [
        (arm, fraction, draw) for arm in ("frozen encoder", RANDOM) for fraction, draw in ((0.5, 0), (1.0, 0), (0.5, 1))
    ]
    assert {(row.arm, row.labels) for row in report.rows if row.fraction == 0.5} == {
        ("frozen encoder", 12),
        (RANDOM, 12),
    }
    assert all(row.tested == 8 and len(row.per_group) == 2 for row in report.rows)
    for row in report.rows:
        assert row.values["character accuracy"] == pytest.approx(1 - (row.values["CER"] or 0))
    assert read_probe_reports(lines.run.folder) == [report]
    alone = transcript_probe_run(
        lines.run, "text", table=lines.table, store=lines.store, group="writer", fit=FIT, alone=True
    )
    assert [row.arm for row in alone.rows] == ["frozen encoder"]
    assert alone.rows[0].values == report.rows[1].values


def test_a_rule_that_reads_the_transcripts_is_said(lines: letter_lines.World, tmp_path: Path) -> None:
    from ssl_domains.engine import Parts, load_config, pretrain
    from ssl_domains.methods import SimCLR
    from ssl_domains.pairs import Composition, parse

    parts = Parts(
        lines.table.take(lines.train), lines.store, parse("same('text')"), Composition(), letter_lines.make_recipe(2),
        None, SimCLR, SignalPreprocess(),
    )  # fmt: skip
    settings = ("encoder.name=conv1d", "train.max_steps=1", "train.batch_size=12", "train.device=cpu",
                "pairs.rule=same('text')", "pairs.anyway=true", "head.hidden=8", "head.out=4")  # fmt: skip
    run = pretrain(load_config(sets=settings), parts, tmp_path / "run")
    report = transcript_probe_run(
        run, "text", table=lines.table, store=lines.store, group="writer", fit=FIT, alone=True
    )
    assert report.supervised == 24
    assert report.rows[0].arm == "frozen encoder (supervised contrastive, saw 24 labels)"


def test_a_head_whose_loss_still_falls_says_so_and_one_group_is_not_held_out_of_itself() -> None:
    rng = np.random.default_rng(0)
    features = FrameFeatures.of([rng.normal(size=(9, 4)).astype(np.float32) for _ in range(6)], 4)
    transcripts = Transcripts.of(["ab", "ba", "a", "b", "aab", "bb"])
    groups = np.zeros(6, dtype=np.int64)
    short = fit_frame_head(features, transcripts, groups, np.arange(6), fit=TranscriptFit(steps=10, lr=(0.01, 0.1)))
    assert short.lr == 0.1
    assert short.notes == (
        "the head used its middle learning rate, lr=0.1: one labelled group can't be held out of itself",
        "the CTC loss of the head had not levelled off after 10 steps: more may raise it",
    )
    long = fit_frame_head(features, transcripts, groups, np.arange(6), fit=TranscriptFit(steps=400, lr=(0.1,)))
    assert long.notes == ()
    again = fit_frame_head(features, transcripts, groups, np.arange(6), fit=TranscriptFit(steps=400, lr=(0.1,)))
    np.testing.assert_array_equal(long.weight, again.weight)
    with pytest.raises(DataError, match="no training row has a transcript"):
        fit_frame_head(features, transcripts, groups, np.arange(0))


def test_sides_are_checked() -> None:
    features = FrameFeatures.of([np.zeros((9, 4), dtype=np.float32)] * 4, 4)
    transcripts = Transcripts.of(["ab", "ba", "a", "b"])
    train = np.array([True, True, False, False])
    with pytest.raises(DataError, match="no test row has a transcript"):
        run_transcript_probe(features, transcripts, np.arange(4), train, np.zeros(4, dtype=np.bool_), fit=FIT)
    with pytest.raises(DataError, match="a group is on both sides"):
        run_transcript_probe(features, transcripts, np.zeros(4, dtype=np.int64), train, ~train, fit=FIT)


def test_an_encoder_of_pictures_gives_no_frames(lines: letter_lines.World) -> None:
    from ssl_domains.encoders import create_encoder

    encoder = create_encoder("small_conv", 1, image_size=32)
    with pytest.raises(UsageError, match="transcripts need a sequence of frames"):
        transcribed_rows(encoder, lines.run.preprocess, lines.table, lines.store, "text", group="writer")
