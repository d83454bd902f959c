"""Models of transformers on recordings, as they are typed: the rate of their weights, and features of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

import ssl_domains
from ssl_domains.cli.app import run as typed
from ssl_domains_audio.reader import AudioReader

from .sound_files import chirp, clip

transformers: Any = pytest.importorskip("transformers")

SMALL: dict[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 20,
    "conv_dim": (8, 8, 8), "conv_kernel": (10, 3, 2), "conv_stride": (5, 4, 4), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}  # fmt: skip
WHISPER: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 24, "num_mel_bins": 20, "max_source_positions": 50,
    "vocab_size": 60, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 4,
}  # fmt: skip


def model(folder: Path, kind: str, rate: int) -> str:
    torch.manual_seed(1)
    config = getattr(transformers, f"{kind}Config")(**(WHISPER if kind == "Whisper" else SMALL))
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    extractor = (
        transformers.WhisperFeatureExtractor(
            feature_size=20, chunk_length=1, sampling_rate=rate, hop_length=rate // 100
        )
        if kind == "Whisper"
        else transformers.Wav2Vec2FeatureExtractor(sampling_rate=rate, do_normalize=True)
    )
    extractor.save_pretrained(folder)
    return f"transformers:{folder}"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(6):
        start = 150 + 90 * number
        clip(folder / "in" / f"c{number}.wav", chirp(3000 + 500 * (number % 3), start=start, stop=start * 2))
    assert typed(["audio", "scan", str(folder / "in"), "-o", str(folder / "t.parquet")]) == 0
    return folder


def pretrain(clips: Path, encoder: str, out: Path, *more: str) -> int:
    words = ["audio", "pretrain", str(clips / "t.parquet"), "--encoder", encoder, "--init", "pretrained", "--set",
             "input.form=wave", "--set", "train.batch_size=3", "--set", "train.max_steps=1", "--set", "head.hidden=8",
             "--set", "head.out=4", "--out", str(out), *more]  # fmt: skip
    return typed(words)


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM", "Whisper"])
def test_a_model_is_trained_on_and_embeds_recordings(kind: str, clips: Path, tmp_path: Path) -> None:
    encoder = model(tmp_path / "model", kind, 8000)
    assert pretrain(clips, encoder, tmp_path / "run") == 0
    out = tmp_path / "e.parquet"
    assert typed(["audio", "embed", str(tmp_path / "run"), str(clips / "t.parquet"), "-o", str(out)]) == 0
    embedded = dict(pl.read_parquet(out).select("sample", "embedding").iter_rows())
    loaded, preprocess = ssl_domains.load(tmp_path / "run")
    for row in AudioReader().scan(clips / "in").samples.frame.to_dicts():
        x = preprocess(AudioReader().load(row), row)
        with torch.no_grad():
            alone = loaded(x.values, x.valid).pooled[0]
        torch.testing.assert_close(torch.tensor(embedded[row["sample"]]), alone, rtol=1e-4, atol=1e-4)


def test_another_rate_than_that_of_the_weights_is_refused_before_training(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = model(tmp_path / "model", "Wav2Vec2", 16000)
    assert pretrain(clips, encoder, tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert "were trained on waveforms at 16,000 Hz, and these have 8,000 Hz" in said
    assert "--set input.rate=16000" in said
    assert pretrain(clips, encoder, tmp_path / "run", "--set", "input.rate=16000") == 0
