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

    ``encoder, preprocess = ssl_domains.load(RUN)``, then ``encoder(preprocess(array)[None]).pooled`` is ``[1, F]``.

    Args:
        run: The run folder.

    Returns:
        The encoder in eval mode, and a callable from ``[H, W, C]`` in native type and unit to ``[C, S, S]``.

    Raises:
        UsageError: When there is no such run, or it has no checkpoint.
        DataError: When the checkpoint can't be read.
    """
    from ssl_domains.engine import Run

    opened = Run.open(Path(run))
    return opened.encoder().eval(), opened.preprocess
