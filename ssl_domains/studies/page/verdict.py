"""What a contrast shows, in words. A loss is reported like a gain; with too few seeds nothing is claimed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ssl_domains.studies.evidence.contrast import Contrast
from ssl_domains.studies.evidence.contrasts import ContrastRow
from ssl_domains.studies.evidence.estimate import score_of
from ssl_domains.studies.evidence.findings import labels_read
from ssl_domains.studies.evidence.least_seeds import SEEDS_FOR_HEADLINE, SEEDS_FOR_P_VALUE
from ssl_domains.studies.evidence.margin import MarginReading, margin_reading
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult
from ssl_domains.studies.page.wording import difference, interval, number, p_value, percent

__all__ = ["Verdict", "margin_of", "verdict"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Verdict:
    """The result of a contrast as text.

    Attributes:
        kind: ``gain``, ``loss``, ``open`` (no significant difference), ``few`` (too few seeds for a claim), or ``none``
            (undefined or not measured).
        lead: The verdict in a few words.
        sentence: The scores, the interval, p, the smallest detectable difference and the margin.
        remarks: Remarks that limit the verdict.
    """

    kind: Literal["gain", "loss", "open", "few", "none"]
    lead: str
    sentence: str
    remarks: tuple[str, ...]


def verdict(result: StudyResult, row: ContrastRow) -> Verdict:
    """The verdict on a contrast: significant when its (corrected) p-value is below 5 %.

    With fewer than `SEEDS_FOR_P_VALUE` seeds nothing is claimed; the primary contrast, which is the headline, needs
    `SEEDS_FOR_HEADLINE`.
    """
    spec, contrast = row.spec, row.found
    where = f"With labels of {percent(spec.fraction)} of the training groups and the {spec.probe} probe"
    if contrast is None:
        return Verdict("none", f"{spec.a} against {spec.b} was not measured.", f"{where}, an arm has no score.", ())
    remarks = [
        f"{name} is supervised contrastive: its rule read {count:,} labels" for name, count in labels_read(result, spec)
    ]
    remarks += [*contrast.notes, *(_floors(result, spec) if row.primary else [])]
    reading = margin_of(result, row)
    sentence = _sentence(where, row, contrast) + _on_margin(reading, result.margin, contrast)
    few = len(contrast.seeds) < (SEEDS_FOR_HEADLINE if row.primary else SEEDS_FOR_P_VALUE)
    if few and math.isfinite(contrast.difference):
        lead = f"No claim is made about {spec.a} and {spec.b}: {_few(len(contrast.seeds), row.primary)}."
        return Verdict("few", lead, sentence, tuple(remarks))
    if row.p is None:
        return Verdict("none", f"{spec.a} and {spec.b} can't be compared.", sentence, tuple(remarks))
    if row.p >= _LEVEL:
        lead = f"No difference between {spec.a} and {spec.b} is claimed."
        if reading == "within":
            lead = f"{spec.a} and {spec.b} are equal in practice: they differ by less than {_plain(result.margin)}."
        return Verdict("open", lead, sentence, tuple(remarks))
    by = ""
    if reading in ("beyond", "within"):
        by = f" by {'more' if reading == 'beyond' else 'less'} than {_plain(result.margin)}"
    if contrast.difference > 0:
        return Verdict("gain", f"{spec.a} beats {spec.b}{by}.", sentence, tuple(remarks))
    return Verdict("loss", f"{spec.a} loses to {spec.b}{by}.", sentence, tuple(remarks))


def margin_of(result: StudyResult, row: ContrastRow) -> MarginReading | None:
    """The interval of a contrast against the margin of the study; None for another measure than the leading one."""
    if row.found is None or row.p is None or row.spec.measure != result.measure:
        return None
    return margin_reading(row.found, result.margin)


def _sentence(where: str, row: ContrastRow, contrast: Contrast) -> str:
    spec, found = row.spec, contrast.interval
    if not math.isfinite(contrast.difference):
        return f"{where}, {spec.measure} of one of the arms is undefined."
    scores = f"{spec.measure} is {number(contrast.a_value)} against {number(contrast.b_value)}"
    details = []
    if math.isfinite(found.low):
        details.append(f"95 % interval {interval(found.low, found.high, sign=True)}")
    if row.p is not None:
        p = p_value(row.p)
        details.append(f"p {p}" if p.startswith("<") else f"p = {p}")
        details += [] if row.primary else ["Holm-corrected"]
    freedom = f", t with {found.freedom:.1f} degrees of freedom" if math.isfinite(found.freedom) else ""
    details.append(found.method + freedom)
    sentence = f"{where}, {scores}: a difference of {difference(contrast.difference)} ({', '.join(details)})."
    if math.isfinite(found.detectable):
        sentence += (
            f" The smallest difference that such a study finds four times in five is {number(found.detectable)}."
        )
    return sentence


def _on_margin(reading: MarginReading | None, margin: float | None, contrast: Contrast) -> str:
    if reading is None or margin is None:
        return ""
    words = {
        "beyond": "The whole interval lies beyond",
        "within": "The whole interval lies within",
        "neither": "The interval lies neither beyond nor within",
    }
    said = f" {words[reading]} ±{_plain(margin)}, the smallest difference that matters in practice."
    if reading == "neither" and contrast.interval.detectable > margin:
        said += " This study cannot tell a difference of that size."
    return said


def _few(seeds: int, primary: bool) -> str:
    needed = SEEDS_FOR_HEADLINE if primary else SEEDS_FOR_P_VALUE
    what = "a headline" if primary else "a p-value"
    return f"{seeds} seed{'s are' if seeds != 1 else ' is'} too few, {what} needs {needed}"


def _plain(margin: float | None) -> str:
    return f"{margin:g}"


def _floors(result: StudyResult, spec: ContrastSpec) -> list[str]:
    """Remark with the scores that floors and hand-made features reach without an encoder."""
    scores = []
    for arm in result.arms:
        score = result.score(arm.name, spec.probe, spec.fraction) if arm.kind in ("floor", "handmade") else None
        if score is not None and spec.measure in score.evidence:
            scores.append(f"{arm.name} {number(score_of(score.evidence[spec.measure]))}")
    return [f"without an encoder, {spec.measure} is: {'; '.join(scores)}"] if scores else []
