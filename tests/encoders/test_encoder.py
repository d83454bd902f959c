import pytest
import timm
import torch

from ssl_domains.encoders import create_encoder, projection_head
from ssl_domains.errors import UsageError


@pytest.mark.parametrize(("name", "in_chans"), [("small_conv", 1), ("resnet18", 5), ("vit_tiny_patch16_224", 2)])
def test_pooled_is_what_the_timm_model_gives(name: str, in_chans: int) -> None:
    encoder = create_encoder(name, in_chans, image_size=64).eval()
    x = torch.rand(2, in_chans, 64, 64)
    features = encoder(x)
    assert features.pooled.shape == (2, encoder.num_features)
    assert features.map.shape[:2] == (2, encoder.num_features)
    assert features.mask is None
    torch.testing.assert_close(features.pooled, encoder.model(x))


def test_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(5)
    first = create_encoder("small_conv", 1, seed=3).state_dict()
    before = torch.get_rng_state()
    second = create_encoder("small_conv", 1, seed=3).state_dict()
    other = create_encoder("small_conv", 1, seed=4).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_mask_follows_the_map() -> None:
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[..., :16] = True
    features = create_encoder("small_conv", 1)(torch.rand(1, 1, 32, 32), mask)
    assert features.mask is not None
    assert features.mask[0, 0].any(dim=0).tolist() == [True, True, False, False]


def test_small_conv_is_a_timm_model() -> None:
    model = timm.create_model("small_conv", num_classes=7, in_chans=4)
    assert model(torch.rand(2, 4, 32, 32)).shape == (2, 7)


def test_a_misspelt_encoder_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        create_encoder("resnt18")
    assert "resnet18" in caught.value.hint


@pytest.mark.parametrize(("layers", "linear"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_projection_head_has_so_many_linear_layers(layers: int, linear: int) -> None:
    head = projection_head(16, 8, 4, layers)
    assert sum(isinstance(module, torch.nn.Linear) for module in head) == linear
    assert head(torch.rand(3, 16)).shape == (3, 4 if layers else 16)
