"""The processes of a run under ``torchrun``: joining them, collective operations, and shared failures.

All processes plan the same global batches; each trains on its slice. The first process alone writes, prints and fills
stores. When a process fails, it sends its error to the others at the next collective operation, so that all end with
one error instead of waiting for ever.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ssl_domains import errors
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.errors import ResourceError, SslDomainsError, UsageError

__all__ = ["World", "launched_processes", "local_rank", "processes"]

T = TypeVar("T")

# Processes may wait long, such as while the first fills a store. A process that dies closes its connections at once.
_PATIENCE = timedelta(days=30)


def launched_processes() -> int:
    """Number of processes that ``torchrun`` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Number of this process on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))


class World:
    """The processes of a run. By default this process alone; then every method returns at once.

    Args:
        rank: Number of this process, from 0.
        size: Number of processes.
        meeting: The process group (gloo) for Python objects and errors; None for one process.

    Attributes:
        agreed: Whether all processes know of the same error, or of Ctrl-C, that ends the run.
    """

    def __init__(self, rank: int = 0, size: int = 1, meeting: dist.ProcessGroup | None = None) -> None:
        self.rank = rank
        self.size = size
        self.agreed = False
        self._in_step = False
        self._meeting = meeting

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Sum over all processes, without gradient; with one process, the values themselves."""
        if self.size == 1:
            return values
        values = values.detach().clone()
        dist.all_reduce(values)
        return values

    def everywhere(self, values: Tensor) -> Tensor:
        """Tensors ``[m, …]`` of all processes, equal in shape, concatenated to ``[size · m, …]``, without gradient."""
        if self.size == 1:
            return values
        values = values.detach().contiguous()
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return torch.cat(parts)

    def like_first(self, tensors: Iterator[Tensor]) -> None:
        """Overwrite the tensors with those of the first process, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def parallel(self, module: nn.Module) -> nn.Module | None:
        """DistributedDataParallel around a module; None for one process.

        Buffers are not broadcast in every step: they are equal in every process, or no gradient depends on them.
        """
        if self.size == 1:
            return None
        with warnings.catch_warnings():
            # Newer versions of torch renamed this argument; older ones know only this name.
            warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
            return DistributedDataParallel(module, broadcast_buffers=False)

    def collect(self, value: T) -> list[T]:
        """A small picklable value of each process, in the order of ranks."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value, group=self._meeting)
        return values

    def from_first(self, make: Callable[[], T]) -> T:
        """Call ``make`` in the first process and return its value in all processes.

        Raises:
            SslDomainsError: The error of ``make``, in all processes.
        """
        box: list[T | None] = [None]
        with self.together():
            if self.first:
                box[0] = make()
        if self.size > 1:
            dist.broadcast_object_list(box, src=0, group=self._meeting)
        return box[0]  # type: ignore[return-value]

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block after which all processes fail when one has failed in it.

        No collective operation may be called inside the block.

        Raises:
            SslDomainsError: The error of this process, or else of the failed process with the lowest rank.
        """
        if self.size == 1:
            yield
            return
        try:
            with exhaustion_as_resource_error():
                yield
        except BaseException as error:
            self._exchange(error)
            raise
        self._raise_first(self._exchange(None))

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """A block that the first process runs before all others; failures are shared as in `together`."""
        if self.size == 1:
            yield
        elif self.first:
            with self.together():
                yield
            self._raise_first(self._exchange(None))
        else:
            self._raise_first(self._exchange(None))
            with self.together():
                yield

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is true in any process."""
        if self.size == 1:
            return flag
        state = torch.tensor(int(flag))
        dist.all_reduce(state, op=dist.ReduceOp.MAX, group=self._meeting)
        return bool(state)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A training step. The processes exchange tensors in it, so that an error can't be sent to the others."""
        self._in_step = True
        yield
        self._in_step = False

    def send_error(self, error: BaseException) -> None:
        """Send the error that ends this process to the others; not when they know it, or are in a training step."""
        if self.size > 1 and not self.agreed and not self._in_step:
            self._exchange(error)

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            dist.barrier(group=self._meeting)

    def _exchange(self, error: BaseException | None) -> list[tuple[int, tuple[str, str, str]]]:
        """Send the error of this process, if any; returns (rank, packed error) of all failed processes."""
        if not self.any(error is not None):
            return []
        errors_of = self.collect(None if error is None else _packed(error))
        failures = [(rank, words) for rank, words in enumerate(errors_of) if words is not None]
        self.agreed = True
        return failures

    def _raise_first(self, failures: list[tuple[int, tuple[str, str, str]]]) -> None:
        if failures:
            raise _unpacked(*failures[0])


_current: World | None = None


@contextmanager
def processes() -> Iterator[World]:
    """Join the processes that ``torchrun`` started for the block; without ``torchrun``, this process alone.

    A process group that is already initialised is used, and not destroyed afterwards.

    Raises:
        UsageError: When the processes can't connect to each other.
        ResourceError: When the connection to one of them is lost.
    """
    global _current
    if _current is not None:
        yield _current
        return
    joins = not (dist.is_available() and dist.is_initialized())
    if joins:
        if launched_processes() == 1:
            yield World()
            return
        _join()
    meeting: Any = dist.new_group(backend="gloo", timeout=_PATIENCE)
    world = _current = World(dist.get_rank(), dist.get_world_size(), meeting)
    try:
        with _lost_connection_as_error():
            yield world
    except BaseException as error:
        world.send_error(error)
        raise
    else:
        if joins:
            # Only after success: after a failure the others may have ended, and this would wait for them.
            dist.destroy_process_group()
        else:
            dist.destroy_process_group(meeting)
    finally:
        _current = None


def _join() -> None:
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(local_rank() % torch.cuda.device_count())
    try:
        dist.init_process_group(backend)
    except (ValueError, RuntimeError) as error:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"the processes can't find one another: {cause}", "start them with torchrun") from error


@contextmanager
def _lost_connection_as_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if any(sign in text for sign in ("onnection closed by peer", "onnection reset by peer", "Broken pipe")):
            raise ResourceError(
                "another process of this run has ended",
                "its own output says why; --resume goes on with the last checkpoint",
            ) from error
        raise


def _packed(error: BaseException) -> tuple[str, str, str]:
    if isinstance(error, SslDomainsError):
        kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == errors.__name__)
        return kind, error.message, error.hint
    return type(error).__name__, str(error), ""


def _unpacked(rank: int, words: tuple[str, str, str]) -> BaseException:
    kind, message, hint = words
    if kind == KeyboardInterrupt.__name__:
        return KeyboardInterrupt()
    # An error of the first process is usually the same in all: it is not marked with a rank.
    who = f"process {rank}: " if rank else ""
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, SslDomainsError):
        return known(f"{who}{message}", hint)
    return RuntimeError(f"{who}{kind}: {message}")
