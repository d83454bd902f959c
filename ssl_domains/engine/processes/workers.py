"""Data workers: their signals, and their errors as they were raised instead of as the text of a traceback."""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, Dataset, get_worker_info

from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error

__all__ = ["GuardedDataset", "loaded", "settle_worker"]


@dataclass(frozen=True)
class _Failure:
    """An error of a worker process, on its way to the process that trains.

    Attributes:
        error: The exception.
        trace: Its traceback as text, for ``--debug``.
    """

    error: Exception
    trace: str

    def raised(self) -> Exception:
        """The exception, with the traceback of the worker as a note."""
        self.error.add_note(f"In a data worker:\n{self.trace}")
        return self.error


class GuardedDataset(Dataset[Any]):
    """A dataset that hands an error over as a batch when it is raised in a worker process; `loaded` raises it again.

    torch would make a new exception of the same class, whose message is a whole traceback and which has lost its hint.

    Args:
        dataset: Gives a batch by ``__getitems__``.
    """

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitems__(self, indices: Any) -> Any:
        if get_worker_info() is None:
            return self.dataset.__getitems__(indices)  # type: ignore[attr-defined]
        try:
            return self.dataset.__getitems__(indices)  # type: ignore[attr-defined]
        except Exception as error:
            return _Failure(_sendable(error), traceback.format_exc())


def loaded(loader: DataLoader[Any]) -> Iterator[Any]:
    """The batches of a loader over a `GuardedDataset`.

    Raises:
        Exception: The error of the dataset, as it was raised in the worker.
        ResourceError: When a worker was killed, or the disk or the memory is full.
    """
    batches = iter(loader)
    while True:
        with exhaustion_as_resource_error():
            batch = next(batches, None)
            if isinstance(batch, _Failure):
                raise batch.raised()
        if batch is None:
            return
        yield batch


def settle_worker(worker: int) -> None:
    """The ``worker_init_fn`` of a loader: leave Ctrl-C and SIGTERM to the process that trains.

    A terminal or a batch system sends them to all processes of a group. A worker that died of them would end the
    training before it can save. A second SIGTERM ends the worker: it comes from its own parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.signal(number, signal.SIG_DFL))


def _sendable(error: Exception) -> Exception:
    """The error, or one with its text: some classes can't be pickled, or need arguments that they don't keep."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
