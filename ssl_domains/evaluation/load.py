"""Load the encoder and the preprocessing of a run folder for use in other code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl_domains.encoders import Encoder
    from ssl_domains.views import Preprocess

__all__ = ["load"]


def load(run: str | Path) -> tuple[Encoder, Preprocess]:
    """Load the frozen encoder of a run and its preprocessing.

    ``encoder, preprocess = ssl_domains.load(RUN)``, then ``x = preprocess(array)`` is an input of one sample, and
    ``encoder(x.values, x.valid).pooled`` is ``[1, F]``.

    Args:
        run: The run folder.

    Returns:
        The encoder in eval mode, and the preprocess: from an array as the reader gives it, in native type and unit, to
        an `Input`.

    Raises:
        UsageError: When there is no such run, or it has no checkpoint.
        DataError: When the checkpoint can't be read.
    """
    from ssl_domains.engine import Run

    opened = Run.open(Path(run))
    return opened.encoder().eval(), opened.preprocess
