"""An arm of a demonstration: one way of training that its table compares."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Arm"]


@dataclass(frozen=True)
class Arm:
    """One arm of a demonstration.

    Attributes:
        name: Name of its run folders.
        about: Description in the table.
        options: Options of ``pretrain``; ``{seed}`` is replaced by the seed.
    """

    name: str
    about: str
    options: tuple[str, ...]
