"""Fine-tuning on transcripts: a CTC head on the frames, from a pre-trained run to texts for held-out writers."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

import letter_lines
from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine import Run
from ssl_domains.errors import SslDomainsError, UsageError
from ssl_domains.evaluation import frame_features
from ssl_domains.finetuning import (
    FineTune,
    FineTuned,
    FineTuning,
    Task,
    TranscriptHead,
    create_head,
    finetune,
    finetune_config,
    frozen_probe_head,
)
from ssl_domains.finetuning.heads import TOO_LONG
from ssl_domains.finetuning.whole_views import whole_views
from ssl_domains.inputs import InputSpec
from ssl_domains.probes import read_labels
from ssl_domains.probes.transcripts import (
    Alphabet,
    TranscriptFit,
    Transcripts,
    fit_frame_head,
    log_probability,
    transcript_scores,
    transcript_sums,
)
from ssl_domains.testing.process_pool import ProcessPool
from ssl_domains.views import CropLength, RandomCrop, SequenceRecipe


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> letter_lines.World:
    return letter_lines.make_world(tmp_path_factory.mktemp("lines"))


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pool = ProcessPool(tmp_path_factory.mktemp("processes"))
    yield pool
    pool.close()


def test_it_learns_to_read_held_out_writers(lines: letter_lines.World, tmp_path: Path) -> None:
    config = lines.config(**{"train.max_steps": 60, "train.lr": 0.003, "method.batch_norm": "trained"})
    run = finetune(config, lines.parts(), tmp_path / "run")
    model = FineTuned.open(run.folder)
    assert model.task == Task("transcription", "text", ("a", "b", "c"), head="ctc", unicode="NFC")
    answers = model.transcripts(lines.table.take(lines.test), lines.store)
    truths = lines.table.frame["text"].gather(lines.test).to_list()
    scores = transcript_scores(transcript_sums(truths, [one.text for one in answers])).values
    assert scores["character accuracy"] > 0.9
    assert all(0.0 <= one.confidence <= 1.0 for one in answers)
    with pytest.raises(UsageError, match="predicts texts"):
        model.answers(lines.table.take(lines.test), lines.store)


def test_the_loss_of_a_batch_is_the_mean_over_its_rows_by_brute_force(lines: letter_lines.World) -> None:
    """The head's rows of frames, put together again, against log P of each label by the forward recursion."""
    rows = lines.train[:5]
    transcripts = lines.transcripts.take(rows).without(np.array([False, False, True, False, False]))
    head = TranscriptHead(Task.of_labels(transcripts, "text"), lines.run.encoder(), transcripts).double()
    frames = frame_features(lines.run.encoder(), lines.run.preprocess, lines.table.take(rows), lines.store)
    with torch.no_grad():
        each = [head.layer(torch.from_numpy(frames[row]).double()).log_softmax(dim=1) for row in range(5)]
    expected = [
        -log_probability(each[row].numpy(), tuple(transcripts.codes(row))) / len(transcripts.texts[row] or "")
        for row in (0, 1, 3, 4)
    ]
    counts = [len(one) for one in each]
    out = FakeOut(
        z=torch.cat(each), of=torch.repeat_interleave(torch.arange(5), torch.tensor(counts)), total=lambda count: count
    )
    sample = torch.repeat_interleave(torch.arange(5), torch.tensor(counts))
    found = head.loss(out, FakePairs(FakeRows(sample)))  # type: ignore[arg-type]
    assert found.loss.item() == pytest.approx(np.mean(expected), abs=1e-9)
    assert int(found.counts[TOO_LONG]) == 0


class FakeRows:
    def __init__(self, sample: Tensor) -> None:
        self.sample = sample


class FakePairs:
    def __init__(self, rows: FakeRows) -> None:
        self.rows = rows


class FakeOut:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def test_labels_that_do_not_fit_are_counted_and_the_loss_stays_finite(
    lines: letter_lines.World, tmp_path: Path
) -> None:
    texts = [text if row % 2 else "ab" * 40 for row, text in enumerate(lines.transcripts.take(lines.train).texts)]
    parts = lines.parts(labels=Transcripts.of(texts), head_start={}, fit=None)
    config = lines.config(**{"method.head_start": "fresh"})
    run = finetune(config, replace(parts, head_start=None), tmp_path / "run")
    (line,) = run.metrics()[-1:]
    assert np.isfinite(line["loss"])
    assert line["loss"] > 0
    assert 2 <= line["counts"][TOO_LONG] <= 6  # of eight rows of a step about half


