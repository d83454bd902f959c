"""Damage to what is inside a zip archive, such as an XLSX file or a checkpoint."""

from __future__ import annotations

import io
import zipfile
from random import Random

from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.xml import XML

__all__ = ["ZIP", "zip_member"]


def zip_member(data: bytes, rng: Random) -> bytes:
    """A member of the archive is damaged, removed, or exchanged with another; the archive itself stays whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, zipfile.zlib.error) as error:
        raise ValueError from error
    if not members:
        raise ValueError
    place = rng.randrange(len(members))
    name, content = members[place]
    how = rng.random()
    if how < 0.1:
        del members[place]
    elif how < 0.2:
        other = rng.randrange(len(members))
        members[place], members[other] = (name, members[other][1]), (members[other][0], content)
    else:
        mutations = (*TEXT, *XML, *XML) if content[:1] == b"<" else RAW
        members[place] = (name, rng.choice(mutations)(content, rng))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED if rng.random() < 0.5 else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


ZIP = (*RAW, *(zip_member,) * 15)
