"""IBM numbers, and samples that contradict the format code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.ibm import decode_ibm
from ssl_domains_seismic.segy.layout import read_layout
from ssl_domains_seismic.segy.number_type import number_type
from ssl_domains_seismic.survey import examine

from .conftest import ibm_words, smooth

Make = Callable[..., Path]

KNOWN = {
    0x00000000: 0.0,
    0x42640000: 100.0,
    0xC276A000: -118.625,  # the example of the definition of the format
    0x41100000: 1.0,
    0x42064000: 6.25,  # not normalised
    0x40000001: 2.0**-24,
    0x7F000000: 0.0,  # zero, whatever the exponent
    0x7FFFFFFF: np.inf,  # too large for float32
    0x60100000: 2.0**124,
    0x61010000: 2.0**124,  # the same, not normalised
    0x20100000: 2.0**-132,
}


def test_known_ibm_numbers() -> None:
    for chosen in ([*KNOWN], [word for word in KNOWN if word >> 24 & 0x7F < 0x60]):
        decoded = decode_ibm(np.array(chosen, dtype=np.uint32))
        assert decoded.dtype == np.float32
        assert decoded.tolist() == [KNOWN[word] for word in chosen]


def test_ibm_numbers_are_exact_by_the_definition() -> None:
    rng = np.random.default_rng(0)
    fractions = rng.integers(0, 2**24, 5000)
    powers, signs = rng.integers(40, 90, 5000), rng.integers(0, 2, 5000)
    words = (signs << 31 | powers << 24 | fractions).astype(np.uint32)
    exact = (-1.0) ** signs * fractions / 2**24 * 16.0 ** (powers - 64)
    np.testing.assert_array_equal(decode_ibm(words), exact.astype(np.float32))


def test_ieee_under_the_code_for_ibm_is_found(make: Make, cube: NDArray[Any]) -> None:
    path = make(cube, header_code=1)
    (refusal,) = examine(path, Reading()).refusals
    assert "fit IEEE better" in refusal
    assert "--samples-as ieee" in refusal
    survey = examine(path, Reading(samples_as="ieee"))
    assert survey.refusals == ()
    np.testing.assert_array_equal(survey.volume.read((slice(None),) * 3)[0], cube)
    assert examine(path, Reading(samples_as="ibm")).refusals == ()


def test_ibm_is_not_contradicted(make: Make, cube: NDArray[Any]) -> None:
    assert examine(make(cube, code=1), Reading()).refusals == ()


def test_ibm_that_is_not_normalised_is_not_contradicted(make: Make, cube: NDArray[Any]) -> None:
    """Every word has a zero digit, and the traces are smooth as IBM numbers."""
    words = ibm_words(cube)
    shifted = (words & 0xFF000000) + 0x01000000 | (words & 0x00FFFFFF) >> 4
    path = make(cube, code=1, stored=shifted.reshape(-1, 40).astype(np.uint32))
    signs = number_type(read_layout(path))
    assert signs is not None
    assert signs.zero_digits > 0.9
    survey = examine(path, Reading())
    assert survey.refusals == ()
    np.testing.assert_allclose(survey.volume.read((slice(None),) * 3)[0], cube, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", ["classes", "coherence"])
def test_the_code_for_ieee_is_never_contradicted(make: Make, kind: str) -> None:
    """Class volumes and coherence in [0, 1] may have no zero digit at all, and be read as IBM just as well."""
    field = smooth(6, 8, 40)
    values = (field > 0).astype(np.float32) if kind == "classes" else np.clip(np.abs(field) / 4000 + 0.75, 0, 1)
    assert examine(make(values.astype(np.float32)), Reading()).refusals == ()


def test_an_override_for_another_format_is_said(make: Make, cube: NDArray[Any]) -> None:
    survey = examine(make(np.rint(cube), code=3), Reading(samples_as="ieee"))
    assert "read by it" in survey.notes[0]
    np.testing.assert_array_equal(survey.volume.read((slice(None),) * 3)[0], np.rint(cube))


def test_no_sample_but_zeros(make: Make) -> None:
    assert examine(make(np.zeros((3, 3, 20), np.float32), code=1), Reading()).refusals == ()


def test_every_exponent_sign_and_fraction_is_decoded() -> None:
    """Pieces with exponents of float32's range alone are decoded in another way than those that leave it."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**32, size=3 * (1 << 15) + 7, dtype=np.uint32)
    words[: 1 << 15] = (words[: 1 << 15] & np.uint32(0x80FFFFFF)) | rng.integers(39, 97, 1 << 15, dtype=np.uint32) << 24
    words[: 1 << 15 : 5] = 0
    fraction, exponent = (words & 0xFFFFFF) / 2.0**24, ((words >> 24) & 127).astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        expected = (np.where(words >> 31, -1.0, 1.0) * fraction * 16.0 ** (exponent - 64)).astype(np.float32)
    decoded = decode_ibm(words)
    np.testing.assert_array_equal(decoded, expected)
    assert not np.signbit(decoded[words == 0]).any()
    np.testing.assert_array_equal(decode_ibm(words, words.view(np.float32)), expected)