def test_the_head_starts_as_the_frozen_probe(lines: letter_lines.World) -> None:
    parts = lines.parts()
    weights = frozen_probe_head(lines.config(), parts)
    encoder, part = lines.run.encoder(), lines.table.take(lines.train)
    transcripts = lines.transcripts.take(lines.train)
    features = frame_features(encoder, lines.run.preprocess, part, lines.store)
    fitted = fit_frame_head(
        features, transcripts, part.codes("writer"), np.arange(len(part)), fit=TranscriptFit(steps=30, lr=(0.03,))
    )
    np.testing.assert_allclose(weights["layer.weight"].numpy(), fitted.weight, rtol=1e-5, atol=1e-6)
    head = create_head(parts.task, encoder)
    head.load_state_dict(weights)
    whole = lines.run.preprocess(lines.store[0]).unit()
    with torch.no_grad():
        outputs = head.outputs(encoder, whole)
    row = int(np.flatnonzero(lines.store.positions(part) == 0)[0])
    np.testing.assert_allclose(outputs[0].numpy(), fitted.log_probs(features[row]), atol=1e-4)


def test_it_resumes_bit_for_bit(lines: letter_lines.World, tmp_path: Path) -> None:
    whole = finetune(lines.config(), lines.parts(), tmp_path / "whole").checkpoints.load()
    command = [sys.executable, letter_lines.__file__, str(lines.folder), str(tmp_path / "cut"), "5"]
    assert subprocess.run(command, check=False).returncode == -9
    assert Run.open(tmp_path / "cut").step == 4
    again = finetune(lines.config(), lines.parts(), tmp_path / "cut", resume=True).checkpoints.load()
    for name, value in whole["method"].items():
        assert torch.equal(value, again["method"][name]), name


def in_double(source: FineTuning, encoder: Encoder, options: Mapping[str, Any]) -> FineTune:
    """`FineTuning.build` in float64; signals come in float32."""
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv1d):
            layer.register_forward_pre_hook(lambda one, given: (given[0].to(one.weight.dtype),))
    return BUILD(source, encoder, options).double()


BUILD = FineTuning.build


def trained(folder: str, out: str, micro: int | None = None) -> dict[str, Tensor]:
    """Weights of a fine-tuning in float64, in which some rows have no transcript, and one has too long a one."""
    world = letter_lines.make_world(Path(folder))
    texts = [None if row % 5 == 0 else text for row, text in enumerate(world.transcripts.take(world.train).texts)]
    texts[1] = "abc" * 20
    head = {"layer.weight": torch.full((4, 128), 0.01), "layer.bias": torch.zeros(4)}
    parts = world.parts(labels=Transcripts.of(texts), head_start=head)
    config = world.config(**{"train.micro_batch_size": micro, "train.seed": 3})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FineTuning, "build", in_double)
        run = finetune(config, parts, out)
    return run.checkpoints.load()["method"]


