"""Out of disk or memory: one line, whatever torch calls it."""

from __future__ import annotations

import errno

import pytest
import torch

from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.errors import ResourceError


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        MemoryError(),
        OSError(errno.ENOSPC, "No space left on device", "metrics.jsonl"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("DataLoader worker (pid 12) is killed by signal: Killed. "),
        RuntimeError("DataLoader worker (pid(s) 12, 13) exited unexpectedly"),
        RuntimeError("DataLoader worker (pid 12) is killed by signal: Bus error. Possible shared memory shortage"),
    ],
)
def test_it_is_a_resource_error_with_a_hint(error: BaseException) -> None:
    with pytest.raises(ResourceError) as caught, exhaustion_as_resource_error():
        raise error
    assert caught.value.exit_code == 5
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "No such file"), RuntimeError("shape mismatch"), KeyError("x")]
)
def test_everything_else_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, exhaustion_as_resource_error():
        raise error
    assert caught.value is error


def test_the_hint_holds_before_the_first_checkpoint_too() -> None:
    with pytest.raises(ResourceError) as caught, exhaustion_as_resource_error():
        raise OSError(errno.ENOSPC, "No space left on device", "refresh.f32")
    assert caught.value.hint == "free some space and run again, with --resume if the run has a checkpoint"
