"""Named transforms against their definition, value by value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.methods.rows import transforms as catalogue
from ssl_domains.methods.rows.transforms import Transform, register_transform, transform_of, transforms

PICTURE = InputSpec("image", 3, (5, 5))
WAVE = InputSpec("wave", 2, (None,), pad=9.0)


def ragged(*lengths: int) -> Input:
    noise = torch.Generator().manual_seed(0)
    every = [torch.rand(1, 2, length, generator=noise) for length in lengths]
    return Input.cat([Input(one, kind="wave", ragged=(0,), pad=9.0) for one in every])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotations_turn_anticlockwise_with_their_validity(turns: int) -> None:
    x = Input(torch.rand(4, 3, 5, 5), torch.rand(4, 1, 5, 5) > 0.4)
    turned = transform_of(f"rotate_{90 * turns}", PICTURE).change(x)
    assert x.valid is not None
    assert turned.valid is not None
    for i in range(4):
        for channel in range(3):
            np.testing.assert_array_equal(turned.values[i, channel], np.rot90(x.values[i, channel].numpy(), turns))
        np.testing.assert_array_equal(turned.valid[i, 0], np.rot90(x.valid[i, 0].numpy(), turns))


def test_flips_exchange_sides() -> None:
    x = Input(torch.rand(2, 3, 4, 6))
    spec = InputSpec("image", 3, (4, 6))
    np.testing.assert_array_equal(transform_of("horizontal_flip", spec).change(x).values, x.values.numpy()[..., ::-1])
    np.testing.assert_array_equal(transform_of("vertical_flip", spec).change(x).values, x.values.numpy()[..., ::-1, :])


def test_time_reversal_keeps_the_padding_at_the_end() -> None:
    x = ragged(5, 8, 1)
    back = transform_of("time_reversal", WAVE).change(x)
    assert x.valid is not None
    torch.testing.assert_close(back.valid, x.valid)
    for i, length in enumerate((5, 8, 1)):
        np.testing.assert_array_equal(back.values[i, :, :length], x.values[i, :, :length].numpy()[:, ::-1])
        assert bool((back.values[i, :, length:] == 9).all())
    torch.testing.assert_close(transform_of("time_reversal", WAVE).change(back).values, x.values)


def test_polarity_of_signals_and_of_pictures() -> None:
    x = ragged(3, 5)
    valid = x.with_valid().expand_as(x.values)
    opposite = transform_of("polarity", WAVE).change(x).values
    torch.testing.assert_close(opposite[valid], -x.values[valid])
    assert bool((opposite[~valid] == 9).all())
    picture = Input(torch.rand(2, 1, 4, 4))
    torch.testing.assert_close(transform_of("polarity", PICTURE).change(picture).values, 1 - picture.values)


def test_pitch_up_is_the_signal_played_four_semitones_higher() -> None:
    x = ragged(60, 90, 1)
    faster = transform_of("pitch_up", WAVE).change(x)
    for i, length in enumerate((60, 90, 1)):
        at = np.arange(length) * 2 ** (4 / 12)
        at = at[at <= length - 1]
        assert faster.valid is not None
        assert int(faster.valid[i].sum()) == len(at)
        for channel in range(2):
            expected = np.interp(at, np.arange(length), x.values[i, channel, :length].double().numpy())
            np.testing.assert_allclose(faster.values[i, channel, : len(at)], expected, atol=1e-6)
        assert bool((faster.values[i, :, len(at) :] == 9).all())


@pytest.mark.parametrize(
    ("name", "takes", "reason"),
    [
        ("rotate_90", InputSpec("image", 3, (4, 6)), "sides 4 × 6: it takes square pictures"),
        ("rotate_90", WAVE, "kind 'wave' with sides any: it takes pictures of one size"),
        ("rotate_180", InputSpec("mel", 1, (80, None)), "sides 80 × any"),
        ("vertical_flip", WAVE, "it takes pictures of one size"),
        ("pitch_up", InputSpec("wave", 1, (400,)), "it takes signals whose length may differ"),
        ("polarity", InputSpec("text", 1, (None,), "int64"), "it takes signals"),
    ],
)
def test_what_does_not_fit_the_input_is_refused(name: str, takes: InputSpec, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        transform_of(name, takes)


def test_half_a_turn_fits_any_rectangle() -> None:
    assert transform_of("rotate_180", InputSpec("image", 3, (4, 6))).name == "rotate_180"


def test_a_transform_of_a_plugin_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_KNOWN", dict(catalogue._KNOWN))
    louder = Transform("louder", lambda x: x)
    register_transform(louder)
    register_transform(louder)
    assert "louder" in transforms()
    assert transform_of("louder", WAVE) is louder
    with pytest.raises(UsageError, match="there is a transform 'louder' already"):
        register_transform(Transform("louder", lambda x: x))
    with pytest.raises(UsageError, match="there is no transform 'loud'"):
        transform_of("loud", WAVE)
