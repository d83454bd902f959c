"""Two numbers of an option, such as ``1-13``."""

from __future__ import annotations

import re

from ssl_domains.errors import UsageError

__all__ = ["span"]

_SPAN = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)


def span(text: str, option: str) -> tuple[int, int]:
    """First and last of ``"1-13"``; ``"5"`` is 5 to 5.

    Args:
        text: What was given.
        option: Name of the option, for the message.

    Raises:
        UsageError: For another form.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--{option} {text!r} is no range of numbers", f"--{option} 1-13")
    return int(match[1]), int(match[2] or match[1])
