"""Numbers as text. An undefined number is a dash."""

from __future__ import annotations

import math

from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec, StudyResult

__all__ = [
    "contrast_name",
    "difference",
    "duration",
    "interval",
    "kept_sentence",
    "number",
    "p_value",
    "percent",
    "setting",
]


def number(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "–" if value is None or not math.isfinite(value) else _minus(f"{value:.3f}")


def difference(value: float | None) -> str:
    """Three decimals with a sign, or a dash."""
    return "–" if value is None or not math.isfinite(value) else _minus(f"{value:+.3f}")


def interval(low: float, high: float, *, sign: bool = False) -> str:
    """Both ends on one line, or a dash when there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    shown = difference if sign else number
    return f"{shown(low)}\u00a0to\u00a0{shown(high)}"


def p_value(p: float | None) -> str:
    """Three decimals, ``< 0.001`` below that, or a dash."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(fraction: float) -> str:
    """A fraction in percent; the space before the sign does not break."""
    return f"{100 * fraction:.3g}\u00a0%"


def duration(seconds: float) -> str:
    """Hours and minutes, or seconds."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def contrast_name(spec: ContrastSpec) -> str:
    """``a − b``."""
    return f"{spec.a} − {spec.b}"


def kept_sentence(result: StudyResult) -> str:
    """What the marks of the figure of label and nuisance are."""
    return (
        f"Each mark is an arm with an encoder: {result.label} on held-out groups with every label (mean over seeds and "
        f"its interval), over {result.kept_beside} by the nuisance probe (mean over folds, first seed)."
    )


def setting(chosen: ArmResult) -> str:
    """The chosen grid point, or a dash."""
    return ", ".join(f"{key} {_short(value)}" for key, value in chosen.chosen.items()) or "–"


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _minus(text: str) -> str:
    return text.replace("-", "−")
