"""Text files as people's programs write them: UTF-8 with or without a mark, UTF-16, Chinese or Western European."""

from __future__ import annotations

import codecs
from pathlib import Path

from ssl_domains.samples import ReadError

__all__ = ["decoded", "read_text"]

_LARGEST = 256 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, largest: int = _LARGEST) -> tuple[str, str | None]:
    """The text of a file, and its encoding where that is not UTF-8.

    Raises:
        ReadError: When the file has more than ``largest`` bytes.
        OSError: When it can't be read.
    """
    size = path.stat().st_size
    if size > largest:
        raise ReadError(f"the text file has {size / 1e6:,.0f} MB, more than {largest / 1e6:,.0f} MB")
    return decoded(path.read_bytes())


def decoded(content: bytes) -> tuple[str, str | None]:
    """The text of some bytes, and its encoding where that is not UTF-8.

    Bytes that are no UTF-8 are taken as GB 18030 when most of their pairs are common Chinese characters, else as
    Latin-1, which any bytes are.

    Example:
        >>> decoded("汽车".encode("gbk"))
        ('汽车', 'GB 18030')
        >>> decoded("Fußgänger".encode("latin-1"))
        ('Fußgänger', 'Latin-1')
    """
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace"), "UTF-16"
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        pass
    if _is_chinese(content):
        return content.decode("gb18030", "replace"), "GB 18030"
    return content.decode("latin-1"), "Latin-1"


def _is_chinese(content: bytes) -> bool:
    """Whether most bytes beyond ASCII form pairs of the 3,755 common characters of GB 2312 (first byte B0 to D7)."""
    common = other = i = 0
    while i < len(content):
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
