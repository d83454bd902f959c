"""A recogniser has on a GPU the loss, the gradients and the outputs that it has on a CPU."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from ssl_domains.encoders import create_encoder
from ssl_domains.finetuning import Task, TranscriptHead
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import Embeddings
from ssl_domains.probes.transcripts import Transcripts

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

TEXTS = ["ab", "aab", None, "abc" * 30]  # the last one does not fit its frames
WIDTHS = [2000, 1400, 900, 640]


class FakeRows:
    def __init__(self, sample: Tensor) -> None:
        self.rows, self.sample = self, sample


def step(device: str) -> tuple[float, list[Tensor], Tensor]:
    """Loss, gradients of the head and outputs of one batch."""
    encoder = create_encoder("conv1d", takes=InputSpec("wave", 1, (None,)), seed=1).to(device).eval()
    labels = Transcripts.of(TEXTS)
    torch.manual_seed(0)
    head = TranscriptHead(Task.of_labels(labels, "text"), encoder, labels)
    values = torch.randn(4, 1, max(WIDTHS))
    head = copy.deepcopy(head).to(device)
    valid = torch.arange(max(WIDTHS))[None, None] < torch.tensor(WIDTHS)[:, None, None]
    batch = Input(values.to(device), valid.to(device), "wave", (0,))
    out: Embeddings = head.embed(encoder, Views((View(batch),)))
    assert out.of is not None
    loss = head.loss(out, FakeRows(out.of.cpu()))  # type: ignore[arg-type]
    loss.loss.backward()  # type: ignore[no-untyped-call]
    assert [int(count) for count in loss.counts.values()] == [1]
    with torch.no_grad():
        outputs = head.outputs(encoder, batch).cpu()
    return loss.loss.item(), [one.grad.cpu() for one in head.parameters() if one.grad is not None], outputs


def test_a_step_of_a_recogniser_is_the_same_on_both_devices() -> None:
    (loss, gradients, outputs), (other, others, found) = step("cpu"), step("cuda")
    assert other == pytest.approx(loss, rel=1e-4)
    assert len(gradients) == 2
    for one, two in zip(gradients, others, strict=True):
        torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found, outputs, atol=1e-3, rtol=1e-3)
