"""Data workers: an error comes as it was raised, a killed worker is out of memory, signals are left to the parent."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from torch.utils.data import DataLoader, Dataset

from ssl_domains.engine.processes.workers import GuardedDataset, loaded, settle_worker
from ssl_domains.errors import ResourceError, SslDomainsError, UsageError


class OfTwoError(Exception):
    """Can't be made again from its arguments, as pickle does."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class Numbers(Dataset[Any]):
    def __init__(self, happens: Any) -> None:
        self.happens = happens

    def __len__(self) -> int:
        return 6

    def __getitems__(self, indices: list[int]) -> list[int]:
        if 3 in indices:
            self.happens()
        return indices


def batches(happens: Any, workers: int = 1) -> list[list[int]]:
    loader: DataLoader[Any] = DataLoader(
        GuardedDataset(Numbers(happens)), batch_size=2, num_workers=workers, collate_fn=list,
        worker_init_fn=settle_worker,
    )  # fmt: skip
    return list(loaded(loader))


def raising(error: Exception) -> Any:
    def happens() -> None:
        raise error

    return happens


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("error", [UsageError("a", "b"), ValueError("of its own"), MemoryError(), OfTwoError("x", "y")])
def test_an_error_is_the_one_that_was_raised(error: Exception, workers: int) -> None:
    expected = ResourceError if isinstance(error, MemoryError) else type(error)
    if isinstance(error, OfTwoError) and workers:
        expected = RuntimeError
    with pytest.raises(expected) as caught:
        batches(raising(error), workers)
    if isinstance(error, SslDomainsError):
        assert isinstance(caught.value, UsageError)
        assert (caught.value.message, caught.value.hint) == ("a", "b")
    elif not isinstance(error, MemoryError):
        assert str(error) in str(caught.value)
        assert "Traceback" not in str(caught.value)
        assert bool(getattr(caught.value, "__notes__", [])) == bool(workers), "--debug shows where it was raised"


def test_a_killed_worker_is_out_of_memory() -> None:
    with pytest.raises(ResourceError, match="a data worker was killed"):
        batches(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_signals_of_the_group_do_not_end_a_worker() -> None:
    def happens() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    assert batches(happens) == [[0, 1], [2, 3], [4, 5]]
