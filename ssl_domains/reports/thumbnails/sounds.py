"""Sounds of the samples that a page shows, as data URIs for its players: the page works from disk and stays small."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.quantities import plural
from ssl_domains.reports.sample_pictures import decoded
from ssl_domains.samples import Reader, SampleTable
from ssl_domains.stores import ArrayStore

__all__ = ["SampleSounds", "Sound", "sample_sounds", "shown_sounds"]

Sound = Callable[[NDArray[np.generic], Mapping[str, Any]], "bytes | None"]
"""``(array in native unit, row) -> bytes of a wav file``, or None for a row that can't be played; of a domain."""

_PAGE = 6 * 2**20  # most characters of all sounds of a page
_CLIP = 400_000  # most bytes of one sound


@dataclass(frozen=True)
class SampleSounds:
    """Sounds of samples, by position in the table.

    Attributes:
        uris: Position → ``data:audio/wav;base64,…``.
        remark: What was left out, as a sentence; empty if nothing was.
    """

    uris: Mapping[int, str] = field(default_factory=dict)
    remark: str = ""


def sample_sounds(
    table: SampleTable, rows: Iterable[int], store: ArrayStore, sound: Sound, *, most: int = _PAGE
) -> SampleSounds:
    """The sounds of some rows, the first ones first, until the page would become large.

    A sound that can't be made, or has more than 400 kB, is left out: the page shows its picture all the same.

    Args:
        table: The table.
        rows: Positions, in the order of the page, which holds a sound as often as its row is named.
        store: Arrays of these rows.
        sound: The domain's function.
        most: Largest number of characters of all sounds.
    """
    times = Counter(rows)
    distinct = list(times)
    some = table.take(distinct)
    arrays = store.of(some)
    uris: dict[int, str] = {}
    used = left_out = 0
    for place, row in enumerate(distinct):
        uri = _uri(sound, arrays, place, some)
        if uri is None:
            continue
        size = times[row] * len(uri)
        if used + size > most:
            left_out += 1
            continue
        uris[row] = uri
        used += size
    remark = f"{plural(left_out, 'sample')} without a player, to keep the page small" if left_out else ""
    return SampleSounds(uris, remark)


def shown_sounds(
    table: SampleTable, rows: Iterable[int], reader: Reader, store: ArrayStore | None, sound: Sound | None
) -> SampleSounds:
    """As `sample_sounds`, from a store that holds the rows, or else decoding them; none without a ``sound``."""
    rows = list(rows)
    if sound is None or not rows:
        return SampleSounds()
    with decoded(table, list(dict.fromkeys(rows)), reader, store) as (kept, arrays):
        held = set(kept)
        return sample_sounds(table, [row for row in rows if row in held], arrays, sound)


def _uri(sound: Sound, arrays: Any, place: int, table: SampleTable) -> str | None:
    if not arrays.decoded[place]:
        return None
    try:
        made = sound(arrays[place], table.frame.row(place, named=True))
    except Exception:  # code of a plugin: one failing sound must not stop the page
        return None
    if made is None or len(made) > _CLIP:
        return None
    return "data:audio/wav;base64," + base64.b64encode(made).decode()
