"""Two-way random-effects analysis: groups and seeds are both samples of more groups and more seeds.

The number of group g with seed s is d[s, g] = mean + group effect + seed effect + noise. Groups and seeds are crossed:
every seed is measured on every group. The variance of the grand mean then comes from both, and an interval that
knows only one of them is too narrow (S. R. Searle, G. Casella, C. E. McCulloch, "Variance Components", 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["RandomEffects", "expected_effects", "random_effects"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class RandomEffects:
    """Standard error of the mean over groups and seeds. All arrays have the leading axes of the data.

    Attributes:
        error: Standard error, the root of V; 0 where all numbers are equal.
        freedom: Degrees of freedom by Satterthwaite; NaN where ``error`` is 0.
        seed_share: Estimated share of V that comes from the seeds, 0 … 1; NaN where ``error`` is 0.
    """

    error: Numbers
    freedom: Numbers
    seed_share: Numbers

    def reach(self, level: float = 0.95) -> Numbers:
        """Half the width of the two-sided interval of this level; NaN where the error is 0."""
        return np.asarray(stats.t.ppf(0.5 + level / 2, self.freedom) * self.error)

    def p_value(self, mean: float | Numbers) -> Numbers:
        """Two-sided p-value of a mean against 0, never 0; NaN where the error is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2.0 * stats.t.sf(np.abs(mean) / self.error, self.freedom)
        return np.asarray(np.maximum(p, np.finfo(np.float64).tiny))

    def detectable(self, power: float = 0.8, level: float = 0.95) -> Numbers:
        """Smallest true mean that is found with this power: ``(t_.975 + t_.8)`` standard errors.

        H. S. Bloom, "Minimum detectable effects", Evaluation Review 19(5), 1995.
        """
        reach = stats.t.ppf(0.5 + level / 2, self.freedom) + stats.t.ppf(power, self.freedom)
        return np.asarray(reach * self.error)


def random_effects(numbers: Numbers, *, rounding: float | Numbers = 0.0) -> RandomEffects:
    """Standard error and degrees of freedom of the mean of ``d[s, g]``.

    With the mean squares of groups, seeds and remainder MS_g, MS_s, MS_e of the two-way table,
    ``V' = max(MS_g + MS_s − MS_e, MS_g, MS_s)`` and ``V = V' / (G·S)``. The two further terms of the maximum keep V
    from falling below what groups or seeds alone would give when MS_e, an estimate too, comes out large. Degrees of
    freedom: ``V'² / (MS_g²/(G−1) + MS_s²/(S−1) + MS_e²/((G−1)(S−1)))`` (F. E. Satterthwaite, Biometrics Bulletin 2(6),
    1946).

    Args:
        numbers: float64 ``[..., S, G]``.
        rounding: A standard error up to this counts as 0, so that rounding errors of equal numbers make no variance.

    Raises:
        ValueError: With fewer than two groups or two seeds.
    """
    seeds, groups = numbers.shape[-2:]
    return _from_squares(*_mean_squares(numbers), seeds, groups, rounding)


def expected_effects(numbers: Numbers, seeds: int, groups: int) -> RandomEffects:
    """The standard error to expect of a study of another size, from the variances that a pilot shows.

    The variances of groups, seeds and remainder are (MS_g − MS_e)/S, (MS_s − MS_e)/G and MS_e of the pilot, none below
    0; with them come the mean squares that a study of this size has on average.

    Args:
        numbers: float64 ``[..., S, G]`` of the pilot. With two seeds, the variance of the seeds is a rough guess.
        seeds: Seeds of the study.
        groups: Groups of the study.

    Raises:
        ValueError: With fewer than two groups or two seeds, in the pilot or in the study.
    """
    before, of = numbers.shape[-2:]
    ms_g, ms_s, ms_e = _mean_squares(numbers)
    by_group, by_seed = np.maximum(ms_g - ms_e, 0.0) / before, np.maximum(ms_s - ms_e, 0.0) / of
    return _from_squares(ms_e + seeds * by_group, ms_e + groups * by_seed, ms_e, seeds, groups, 0.0)


def _mean_squares(numbers: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Mean squares of groups, seeds and remainder."""
    seeds, groups = numbers.shape[-2:]
    if seeds < 2 or groups < 2:
        raise ValueError(f"{seeds} seeds and {groups} groups have no variance of their own")
    mean = numbers.mean(axis=(-2, -1), keepdims=True)
    by_group = numbers.mean(axis=-2, keepdims=True) - mean
    by_seed = numbers.mean(axis=-1, keepdims=True) - mean
    remainder = numbers - mean - by_group - by_seed
    ms_g = seeds * np.square(by_group).sum(axis=(-2, -1)) / (groups - 1)
    ms_s = groups * np.square(by_seed).sum(axis=(-2, -1)) / (seeds - 1)
    ms_e = np.square(remainder).sum(axis=(-2, -1)) / ((groups - 1) * (seeds - 1))
    return ms_g, ms_s, ms_e


def _from_squares(
    ms_g: Numbers, ms_s: Numbers, ms_e: Numbers, seeds: int, groups: int, rounding: float | Numbers
) -> RandomEffects:
    if seeds < 2 or groups < 2:
        raise ValueError(f"{seeds} seeds and {groups} groups have no variance of their own")
    scaled = np.maximum(ms_g + ms_s - ms_e, np.maximum(ms_g, ms_s))
    error = np.sqrt(scaled / (groups * seeds))
    error = np.where(error <= rounding, 0.0, error)
    with np.errstate(divide="ignore", invalid="ignore"):
        # In units of V', so that squares of very small or very large numbers stay finite.
        g, s, e = (np.where(error > 0, one / scaled, np.nan) for one in (ms_g, ms_s, ms_e))
    freedom = 1.0 / (g**2 / (groups - 1) + s**2 / (seeds - 1) + e**2 / ((groups - 1) * (seeds - 1)))
    return RandomEffects(error, freedom, np.maximum(s - e, 0.0))
