"""Protocol of the builder of a method: the method's class, or an object with data that no configuration can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from ssl_domains.encoders import Encoder
from ssl_domains.methods.method import Method
from ssl_domains.methods.view_plan import ViewPlan

__all__ = ["MethodSource"]


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
