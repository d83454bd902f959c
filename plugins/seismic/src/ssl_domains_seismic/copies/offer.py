"""When a scan offers a depth-major copy: slices or cubes of surveys that are together larger than memory."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from ssl_domains.quantities import data_size, plural
from ssl_domains.samples import current_session
from ssl_domains_seismic.copies.copy_file import copy_place
from ssl_domains_seismic.copies.write import copy_bytes
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.sampling import Sampling
from ssl_domains_seismic.survey import open_survey

__all__ = ["copy_beside_table", "offers"]

_MOST_SECTIONS = 8  # of a sample; with more it has about as many traces as a time slice


def copy_beside_table(survey: Path, sampling: Sampling) -> str | None:
    """Where a copy is looked for: beside the table that the scan under way writes, for samples that it would serve."""
    session = current_session()
    if session is None or session.folder is None or not _reads_across(sampling):
        return None
    return copy_place(session.folder.resolve(), survey)


def offers(surveys: Mapping[Path, Reading], sampling: Sampling) -> list[str]:
    """The sentence that offers copies, with their size and the command; none where they would not help.

    Args:
        surveys: The SEG-Y files of the table that the scan under way writes, and how they are read.
        sampling: How they are sampled.
    """
    session, memory = current_session(), physical_memory()
    if session is None or session.table is None or memory is None or not _reads_across(sampling):
        return []
    if sum(path.stat().st_size for path in surveys) <= memory:
        return []
    volumes = [open_survey(path, reading).volume for path, reading in surveys.items()]
    missing = [volume for volume in volumes if volume.copy is None]
    if not missing:
        return []
    size = data_size(sum(copy_bytes(volume.shape, volume.dtype) for volume in missing))
    what = "slices and cubes" if sampling.channels > 1 else "time slices"
    command = f"ssl-domains seismic copy {shlex.quote(str(session.table))}"
    return [
        f"{what} of {plural(len(missing), 'survey')}, larger than memory, lie on many pages of the files; a "
        f"depth-major copy beside the table, {size}, holds them on few: {command}"
    ]


def physical_memory() -> int | None:
    """Bytes of the machine's memory; None where the system doesn't say it."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _reads_across(sampling: Sampling) -> bool:
    """Whether samples are time slices or cubes, which lie on many traces."""
    return "depth" in sampling.along or sampling.channels > _MOST_SECTIONS
