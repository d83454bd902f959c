"""Numbers and verdicts as text. An undefined number is a dash; a loss is reported like a gain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ssl_domains.studies.evidence.contrasts import ContrastRow
from ssl_domains.studies.evidence.findings import labels_read
from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec, StudyResult
from ssl_domains.studies.evidence.statistics import score_of

__all__ = ["Verdict", "contrast_name", "difference", "duration", "interval", "number", "p_value", "percent", "verdict"]

_LEVEL = 0.05


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


def setting(chosen: ArmResult) -> str:
    """The chosen grid point, or a dash."""
    return ", ".join(f"{key} {_short(value)}" for key, value in chosen.chosen.items()) or "–"


@dataclass(frozen=True)
class Verdict:
    """The result of a contrast as text.

    Attributes:
        kind: ``gain``, ``loss``, ``open`` (no significant difference), or ``none`` (undefined or not measured).
        lead: The verdict in a few words.
        sentence: The scores, the interval, p and the smallest detectable difference.
        remarks: Remarks that limit the verdict.
    """

    kind: Literal["gain", "loss", "open", "none"]
    lead: str
    sentence: str
    remarks: tuple[str, ...]


def verdict(result: StudyResult, row: ContrastRow) -> Verdict:
    """The verdict on a contrast: significant when its (corrected) p-value is below 5 %."""
    spec, contrast = row.spec, row.found
    where = f"With labels of {percent(spec.fraction)} of the training groups and the {spec.probe} probe"
    if contrast is None:
        return Verdict("none", f"{spec.a} against {spec.b} was not measured.", f"{where}, an arm has no score.", ())
    remarks = [
        f"{name} is supervised contrastive: its rule read {count:,} labels" for name, count in labels_read(result, spec)
    ]
    remarks += [*contrast.notes, *(_floors(result, spec) if row.primary else [])]
    if row.p is None or not math.isfinite(contrast.difference):
        sentence = (
            f"{where}, the difference in {spec.measure} is {difference(contrast.difference)}, without an interval."
        )
        return Verdict("none", f"Nothing can be told of {spec.a} against {spec.b}.", sentence, tuple(remarks))
    scores = f"{spec.measure} is {number(contrast.a_value)} against {number(contrast.b_value)}"
    p = p_value(row.p)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    how = "" if row.primary else ", Holm-corrected"
    interval_text = f"95 % interval {interval(contrast.low, contrast.high, sign=True)}, {p}{how}; {contrast.method}"
    sentence = f"{where}, {scores}: a difference of {difference(contrast.difference)} ({interval_text})."
    if math.isfinite(contrast.detectable):
        sentence += (
            f" The smallest difference that such a study finds four times in five is {number(contrast.detectable)}."
        )
    if row.p >= _LEVEL:
        lead = f"Nothing can be told between {spec.a} and {spec.b}."
        return Verdict("open", lead, sentence, tuple(remarks))
    if contrast.difference > 0:
        return Verdict("gain", f"{spec.a} beats {spec.b}.", sentence, tuple(remarks))
    return Verdict("loss", f"{spec.a} loses to {spec.b}.", sentence, tuple(remarks))


def _floors(result: StudyResult, spec: ContrastSpec) -> list[str]:
    """Remark with the scores that floors and hand-made features reach without an encoder."""
    scores = []
    for arm in result.arms:
        score = result.score(arm.name, spec.probe, spec.fraction) if arm.kind in ("floor", "handmade") else None
        if score is not None and spec.measure in score.evidence:
            scores.append(f"{arm.name} {number(score_of(score.evidence[spec.measure]))}")
    return [f"without an encoder, {spec.measure} is: {'; '.join(scores)}"] if scores else []


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _minus(text: str) -> str:
    return text.replace("-", "−")
