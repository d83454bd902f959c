"""Damage to XML: tags, entities and nesting."""

from __future__ import annotations

import re
from random import Random

from fuzzing.mutations.text import VALUES

__all__ = ["XML", "entity_bomb", "exchanged_tags", "removed_tag", "tag_text"]

_TAG = re.compile(rb"</?[\w:.-]+[^<>]*>")
_TEXT = re.compile(rb">([^<>]*)<")


def tag_text(data: bytes, rng: Random) -> bytes:
    """The text of a tag becomes another value."""
    found = [match.span(1) for match in _TEXT.finditer(data)]
    if not found:
        raise ValueError
    start, end = rng.choice(found)
    return data[:start] + rng.choice(VALUES).encode() + data[end:]


def removed_tag(data: bytes, rng: Random) -> bytes:
    """A tag is left out, or stands there many times."""
    start, end = rng.choice(_tags(data))
    return data[:start] + data[start:end] * rng.choice((0, 0, 2, 3000)) + data[end:]


def exchanged_tags(data: bytes, rng: Random) -> bytes:
    """Two tags change places."""
    (a, b), (c, d) = sorted(rng.sample(_tags(data), 2))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def entity_bomb(data: bytes, rng: Random) -> bytes:
    """Entities that refer to each other and expand to gigabytes, or to a file of the machine."""
    lines = [b'<!ENTITY e0 "lol">', *(b'<!ENTITY e%d "%s">' % (i, b"&e%d;" % (i - 1) * 10) for i in range(1, 10))]
    external = b'<!ENTITY e9 SYSTEM "file:///etc/hostname">'
    head = b"<!DOCTYPE a [" + rng.choice((b"".join(lines), external)) + b"]>"
    found = [match.span(1) for match in _TEXT.finditer(data)]
    if not found:
        raise ValueError
    start, end = rng.choice(found)
    return head + data[:start] + b"&e9;" + data[end:]


def _tags(data: bytes) -> list[tuple[int, int]]:
    found = [match.span() for match in _TAG.finditer(data)]
    if len(found) < 2:
        raise ValueError
    return found


XML = (*(tag_text,) * 5, removed_tag, removed_tag, exchanged_tags, entity_bomb)
