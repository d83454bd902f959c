"""Methods that do for a batch what another method does for one: not used where a subclass has changed the latter."""

from __future__ import annotations

__all__ = ["does_many"]


def does_many(thing: object, many: str, *single: str) -> bool:
    """Whether an object's method for a batch can stand for its methods for one.

    A class may inherit the method for a batch and override the one for a single item, which then counts alone.

    Args:
        thing: The object.
        many: Name of the method for a batch.
        *single: Names of the methods that do the same for one item.
    """
    for kind in type(thing).__mro__:
        if many in vars(kind):
            return True
        if any(name in vars(kind) for name in single):
            return False
    return False
