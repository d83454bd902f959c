"""Turn errors of a full disk or memory, which torch raises in many forms, into one-line errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ssl_domains.errors import ResourceError

__all__ = ["exhaustion_as_resource_error"]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_AGAIN = "run again, with --resume if the run has a checkpoint"  # the first refresh precedes the first checkpoint
_LESS_MEMORY = "use a smaller train.batch_size, views.size or encoder; data.cache_gb and data.workers cost memory too"


@contextmanager
def exhaustion_as_resource_error() -> Iterator[None]:
    """Turn a full disk, a GPU or machine out of memory, and a killed data worker into `ResourceError`."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ResourceError("the GPU is out of memory", _LESS_MEMORY) from error
    except MemoryError as error:
        raise ResourceError("the machine is out of memory", _LESS_MEMORY) from error
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        where = f" at {error.filename}" if error.filename else ""
        raise ResourceError(f"the disk is full{where}: {error.strerror}", f"free some space and {_AGAIN}") from error
    except RuntimeError as error:
        text = str(error)
        if "DefaultCPUAllocator" in text or "not enough memory" in text:
            raise ResourceError("the machine is out of memory", _LESS_MEMORY) from error
        if "DataLoader worker" in text and ("killed by signal" in text or "exited unexpectedly" in text):
            cause = "a data worker was killed, most often because (shared) memory ran out"
            raise ResourceError(cause, f"use fewer data.workers or a smaller train.batch_size, and {_AGAIN}") from error
        raise
