"""Numbers of things in words, for messages and notes."""

from __future__ import annotations

__all__ = ["plural"]


def plural(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun, or with noun and verb, in the form that the number needs.

    Args:
        count: The number.
        one: The words after 1.
        several: The words after every other number; ``one`` with an s when not given.

    Example:
        >>> plural(1, "file"), plural(2000, "file"), plural(0, "box is", "boxes are")
        ('1 file', '2,000 files', '0 boxes are')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"
