"""Damage to text files: numbers, words, lines, nesting and encodings."""

from __future__ import annotations

import re
from random import Random

__all__ = [
    "ENCODINGS", "TEXT", "VALUES", "deep_nesting", "doubled_line", "exchanged_values", "giant_number", "long_line",
    "other_encoding", "removed_line", "stray_bytes", "wrong_value",
]  # fmt: skip

VALUES = (
    "", "null", "None", "true", "False", "nan", "-inf", "1e999", "-1", "0", "1e-320", "-0.0", "9" * 400, "0x10",
    "1_000",
    "1,5", "٣", "½", "2020-13-45", "[]", "{}", '""', "'", '"', ";", "\t", "#", "%s", "{0}", "../../etc/passwd", "/",
    "\\",
    "a" * 10_000, "é", "\u202e", "\U0001f600", "\0",
)  # fmt: skip
"""Texts that stand in the place of a value."""

ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "gb2312", "cp1252", "utf-7")

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(rb"[\w.+-]+")


def giant_number(data: bytes, rng: Random) -> bytes:
    """A number becomes one that is too large, too small, or of 400 digits."""
    start, end = _match(_NUMBER, data, rng)
    number = rng.choice((b"9" * 400, b"-" + b"9" * 400, b"1e999", b"-1e308", b"1e308", b"2147483648",
                         b"9223372036854775808",
                         b"18446744073709551616", b"-1", b"0", b"1e-320", b"0.1", b"1000000"))  # fmt: skip
    return data[:start] + number + data[end:]


def wrong_value(data: bytes, rng: Random) -> bytes:
    """A word or number becomes a value of another type, or text that means something elsewhere."""
    start, end = _match(_WORD, data, rng)
    return data[:start] + rng.choice(VALUES).encode() + data[end:]


def exchanged_values(data: bytes, rng: Random) -> bytes:
    """Two words or numbers change places."""
    found = [match.span() for match in _WORD.finditer(data)]
    if len(found) < 2:
        raise ValueError
    (a, b), (c, d) = sorted(rng.sample(found, 2))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def doubled_line(data: bytes, rng: Random) -> bytes:
    """A line stands there twice, or 300 times."""
    lines = _lines(data)
    place = rng.randrange(len(lines))
    return b"".join([*lines[:place], *[lines[place]] * rng.choice((2, 2, 300)), *lines[place + 1 :]])


def removed_line(data: bytes, rng: Random) -> bytes:
    """A line is left out."""
    lines = _lines(data)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def long_line(data: bytes, rng: Random) -> bytes:
    """All line ends are gone, or one line is a million characters long."""
    if rng.random() < 0.3:
        return data.replace(b"\n", b" ")
    lines = _lines(data)
    lines.insert(rng.randrange(len(lines)), rng.choice((b"x", b"1,", b"0.5 ", b'"', b"[")) * 250_000 + b"\n")
    return b"".join(lines)


def deep_nesting(data: bytes, rng: Random) -> bytes:
    """Brackets, or tags, nested thousands of times, in the place of a value or at the beginning."""
    depth = rng.choice((50, 1_500, 100_000))
    opened, closed = rng.choice(
        ((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"{a = ", b"}"), (b"- ", b""), (b"(", b")"))
    )
    nested = opened * depth + b"1" + closed * rng.choice((depth, depth, 0))
    if rng.random() < 0.3:
        return nested + data
    start, end = _match(_WORD, data, rng)
    return data[:start] + nested + data[end:]


def other_encoding(data: bytes, rng: Random) -> bytes:
    """The text in another encoding, or with other line ends; sometimes with letters that are not ASCII."""
    text = data.decode("utf-8", "surrogateescape")
    if rng.random() < 0.5:
        start, end = _match(_WORD, data, rng)
        text = (data[:start] + "größe狗é".encode() + data[end:]).decode("utf-8", "surrogateescape")
    if rng.random() < 0.2:
        text = text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\u2028")))
    return text.encode(rng.choice(ENCODINGS), "replace")


def stray_bytes(data: bytes, rng: Random) -> bytes:
    """Bytes that are not UTF-8, NUL, or control characters within the text."""
    place = rng.randint(0, len(data))
    stray = rng.choice((b"\0", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\x1a", b"\x1b[2J", b"\xef\xbb\xbf", b"\r"))
    return data[:place] + stray + data[place:]


def _lines(data: bytes) -> list[bytes]:
    lines = data.splitlines(keepends=True)
    if not lines:
        raise ValueError
    return lines


def _match(pattern: re.Pattern[bytes], data: bytes, rng: Random) -> tuple[int, int]:
    found = [match.span() for match in pattern.finditer(data)]
    if not found:
        raise ValueError
    return rng.choice(found)


TEXT = (
    giant_number, wrong_value, exchanged_values, doubled_line, removed_line, long_line, deep_nesting, other_encoding,
    stray_bytes,
)  # fmt: skip
