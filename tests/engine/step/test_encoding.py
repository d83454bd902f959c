"""Stored rows through an encoder: workers and batch size change nothing, and the encoder is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import small_run
from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine.step.encoding import encode_rows, pooled
from ssl_domains.inputs import Input
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, InputDataset, Scaling

CPU = torch.device("cpu")
ROWS = small_run.PATIENTS * small_run.EACH


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> InputDataset:
    folder = tmp_path_factory.mktemp("encoding")
    table = small_run.make_table(folder)
    store = ArrayStore.fill(folder / "store", table, small_run.NpyReader())
    return InputDataset(table, store, ImagePreprocess(Scaling().fit(table, store), Canvas(small_run.SIZE), 1))


@pytest.fixture
def encoder() -> Encoder:
    """With running statistics other than those of the start."""
    made = create_encoder("small_conv", 1, seed=3)
    made.train()
    made(torch.rand(16, 1, small_run.SIZE, small_run.SIZE, generator=torch.Generator().manual_seed(0)))
    return made


def _all(encoder: Encoder, dataset: InputDataset, **options: object) -> Tensor:
    return torch.cat([part for _, part in encode_rows(encoder, dataset, pooled, device=CPU, **options)])  # type: ignore[arg-type]


def test_rows_are_those_of_the_encoder_one_by_one(encoder: Encoder, dataset: InputDataset) -> None:
    found = _all(encoder, dataset, batch_size=7)
    encoder.eval()
    with torch.no_grad():
        each = [encoder(dataset[row]["input"].values.float() / 255).pooled for row in range(ROWS)]
    torch.testing.assert_close(found, torch.cat(each), rtol=1e-5, atol=1e-6)
    assert found.dtype == torch.float32
    assert not found.requires_grad


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_neither_workers_nor_batch_size_change_it(
    workers: int, batch_size: int, encoder: Encoder, dataset: InputDataset
) -> None:
    expected = _all(encoder, dataset, batch_size=batch_size)
    found = _all(encoder, dataset, batch_size=batch_size, workers=workers)
    assert torch.equal(found, expected)
    torch.testing.assert_close(found, _all(encoder, dataset, batch_size=13), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_come_in_the_order_in_which_they_are_named(workers: int, encoder: Encoder, dataset: InputDataset) -> None:
    rows = torch.tensor([31, 2, 2, 17, 0, 39, 5])
    whole = _all(encoder, dataset)
    parts = list(encode_rows(encoder, dataset, pooled, device=CPU, rows=rows, batch_size=3, workers=workers))
    assert [(part.start, part.stop) for part, _ in parts] == [(0, 3), (3, 6), (6, 7)]
    torch.testing.assert_close(torch.cat([found for _, found in parts]), whole[rows], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_encoder_is_left_as_it_was(training: bool, encoder: Encoder, dataset: InputDataset) -> None:
    encoder.train(training)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    modes: list[bool] = []

    def read(one: Encoder, rows: Input) -> int:
        modes.append(one.training or torch.is_grad_enabled())
        return len(one(rows.values, rows.valid).pooled)

    state = torch.get_rng_state()
    assert sum(count for _, count in encode_rows(encoder, dataset, read, device=CPU, batch_size=16)) == ROWS
    assert torch.equal(torch.get_rng_state(), state)
    assert modes == [False] * 3
    assert encoder.training is training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_the_mode_is_restored_after_an_error_and_when_one_stops_early(encoder: Encoder, dataset: InputDataset) -> None:
    def broken(one: Encoder, rows: Input) -> None:
        raise RuntimeError("broken")

    encoder.train()
    with pytest.raises(RuntimeError, match="broken"):
        list(encode_rows(encoder, dataset, broken, device=CPU))
    assert encoder.training
    early = encode_rows(encoder, dataset, pooled, device=CPU, batch_size=4)
    next(early)
    early.close()  # type: ignore[attr-defined]
    assert encoder.training


def test_nothing_is_nothing_and_progress_counts_rows(encoder: Encoder, dataset: InputDataset) -> None:
    assert list(encode_rows(encoder, dataset, pooled, device=CPU, rows=torch.zeros(0, dtype=torch.int64))) == []
    told: list[tuple[int, int]] = []
    for _ in encode_rows(encoder, dataset, pooled, device=CPU, batch_size=15, progress=lambda *at: told.append(at)):
        pass
    assert told == [(15, ROWS), (30, ROWS), (40, ROWS)]
