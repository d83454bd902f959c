"""Protocol of the builder of a method: the method's class, or an object with data that no configuration can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from ssl_domains.encoders import Encoder
from ssl_domains.methods.contract.method import Method
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["MethodSource", "needs_with"]


class MethodSource(Protocol):
    """Builds a method: the method's class, or an object with data that no configuration can hold, such as labels.

    Attributes:
        needs: See `Method.needs`.
        options: See `Method.options`.
    """

    @property
    def needs(self) -> ViewPlan: ...  # noqa: D102
    @property
    def options(self) -> type[BaseModel]: ...  # noqa: D102

    def build(self, encoder: Encoder, options: Mapping[str, Any]) -> Method:
        """See `Method.build`."""
        ...


def needs_with(source: MethodSource, options: Mapping[str, Any]) -> ViewPlan:
    """The needs of a method under some options, see `Method.needs_with`.

    Args:
        source: Builds the method. One without a function ``needs_with`` always needs the same.
        options: Values of its options by name; further names are passed over.
    """
    if not hasattr(source, "needs_with"):
        return source.needs
    needs: ViewPlan = source.needs_with({name: options[name] for name in source.options.model_fields})
    return needs
