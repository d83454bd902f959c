import pytest
import timm
import torch

from ssl_domains.encoders import Encoder, MaskedEncoder, TimmEncoder, create_encoder, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec


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


@pytest.mark.parametrize("name", ["small_conv", "resnet18", "vit_tiny_patch16_224"])
def test_a_form_of_one_size_gives_the_same_weights_as_an_image_size(name: str) -> None:
    takes = InputSpec("image", 2, (64, 64))
    by_form, by_size = create_encoder(name, takes=takes, seed=2), create_encoder(name, 2, image_size=64, seed=2)
    assert isinstance(by_form, TimmEncoder)
    assert by_form.takes == by_size.takes == takes
    assert by_form.in_chans == 2
    one, two = by_form.state_dict(), by_size.state_dict()
    assert list(one) == list(two)
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_without_a_size_the_form_is_the_one_that_the_architecture_was_made_for() -> None:
    assert create_encoder("small_conv").takes == InputSpec("image", 3, (32, 32))
    assert create_encoder("resnet18", 1).takes == InputSpec("image", 1, (224, 224))


def test_only_ragged_sides_are_masked() -> None:
    assert isinstance(create_encoder("small_conv", takes=InputSpec("line", 1, (32, None))), MaskedEncoder)
    assert isinstance(create_encoder("small_conv", takes=InputSpec("line", 1, (32, 48))), TimmEncoder)


def test_channels_and_sides_that_contradict_the_form_are_refused() -> None:
    with pytest.raises(UsageError, match="in_chans=3 for an input of 1 channels"):
        create_encoder("small_conv", 3, takes=InputSpec("line", 1, (32, None)))
    with pytest.raises(UsageError, match="takes inputs of two sides, not 1"):
        create_encoder("resnet18", takes=InputSpec("wave", 1, (None,)))


def test_the_base_class_encodes_nothing() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Encoder(torch.nn.Identity(), "nothing", InputSpec("wave", 1, (None,)), 1)  # type: ignore[abstract]


@pytest.mark.parametrize(("layers", "linear"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_projection_head_has_so_many_linear_layers(layers: int, linear: int) -> None:
    head = projection_head(16, 8, 4, layers)
    assert sum(isinstance(module, torch.nn.Linear) for module in head) == linear
    assert head(torch.rand(3, 16)).shape == (3, 4 if layers else 16)
