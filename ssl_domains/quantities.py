"""Numbers of things in words, for messages and notes."""

from __future__ import annotations

__all__ = ["data_size", "plural"]


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


def data_size(size: float) -> str:
    """Bytes in the unit that fits, with three digits: ``"512 B"``, ``"1.5 kB"``, ``"23.4 MB"``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}" if size < 100 else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
