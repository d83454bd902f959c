"""Documents and queries: ``python -m benchmarks text``.

`step` times a training step against the trainer of sentence-transformers, `caching` a batch of 4,096 pairs through
gradient caching, `search` BM25 and the refresh of mined negatives, and `memory` scan and embedding of a large
collection. `peer` is the side of sentence-transformers, `runs` ours, `files` the made-up collection. `words` times word
vectors against gensim, by a command of its own: ``python -m benchmarks.text.words``.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Sizes", "run"]


def __getattr__(name: str) -> Any:
    """Imported at first use, so that a process which measures one part loads no more than that."""
    if name in __all__:
        from benchmarks.text import command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
