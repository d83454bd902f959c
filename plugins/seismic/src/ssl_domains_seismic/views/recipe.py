"""The recipe of the domain: which views fit the samples of a table, each with its reason."""

from __future__ import annotations

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import SampleTable
from ssl_domains.views import HorizontalFlip, RandomResizedCrop, Rotate, VerticalFlip, ViewRecipe, ViewStep
from ssl_domains_seismic.views.amplitude_scale import AmplitudeScale
from ssl_domains_seismic.views.dip import Dip
from ssl_domains_seismic.views.polarity import Polarity
from ssl_domains_seismic.views.relative_noise import RelativeNoise
from ssl_domains_seismic.views.row_interval import SPAN, row_intervals_ms
from ssl_domains_seismic.views.section_crop import section_crop
from ssl_domains_seismic.views.spectral_band import SpectralBand
from ssl_domains_seismic.views.time_shift import TimeShift
from ssl_domains_seismic.views.trace_dropout import TraceDropout

__all__ = ["EXTRA", "recipe"]

EXTRA = ("polarity",)
"""Views that are used only when ``views.extra`` names them."""

_TOLERANCE = 1e-3  # of the interval: intervals that differ by less are one
_MOVED = "start times and static shifts move a whole section in time"
_SHIFT = 0.1  # of the height of a picture, by which sections are moved in time


def recipe(request: RecipeRequest) -> ViewRecipe:
    """The usual views. Which they are follows from the column ``along`` of the table.

    - Sections (along inline or crossline; also a table without the column): time is downwards. They are shifted in
      time, tilted, filtered along time, and mirrored along the line only. Frequencies are in Hz where the rows of all
      pictures are known to be 2 to 8 ms apart; else they are fractions of the Nyquist frequency. Where these intervals
      differ, as in a table of surveys of 2 and of 4 ms, the interval of a sample follows from its ``span_ms``, and
      shifts are in ms.
    - Time slices (along depth): no side is time. They are rotated by any angle and mirrored both ways. The rotation is
      one of bins; it isn't exactly one on the ground where inlines and crosslines aren't equally far apart.
    - Both kinds in one table: only the views that hold for either.

    No hue, as a picture has no colours. No change of polarity unless it is asked for: the sign of a reflection is part
    of its meaning.

    With ``request.crop``, a view shows a crop of a sample, see `SectionCrop`.

    Raises:
        UsageError: When a view is asked for that this domain doesn't have, or crops that don't fit the samples.
    """
    for name in request.extra:
        if name not in EXTRA:
            raise UsageError(f"the seismic domain has no view {name!r}", did_you_mean(name, EXTRA))
    size = request.size if request.spec is None else int(request.spec.space[0] or 0)
    sections, slices = _kinds(request.table)
    if sections and slices:
        steps = _for_both()
    else:
        steps = _for_slices() if slices else _for_sections(_intervals(request.table, size, request.crop), size)
    if "polarity" in request.extra:
        steps.append(Polarity(reason="asked for: files of both polarity conventions are trained together"))
    crop = None if request.crop is None else section_crop(request.table, request.crop)
    return ViewRecipe(tuple(steps), size, request.views, crop=crop)


def _kinds(table: SampleTable) -> tuple[bool, bool]:
    """Whether there are sections, and whether there are time slices."""
    if "along" not in table.columns or not len(table):
        return True, False
    slices = table.frame["along"].eq_missing("depth")
    return not slices.all(), bool(slices.any())


def _intervals(table: SampleTable, size: int, crop: int | None) -> tuple[float, float] | None:
    """Least and greatest time between rows in ms, where the frequencies below in Hz fit both.

    High-resolution surveys, which are sampled more finely, have higher frequencies; rows that are farther apart can't
    show these ones.
    """
    intervals = row_intervals_ms(table, size, crop)
    return intervals if intervals is not None and intervals[0] >= 2 and intervals[1] <= 8 else None


def _for_sections(intervals: tuple[float, float] | None, size: int) -> list[ViewStep]:
    """The steps of sections.

    Args:
        intervals: Least and greatest time between two rows of a picture, ms; None to count in fractions.
        size: Side of the pictures in pixels.
    """
    interval_ms: float | None = None
    span: str | None = None
    shift = TimeShift(reason=_MOVED)
    if intervals is not None and intervals[1] - intervals[0] <= _TOLERANCE * intervals[0]:
        interval_ms = intervals[0]
    elif intervals is not None:
        span, most = SPAN, _SHIFT * intervals[0] * size
        shift = TimeShift(ms=(-most, most), span=SPAN, reason=_MOVED)
    in_hz = intervals is not None
    return [
        # First, so that later steps treat dropped traces as they treat the holes of a survey.
        TraceDropout(reason="dead traces and holes differ between surveys; the rock under them doesn't"),
        SpectralBand(
            low=(0.0, 8.0) if in_hz else (0.0, 0.06), high=(45.0, 100.0) if in_hz else (0.4, 1.0),
            interval_ms=interval_ms, span=span, reason="the frequency band differs between surveys and with depth",
        ),
        shift,
        Dip(reason="the same layers dip a little more or less elsewhere"),
        _crop("time and trace of a feature shift"),
        HorizontalFlip(reason="a line may be walked in either direction"),
        _scale(),
        RelativeNoise(
            band=(5.0, 75.0) if in_hz else (0.04, 0.6), interval_ms=interval_ms, span=span,
            reason="noise differs with acquisition and fold; processing leaves that in the band of the signal",
        ),
    ]  # fmt: skip


def _for_slices() -> list[ViewStep]:
    return [
        Rotate(degrees=(-180.0, 180.0), reason="the direction of the lines is chosen, it isn't geology"),
        _crop("a feature shifts on the map"),
        HorizontalFlip(reason="crosslines may be counted in either direction"),
        VerticalFlip(reason="inlines may be counted in either direction"),
        _scale(),
        RelativeNoise(reason="noise differs with acquisition and fold"),
    ]


def _for_both() -> list[ViewStep]:
    return [
        _crop("a feature shifts in its section or on the map"),
        HorizontalFlip(reason="a line may be walked, and crosslines counted, in either direction"),
        _scale(),
        RelativeNoise(reason="noise differs with acquisition and fold"),
    ]


def _crop(reason: str) -> RandomResizedCrop:
    return RandomResizedCrop(scale=(0.5, 1.0), reason=f"{reason}; half of a patch is kept, as facies are textures")


def _scale() -> AmplitudeScale:
    return AmplitudeScale(reason="amplitude scale differs between surveys and with depth; zero stays zero")
