"""What a method plugin declares: a name, its paper and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.encoders import Encoder
    from ssl_domains.methods import Method

__all__ = ["MethodEntry"]


@dataclass(frozen=True)
class MethodEntry:
    """A method, as the hook ``ssl_domains_methods`` hands it over.

    Attributes:
        name: What ``--method`` takes.
        summary: One line for lists.
        paper: Authors, year and title.
        factory: Builds the method from an encoder and the resolved options of the configuration; imports what is heavy.
    """

    name: str
    summary: str
    paper: str
    factory: Callable[[Encoder, Mapping[str, Any]], Method]