@pytest.mark.parametrize("micro", [None, 3])
def test_two_processes_train_what_one_trains(
    micro: int | None, lines: letter_lines.World, tmp_path: Path, two_processes: Any
) -> None:
    alone = trained(str(lines.folder), str(tmp_path / "one"))
    both = two_processes(trained, folder=str(lines.folder), out=str(tmp_path / "two"), micro=micro)
    assert Run.open(tmp_path / "two").environment["processes"] == 2
    for name, value in alone.items():
        assert value.dtype == torch.float64 or not value.is_floating_point()
        for found in both:
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("name", ["conv1d", "small_crnn"])
def test_a_sample_alone_in_a_batch_and_with_more_padding_is_read_the_same(name: str) -> None:
    takes = InputSpec("wave", 1, (None,)) if name == "conv1d" else InputSpec("line", 1, (32, None))
    encoder = create_encoder(name, takes=takes, seed=1).eval()
    head = TranscriptHead(Task("transcription", "text", ("a", "b", "c")), encoder).eval()
    torch.manual_seed(0)
    sizes = [700, 1900, 64] if name == "conv1d" else [70, 201, 9]
    side = () if name == "conv1d" else (32,)
    samples = [torch.randn(1, 1, *side, size) for size in sizes]

    def outputs(longest: int, rows: list[int]) -> Tensor:
        values = torch.full((len(rows), 1, *side, longest), 7.0)
        valid = torch.zeros(len(rows), 1, *side, longest, dtype=torch.bool)
        for place, row in enumerate(rows):
            values[place, ..., : sizes[row]], valid[place, ..., : sizes[row]] = samples[row][0], True
        with torch.no_grad():
            return head.outputs(encoder, takes.input(values, valid))

    together, wide = outputs(max(sizes), [0, 1, 2]), outputs(max(sizes) + 333, [2, 0, 1])
    for row, size in enumerate(sizes):
        alone = outputs(size, [row])[0]
        torch.testing.assert_close(together[row, : len(alone)], alone, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(wide[[2, 0, 1].index(row), : len(alone)], alone, atol=1e-4, rtol=1e-4)
        assert bool((together[row, len(alone) :].argmax(dim=1) == 0).all())
    texts = [[one.text for one in head.transcribed(found, [False] * 3)] for found in (together, wide)]
    assert texts[0] == [texts[1][[2, 0, 1].index(row)] for row in range(3)]


def test_a_right_to_left_line_is_trained_in_the_order_of_its_frames_and_read_back(
    lines: letter_lines.World, tmp_path: Path
) -> None:
    """Hebrew letters stand for a, b, c; the text is read from right to left, the signal runs from left to right."""
    hebrew = str.maketrans("abc", "\u05d0\u05d1\u05d2")
    texts = [(text or "").translate(hebrew)[::-1] for text in lines.table.frame["text"].to_list()]
    labels = Transcripts.of(texts, np.ones(len(texts), dtype=np.bool_))
    config = lines.config(**{"train.max_steps": 60, "train.lr": 0.003, "method.batch_norm": "trained"})
    run = finetune(config, lines.parts(labels=labels.take(lines.train)), tmp_path / "run")
    model = FineTuned.open(run)
    assert model.task.rtl
    held = [texts[row] for row in lines.test]
    answers = [one.text for one in model.transcripts(lines.table.take(lines.test), lines.store)]
    assert transcript_scores(transcript_sums(held, answers)).values["character accuracy"] > 0.9
    told = lines.table.with_columns(direction=pl.Series(["ltr"] * len(lines.table)))
    turned = [one.text for one in model.transcripts(told.take(lines.test), lines.store)]
    assert turned == [answer[::-1] for answer in answers]


def test_steps_that_cut_a_sample_are_left_out_of_its_views() -> None:
    recipe = letter_lines.make_recipe()
    assert any(isinstance(step, CropLength) for step in recipe.steps)
    assert [step.name for step in whole_views(recipe).steps] == [step.name for step in recipe.steps[1:]]
    bare = SequenceRecipe(recipe.steps[1:], views=1)
    assert whole_views(bare) is bare


def test_mistakes_have_one_line_and_a_hint(lines: letter_lines.World, tmp_path: Path) -> None:
    cropped = replace(letter_lines.make_recipe(), crop=RandomCrop(128))
    nothing = Transcripts.of([None] * len(lines.train), alphabet=Alphabet.given("ab"))
    for parts, text in (
        (lines.parts(recipe=cropped), "the views show crops, and the transcripts"),
        (lines.parts(labels=nothing), "no training row has a label"),
    ):
        with pytest.raises(SslDomainsError, match=text) as caught:
            finetune(lines.config(), parts, tmp_path / "run")
        assert caught.value.hint
        assert not (tmp_path / "run" / "config.toml").exists()
    task, waves = Task("transcription", "text", ("a",)), create_encoder("conv1d", takes=InputSpec("wave", 1, (None,)))
    with pytest.raises(UsageError, match="a map of 2 sides"):
        TranscriptHead(task, create_encoder("small_conv", 1, image_size=32))
    with pytest.raises(UsageError, match="trained on transcripts"):
        TranscriptHead(task, waves, read_labels(pl.Series(["a", "b"])))


def test_every_text_of_two_letters_can_be_spelled() -> None:
    """The alphabet is stored in the order of the outputs, so that a task that is read again decodes alike."""
    task = Task("transcription", "text", ("a", "b"), unicode="NFKC", rtl=True)
    again = Task.from_dict(task.to_dict())
    assert again == task
    for text in ("".join(letters) for letters in itertools.product("ab", repeat=2)):
        assert again.alphabet.decode(task.alphabet.encode(text)) == text


def test_a_recogniser_has_defaults_of_its_own(lines: letter_lines.World) -> None:
    tuned, scratch = (
        finetune_config(lines.run.config, 96, transcripts=True, scratch=scratch) for scratch in (False, True)
    )
    assert (tuned.train.max_steps, tuned.train.lr) == (600, 1e-3)
    assert tuned.method.model_dump()["batch_norm"] == "trained"
    assert (scratch.train.max_steps, scratch.train.lr) == (600, 3e-3)
    plain = finetune_config(lines.run.config, 96)
    assert (plain.train.max_steps, plain.train.lr) == (300, 3e-4)
