"""The encoding of text files as people's programs write them: Unicode, Chinese or Western European."""

from __future__ import annotations

import codecs

__all__ = ["decoded"]

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD_BYTES = 1 << 16
_SAMPLE_BYTES = 1 << 20  # beyond ASCII; more of them would say the same


def decoded(content: bytes) -> tuple[str, str | None]:
    """The text of some bytes without a byte order mark, and its encoding where that is not UTF-8.

    Bytes that are no UTF-8 are UTF-16 where they begin with its mark or most of every other byte is zero; GB 18030
    where most of their pairs are common Chinese characters; else Windows-1252, of which Latin-1 is the part without the
    bytes 80 to 9F.

    Example:
        >>> decoded("汽车".encode("gbk"))
        ('汽车', 'GB 18030')
        >>> decoded("Fußgänger".encode("latin-1"))
        ('Fußgänger', 'Latin-1')
    """
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace"), "UTF-16"
    if wide := _wide(content):
        return content.decode(wide, "replace"), "UTF-16"
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        pass
    if _is_chinese(content):
        return content.decode("gb18030", "replace"), "GB 18030"
    try:
        windows, latin = content.decode("cp1252"), content.decode("latin-1")
    except UnicodeDecodeError:
        return content.decode("latin-1"), "Latin-1"
    return windows, "Latin-1" if windows == latin else "Windows-1252"


def _wide(content: bytes) -> str | None:
    """The kind of UTF-16 without a mark, whose Latin letters have a zero as every other byte; None for other text."""
    head = content[:_HEAD_BYTES]
    zeros = head[1::2].count(0), head[0::2].count(0)
    for count, encoding in zip(zeros, ("utf-16-le", "utf-16-be"), strict=True):
        if len(head) >= 4 and count > 0.6 * len(head) / 2:
            return encoding
    return None


def _is_chinese(content: bytes) -> bool:
    """Whether most bytes beyond ASCII form pairs of the 3,755 common characters of GB 2312 (first byte B0 to D7)."""
    common = other = i = 0
    while i < len(content) and common + other < _SAMPLE_BYTES:
        byte = content[i]
        if byte < 0x80:
            i += 1
            continue
        following = content[i + 1] if i + 1 < len(content) else 0
        if 0xB0 <= byte <= 0xD7 and following >= 0xA1:
            common += 1
        else:
            other += 1
        i += 2 if following >= 0x80 else 1
    return common > other
