"""Turn errors of a full disk or memory, which torch raises in many forms, into one-line errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ssl_domains.errors import SslDomainsError, exhausted

__all__ = ["exhaustion_as_resource_error"]

_AGAIN = "run again, with --resume if the run has a checkpoint"  # the first refresh precedes the first checkpoint


@contextmanager
def exhaustion_as_resource_error() -> Iterator[None]:
    """Turn a full disk, a GPU or machine out of memory, and a killed data worker into `ResourceError`."""
    try:
        yield
    except SslDomainsError:
        raise
    except Exception as error:
        known = exhausted(error, _AGAIN)
        if known is None:
            raise
        raise known from error
