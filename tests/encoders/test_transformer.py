"""Transformers from a local folder: small ones with random weights, saved by the test."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
import transformers

from ssl_domains.encoders import TransformerEncoder, create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

SMALL = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    config = transformers.BertConfig(**SMALL, max_position_embeddings=600, pad_token_id=3)
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def test_padding_changes_nothing(bert: Path) -> None:
    encoder = create_encoder(f"transformers:{bert}", init="pretrained")
    assert isinstance(encoder, TransformerEncoder)
    assert encoder.takes == InputSpec("text", 1, (None,), "int64", 3.0)
    assert (encoder.num_features, encoder.vocabulary, encoder.training) == (16, 50, True)
    check_encoder(encoder)


@pytest.mark.parametrize(
    "config",
    [
        transformers.RobertaConfig(**SMALL, max_position_embeddings=600, pad_token_id=1),  # positions count the pad id
        transformers.GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=600),
    ],
)
def test_other_architectures(config: transformers.PretrainedConfig, tmp_path: Path) -> None:
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
    check_encoder(create_encoder(f"transformers:{tmp_path}", init="pretrained"))


def test_the_vector_is_the_mean_of_the_last_hidden_states(bert: Path) -> None:
    encoder = create_encoder(f"transformers:{bert}", init="pretrained").eval()
    model = transformers.BertModel.from_pretrained(bert).eval()
    ids = torch.randint(50, (2, 1, 9), generator=torch.Generator().manual_seed(0))
    valid = torch.arange(9).expand(2, 1, 9) < torch.tensor([9, 4])[:, None, None]
    with torch.no_grad():
        features = encoder(ids, valid)
        for row, length in enumerate((9, 4)):
            hidden = model(ids[row, :, :length]).last_hidden_state[0]
            torch.testing.assert_close(features.pooled[row], hidden.mean(dim=0), rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(features.map[row, :, :length], hidden.T, rtol=1e-5, atol=1e-5)
    assert features.map.shape == (2, 16, 9)
    assert features.mask is not None
    assert torch.equal(features.mask, valid)


def test_random_weights_come_from_the_seed_and_pretrained_ones_from_the_folder(bert: Path) -> None:
    name = f"transformers:{bert}"
    saved = transformers.BertModel.from_pretrained(bert).state_dict()
    folder = create_encoder(name, init="pretrained").model.state_dict()
    assert folder
    assert all(torch.equal(value, saved[key]) for key, value in folder.items())
    one, two, other = (create_encoder(name, seed=seed).model.state_dict() for seed in (1, 1, 2))
    key = "embeddings.word_embeddings.weight"
    assert torch.equal(one[key], two[key])
    assert not torch.equal(one[key], other[key])
    assert not torch.equal(one[key], saved[key])
    assert not any("pooler" in name for name in one)


def test_folders_that_hold_no_usable_model_are_refused(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder with a model"):
        create_encoder(f"transformers:{tmp_path / 'nothing'}")

    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{]")
    with pytest.raises(UsageError, match="is not a model that transformers can read") as caught:
        create_encoder(f"transformers:{broken}")
    assert "\n" not in caught.value.message

    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text((bert / "config.json").read_text())
    with pytest.raises(UsageError, match="is not a model that transformers can read"):
        create_encoder(f"transformers:{bare}", init="pretrained")
    torch.save(transformers.BertModel.from_pretrained(bert).state_dict(), bare / "pytorch_model.bin")
    with pytest.raises(UsageError, match="is not a model that transformers can read"):  # a pickle is not loaded
        create_encoder(f"transformers:{bare}", init="pretrained")

    deeper = json.loads((bert / "config.json").read_text()) | {"num_hidden_layers": 3}
    (bert / "config.json").write_text(json.dumps(deeper))
    with pytest.raises(UsageError, match=r"lacks \d+ weights of its model, such as encoder\.layer\.2"):
        create_encoder(f"transformers:{bert}", init="pretrained")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            transformers.FNetConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, intermediate_size=32),
            "a FNetModel, which gives a text other numbers alone than padded",
        ),
        (
            transformers.T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2),
            "an encoder with a decoder",
        ),
        (
            transformers.Wav2Vec2Config(
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=32,
                conv_dim=(8,),
                conv_stride=(5,),
                conv_kernel=(10,),
                num_feat_extract_layers=1,
                num_conv_pos_embeddings=16,
                num_conv_pos_embedding_groups=2,
                vocab_size=None,
            ),
            "a Wav2Vec2Model whose first norm is over all of a recording's time",
        ),
    ],
)
def test_models_that_are_no_encoders_of_padded_texts_are_refused(
    config: transformers.PretrainedConfig, reason: str, tmp_path: Path
) -> None:
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match=reason):
        create_encoder(f"transformers:{tmp_path}")


def test_a_text_longer_than_the_positions_and_other_inputs_are_refused(bert: Path) -> None:
    encoder = create_encoder(f"transformers:{bert}")
    with pytest.raises(UsageError, match="601 tokens"):
        encoder(torch.zeros(1, 1, 601, dtype=torch.int64))
    with pytest.raises(UsageError, match=r"takes token ids, int64 \[B, 1, T\], not float32 with 2 channels"):
        create_encoder(f"transformers:{bert}", takes=InputSpec("wave", 2, (None,)))


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match="needs the package transformers") as caught:
        create_encoder("transformers:somewhere")
    assert caught.value.hint == "pip install 'ssl-domains[transformers]'"
