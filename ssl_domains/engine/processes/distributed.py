"""The processes that train one run: how they find one another, and how they stay together.

Every process does the same with the same global batches and differs in its slice of them. What only one may do
(writing, printing, filling a store) the first does. A process that fails tells the others when they next meet, so that
all of them end with one error instead of waiting for ever.
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

# The others wait for as long as the first decodes an archive; a process that dies closes its connections at once.
_PATIENCE = timedelta(days=30)


def launched_processes() -> int:
    """How many processes ``torchrun`` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Which process of this machine this one is, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))


class World:
    """The processes of a run; by default this one alone, for which every method is nearly free.

    Args:
        rank: Which process this is, from 0.
        size: How many there are.
        meeting: The group in which they exchange words instead of tensors.

    Attributes:
        agreed: Whether all processes know that they end before the run does, and why.
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
        """The sum over all processes, without gradient; on one, the values themselves."""
        if self.size == 1:
            return values
        values = values.detach().clone()
        dist.all_reduce(values)
        return values

    def everywhere(self, values: Tensor) -> Tensor:
        """``[m, …]`` of each process, equal in shape, one below the other: ``[size · m, …]``, without gradient."""
        if self.size == 1:
            return values
        values = values.detach().contiguous()
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return torch.cat(parts)

    def like_first(self, tensors: Iterator[Tensor]) -> None:
        """Overwrite the tensors by those of the first process."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def parallel(self, module: nn.Module) -> nn.Module | None:
        """DistributedDataParallel around a module; None for one process.

        Buffers are not sent around in every step: they come to the same in every process, or train nothing.
        """
        if self.size == 1:
            return None
        with warnings.catch_warnings():
            # Newer versions of torch have another name for it, which older ones don't know.
            warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
            return DistributedDataParallel(module, broadcast_buffers=False)

    def collect(self, value: T) -> list[T]:
        """A small picklable value of each process, in their order."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value, group=self._meeting)
        return found

    def from_first(self, make: Callable[[], T]) -> T:
        """What the first process makes, for all; where it fails, all fail.

        Raises:
            SslDomainsError: What ``make`` raised.
        """
        made: list[T | None] = [None]
        with self.together():
            if self.first:
                made[0] = make()
        if self.size > 1:
            dist.broadcast_object_list(made, src=0, group=self._meeting)
        return made[0]  # type: ignore[return-value]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What one process fails at inside, all fail at when it ends. Inside, the processes must not meet.

        Raises:
            SslDomainsError: The own error, else that of the first process that has one.
        """
        if self.size == 1:
            yield
            return
        try:
            with exhaustion_as_resource_error():
                yield
        except BaseException as error:
            self._meet(error)
            raise
        self._hear(self._meet(None))

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """The first process goes ahead, the others follow when it is done; failures are shared as in `together`."""
        if self.size == 1:
            yield
        elif self.first:
            with self.together():
                yield
            self._hear(self._meet(None))
        else:
            self._hear(self._meet(None))
            with self.together():
                yield

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        if self.size == 1:
            return flag
        state = torch.tensor(int(flag))
        dist.all_reduce(state, op=dist.ReduceOp.MAX, group=self._meeting)
        return bool(state)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A training step, in which the others exchange tensors and hear no words: a failure here is one's own."""
        self._in_step = True
        yield
        self._in_step = False

    def last_words(self, error: BaseException) -> None:
        """Tell the others of an error that ends this process, unless they know or can't hear."""
        if self.size > 1 and not self.agreed and not self._in_step:
            self._meet(error)

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            dist.barrier(group=self._meeting)

    def _meet(self, error: BaseException | None) -> list[tuple[int, tuple[str, str, str]]]:
        if not self.any(error is not None):
            return []
        told = self.collect(None if error is None else _packed(error))
        failures = [(rank, words) for rank, words in enumerate(told) if words is not None]
        self.agreed = True
        return failures

    def _hear(self, failures: list[tuple[int, tuple[str, str, str]]]) -> None:
        if failures:
            raise _unpacked(*failures[0])


_current: World | None = None


@contextmanager
def processes() -> Iterator[World]:
    """The processes that ``torchrun`` started, joined while the context lasts; or this one alone.

    A group that somebody else has initialised is used and left as it is.

    Raises:
        UsageError: When they can't find one another.
        ResourceError: When contact with one of them is lost.
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
        with _lost_contact_in_words():
            yield world
    except BaseException as error:
        world.last_words(error)
        raise
    else:
        if joins:
            # After a failure the others may be gone, and leaving would wait for them.
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
def _lost_contact_in_words() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if any(sign in text for sign in ("onnection closed by peer", "onnection reset by peer", "Broken pipe")):
            raise ResourceError(
                "another process of this run has ended", "it says itself why; --resume goes on with the last checkpoint"
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
    # What the first process says needs no name: it speaks for all.
    who = f"process {rank}: " if rank else ""
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, SslDomainsError):
        return known(f"{who}{message}", hint)
    return RuntimeError(f"{who}{kind}: {message}")
