"""The declaration of an encoder: its name, and where its factory is."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ssl_domains.errors import PluginError

if TYPE_CHECKING:
    from ssl_domains.encoders import Encoder
    from ssl_domains.inputs import InputSpec

__all__ = ["EncoderEntry"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class EncoderEntry:
    """An encoder, as the hook ``ssl_domains_encoders`` returns it.

    Attributes:
        name: Name of the encoder, for ``--encoder``.
        summary: One line for lists.
        factory: ``module:function``, imported when the encoder is built. ``function(takes, init)`` gets the `InputSpec`
            of the input and ``"random"`` or ``"pretrained"``, draws random weights from torch's global generator, which
            is seeded for it, and returns an `Encoder`.

    Raises:
        ValueError: For a name with a colon or blanks, or a factory of another form.
    """

    name: str
    summary: str
    factory: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"an encoder's name is letters, digits and _ . + -, not {self.name!r}")
        if not _FACTORY.fullmatch(self.factory):
            raise ValueError(f"encoder {self.name!r}: factory is 'module:function', not {self.factory!r}")

    def build(self, takes: InputSpec, init: str = "random") -> Encoder:
        """Import the factory and call it.

        Raises:
            PluginError: When the factory can't be imported or returns something else than an encoder. What it raises
                itself goes through.
        """
        from ssl_domains.encoders import Encoder

        module, _, function = self.factory.partition(":")
        try:
            factory: Any = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError) as error:
            cause = f"encoder {self.name!r} can't be imported: {type(error).__name__}: {error}"
            raise PluginError(cause, "ssl-domains plugins list") from error
        encoder = factory(takes, init)
        if not isinstance(encoder, Encoder):
            raise PluginError(
                f"the factory of encoder {self.name!r} returned {type(encoder).__name__} instead of an Encoder",
                "see ssl_domains.encoders.Encoder",
            )
        return encoder
