"""A recurrent encoder and SeqCLR give on a GPU what they give on a CPU."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from ssl_domains.encoders import create_encoder
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import RowPairs
from ssl_domains.methods.seqclr import SeqCLR
from ssl_domains.pairs import Objective, Rows

DEVICE = "cuda"
OPTIONS = {
    "hidden": 32,
    "out": 16,
    "layers": 2,
    "norm": "batch",
    "temperature": 0.2,
    "learnable_temperature": False,
    "windows": 5,
}
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def views() -> Views:
    """Two views of lines of 200, 64 and 7 pixels, padded with NaN."""
    draws = torch.Generator().manual_seed(0)
    made = []
    for _ in range(2):
        lines = [torch.rand(1, 1, 32, width, generator=draws) for width in (200, 64, 7)]
        joined = Input.cat([Input(line, kind="line", ragged=(1,)) for line in lines])
        values = torch.where(joined.with_valid(), joined.values, torch.nan)
        made.append(View(Input(values, joined.with_valid(), "line", (1,))))
    return Views(tuple(made))


def step(mapping: str, device: str) -> tuple[float, Tensor, dict[str, Tensor]]:
    """Loss, embeddings and gradients of one step, in float32."""
    torch.manual_seed(0)
    made = SeqCLR.build(create_encoder("small_crnn", seed=1), {**OPTIONS, "mapping": mapping}).to(device).train()
    out = made.embed(Views(tuple(View(view.input.to(device)) for view in views().each)))
    assert out.of is not None
    assert out.part is not None
    of, part = out.of.cpu(), out.part.cpu()
    rows = Rows(of % 3, of // 3, part, of * 1000 + part)
    bound = Objective().bind({"sample": ["a", "b", "c"]})
    loss = made.loss(out, RowPairs(bound, rows, rows, torch.device(device))).loss
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: one.grad.cpu() for name, one in made.named_parameters() if one.grad is not None}
    assert len(gradients) == len(list(made.parameters()))
    return float(loss.detach()), out.z.detach().cpu(), gradients


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Convolutions without TF32, whose 10 bits would hide a mistake."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.mark.parametrize("mapping", ["frame", "window", "all"])
def test_a_step_on_the_gpu_is_that_on_the_cpu(mapping: str) -> None:
    loss, z, gradients = step(mapping, "cpu")
    loss_there, z_there, gradients_there = step(mapping, DEVICE)
    assert loss_there == pytest.approx(loss, rel=1e-4)
    torch.testing.assert_close(z_there, z, rtol=1e-3, atol=1e-4)
    largest = max(float(one.abs().max()) for one in gradients.values())
    for name, one in gradients.items():
        assert float((gradients_there[name] - one).abs().max()) < 1e-3 * largest, name


def test_padding_changes_nothing_on_the_gpu_and_bfloat16_is_near() -> None:
    encoder = create_encoder("small_crnn", seed=1).to(DEVICE).eval()
    rows = views().together.to(DEVICE)
    with torch.no_grad():
        exact = encoder(rows.values, rows.valid)
        for row, width in enumerate((200, 64, 7)):
            alone = encoder(rows.values[row : row + 1, ..., :width])
            torch.testing.assert_close(exact.pooled[row], alone.pooled[0], rtol=1e-4, atol=1e-5)
        with torch.autocast(DEVICE, torch.bfloat16):
            near = encoder(rows.values, rows.valid)
    assert float(torch.cosine_similarity(exact.pooled, near.pooled.float()).min()) > 0.99


def test_a_momentum_copy_runs_without_a_warning() -> None:
    encoder = create_encoder("small_crnn", seed=1)
    slow = copy.deepcopy(encoder).requires_grad_(False).to(DEVICE)
    rows = views().together.to(DEVICE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # cuDNN warns of weights that don't lie in one piece of memory
        slow(rows.values, rows.valid)
