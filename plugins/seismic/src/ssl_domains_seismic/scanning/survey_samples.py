"""The places and samples of a survey, from its file or from the files of its stacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ssl_domains.samples import ReadError, Region, Unreadable, read_guarded
from ssl_domains_seismic.patches import Cut, patches_of
from ssl_domains_seismic.places import Places, places_of_array, places_of_survey
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.sampling import Sampling
from ssl_domains_seismic.stacks import Stacks, common_places, difference
from ssl_domains_seismic.survey import open_survey

__all__ = ["npy_volume", "survey_samples"]


def survey_samples(
    group: Stacks, names: Mapping[Path, str], of_file: Mapping[Path, Reading], sampling: Sampling
) -> tuple[Places, Cut] | str:
    """The places and samples of a survey, or the sentence that says why it has none.

    Args:
        group: The files of its stacks.
        names: Name of each file, for the sentence.
        of_file: How the headers of each file are read.
        sampling: How samples are cut out.
    """
    of_stack: dict[str, Places] = {}
    for file in group.files:
        one = read_guarded(lambda file=file: _places(file, of_file[file]), file)  # type: ignore[misc]
        if isinstance(one, Unreadable):
            return one.cause
        of_stack[names[file]] = one
    differing = difference(of_stack)
    if differing is not None:
        return differing
    places = common_places(of_stack)
    cut = read_guarded(lambda: patches_of(places, sampling), group.files[0])
    return cut.cause if isinstance(cut, Unreadable) else (places, cut)


def _places(path: Path, reading: Reading) -> Places:
    if path.suffix.lower() == ".npy":
        region = npy_volume(str(path))
        return places_of_array(region.shape, region.dtype)
    return places_of_survey(open_survey(path, reading))


def npy_volume(path: str) -> Region:
    """A ``.npy`` volume ``[inline, crossline, sample]``, not yet read.

    Raises:
        ReadError: When the file holds no volume.
    """
    region = Region.npy(path)
    if len(region.shape) != 3 or 0 in region.shape:
        sides = " × ".join(map(str, region.shape)) or "one number"
        raise ReadError(f"the .npy file holds {sides}, not a volume of inline × crossline × depth")
    return region
