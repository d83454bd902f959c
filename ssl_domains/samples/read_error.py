"""The error of a file or a row that can't be read."""

__all__ = ["ReadError"]


class ReadError(Exception):
    """A file or a row can't be read; the message is shown to the user as the cause in ``problems``."""
