"""Pair samplers of the fisheye domain: objects of one region of the lens, of one class, of both, and their mixtures."""

from __future__ import annotations

from collections.abc import Callable

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import PairSampler
from ssl_domains.pairs import Bins, bins

__all__ = ["REGIONS", "SAMPLERS", "alpha_mix", "class_region", "region", "region_keys"]

# What divides the lens into regions: n rings, sectors directions. The columns are those of regions.py.
REGIONS: dict[str, Callable[[int, int], tuple[Bins, ...]]] = {
    "radius": lambda n, sectors: (bins("radius_norm", n),),
    "radius_px": lambda n, sectors: (bins("radius", n),),
    "theta": lambda n, sectors: (bins("theta", n),),
    "distortion": lambda n, sectors: (bins("distortion", n),),
    "quantile": lambda n, sectors: (bins("radius_norm", n, by="quantile"),),
    "sector": lambda n, sectors: (bins("radius_norm", n), _directions(sectors)),
}


def _directions(sectors: int) -> Bins:
    """Sectors of φ that start half a sector below 0, a quarter where their number is odd.

    Straight right (0) and straight left (180) are then as far as can be from every border, so that neighbouring objects
    at the height of the centre are not split.
    """
    start = -180 / sectors if sectors % 2 == 0 else -90 / sectors
    return bins("phi", sectors, range=(start, start + 360), wrap=True)


def region_keys(by: str, n: int, sectors: int = 4) -> tuple[Bins, ...]:
    """The keys of a partition of the lens, for `same`.

    Args:
        by: ``radius`` or ``radius_px`` (rings of equal width; of the normalised radius, which suits images of several
            sizes, or of pixels), ``theta`` (of equal angle), ``distortion`` (of equal squeezing), ``quantile`` (rings
            that hold equally many objects) or ``sector`` (rings × directions; none has a border straight left or
            right of the centre).
        n: How many rings.
        sectors: How many directions; read by ``sector`` alone.

    Raises:
        UsageError: For an unknown partition, or fewer than one ring.
    """
    if by not in REGIONS:
        raise UsageError(f"unknown partition of the lens by={by!r}", did_you_mean(str(by), REGIONS))
    for name, count in (("n", n), ("sectors", sectors)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise UsageError(f"{name}={count!r} is no number of regions", "use a whole number from 1")
    return REGIONS[by](n, sectors)


def region(by: str = "radius", n: int = 3, sectors: int = 4) -> str:
    """Positives lie in one region of the lens; no label is read."""
    return f"same({', '.join(map(str, region_keys(by, n, sectors)))})"


def class_region(by: str = "radius", n: int = 3, sectors: int = 4) -> str:
    """Positives share class and region: supervised contrastive."""
    return f"same('class', {', '.join(map(str, region_keys(by, n, sectors)))})"


def alpha_mix(alpha: float = 0.7, reading: str = "region", by: str = "radius", n: int = 3, sectors: int = 4) -> str:
    """α L_class + (1−α) L_region, or with ``reading="class_region"`` α L_class + (1−α) L_RegionClass.

    Kokilepersaud et al. 2023, *Exploiting the Distortion-Semantic Interaction in Fisheye Data*; supervised contrastive.
    The ends, which a sweep over α includes, are the rules of other samplers: α = 1 is ``class``; α = 0 is ``region``,
    or ``class_region`` with that reading.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 <= alpha <= 1:
        raise UsageError(
            f"alpha={alpha!r} mixes nothing",
            "use a number from 0 to 1; alpha=1 is the pairs of 'class', alpha=0 those of 'region' or 'class_region'",
        )
    if reading not in ("region", "class_region"):
        raise UsageError(f"unknown reading={reading!r}", did_you_mean(str(reading), ("region", "class_region")))
    second = region(by, n, sectors) if reading == "region" else class_region(by, n, sectors)
    if alpha in (0, 1):
        return second if alpha == 0 else "same('class')"
    return f"{float(alpha)!r}*same('class') + {round(1.0 - alpha, 12)!r}*{second}"


SAMPLERS = (
    PairSampler("region", "fisheye", "positives share a region of the lens", region),
    PairSampler("class", "fisheye", "positives share the class (reads the label)", "same('class')"),
    PairSampler("class_region", "fisheye", "positives share class and region (reads the label)", class_region),
    PairSampler("alpha_mix", "fisheye", "α·class + (1−α)·region, both readings (reads the label)", alpha_mix),
)
