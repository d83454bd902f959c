"""The kit accepts a preprocess that ends on the device, and names what a broken one breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from envelope_domain import ENVELOPES, EnvelopePreprocess
from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.testing import check_domain, check_finish
from ssl_domains.views import SignalPreprocess, finished, loaded_spec


def test_a_domain_with_settings_of_its_inputs_passes(tmp_path):
    assert len(check_domain(ENVELOPES, tmp_path)) == 36


def test_a_preprocess_without_finish_is_one_that_does_nothing_more():
    preprocess = SignalPreprocess(channels=2)
    x = Input(torch.zeros(1, 2, 5), kind="wave", ragged=(0,))
    assert finished(preprocess, x) is x
    assert loaded_spec(preprocess) == preprocess.spec


def test_a_finished_input_is_not_finished_again():
    preprocess = EnvelopePreprocess(4)
    once = finished(preprocess, _waves())
    assert finished(preprocess, once) is once


@dataclass(frozen=True)
class Odd(EnvelopePreprocess):
    """A preprocess with one fault."""

    fault: str = ""

    @property
    def spec(self) -> InputSpec:
        right = super().spec
        return replace(right, kind="wave") if self.fault == "kind" else right

    def finish(self, x: Input) -> Input:
        made = super().finish(x)
        if self.fault == "in place":
            x.values.mul_(2)
        if self.fault == "batch":
            return replace(made, values=made.values - made.values.mean())
        if self.fault == "padding":
            return replace(made, valid=torch.ones_like(made.with_valid()))
        if self.fault == "pad":
            return replace(made, pad=0.0)
        if self.fault == "infinite":
            return replace(made, values=made.values.log() * float("inf"))
        return made


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("kind", "have different kinds"),
        ("in place", "changes its input in place"),
        ("batch", "neither on padding nor on other samples"),
        ("padding", "the same sides alone"),
        ("infinite", "finite"),
    ],
)
def test_a_fault_is_named(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_finish(Odd(fault=fault), _waves())


def test_another_form_than_the_declared_one_is_an_error():
    with pytest.raises(DataError, match="pad 0"):
        finished(Odd(fault="pad"), _waves())


def test_the_right_one_passes():
    check_finish(EnvelopePreprocess(4), _waves())


def _waves() -> Any:
    draws = torch.Generator().manual_seed(0)
    valid = torch.arange(30)[None, None] < torch.tensor([30, 17, 9])[:, None, None]
    values = torch.randn(3, 2, 30, generator=draws).masked_fill(~valid, 0.0)
    return Input(values, valid, "wave", (0,))
