"""The tables of a study as text, for report, page and terminal alike."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.studies.design.measures import MEAN_DICE, OF_PIXELS
from ssl_domains.studies.evidence.estimate import score_of
from ssl_domains.studies.evidence.findings import Findings
from ssl_domains.studies.evidence.least_seeds import SEEDS_FOR_INTERVAL
from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec, StudyResult
from ssl_domains.studies.page.verdict import margin_of, verdict
from ssl_domains.studies.page.wording import contrast_name, difference, interval, number, p_value, percent, setting

__all__ = [
    "FEW_GROUPS",
    "ArmRow",
    "Cell",
    "Table",
    "arm_rows",
    "chosen_table",
    "column_headings",
    "contrast_remarks",
    "contrast_table",
    "group_table",
    "information_table",
    "nuisance_table",
    "other_measures",
    "remarks_on_cells",
    "table_title",
]

_BANDS = {
    "rule": "Arms", "simclr": "Arms", "supervised": "Arms", "random": "Arms", "pretrained": "Arms", "scratch": "Arms",
    "composed": "Controls", "shuffled": "Controls", "floor": "Floors", "handmade": "Floors",
}  # fmt: skip


_READING = {
    "gain": "first is better", "loss": "second is better", "open": "no difference claimed", "few": "too few seeds",
    "none": "undefined",
}  # fmt: skip
FEW_GROUPS = 10
"""With fewer groups than this, the difference of every group is printed."""


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes:
        header: Headings.
        rows: Cells in the order of the headings.
        numbers: Index of the first column that holds numbers.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int


@dataclass(frozen=True)
class Cell:
    """A score of the main table.

    Attributes:
        value: The score as text.
        interval: Its interval as text; a dash when there is none.
        labels: Number of labels that the probe was fitted on; None when nothing was measured.
    """

    value: str
    interval: str
    labels: int | None


@dataclass(frozen=True)
class ArmRow:
    """A row of the main table.

    Attributes:
        arm: The arm.
        band: Heading that the row is under: ``Arms``, ``Controls`` or ``Floors``.
        supervised: ``supervised contrastive, N labels``, with N at each fraction, when its rule reads the label.
        cells: One for each column.
    """

    arm: ArmResult
    band: str
    supervised: str
    cells: tuple[Cell, ...]


def table_title(result: StudyResult) -> str:
    """Title of the main table: measure, label, unit of evidence and seeds; says when the study is transductive."""
    seeds = f"{len(result.seeds)} seed{'s' if len(result.seeds) != 1 else ''}"
    of = "masks" if result.measure in {one.name for one in (MEAN_DICE, *OF_PIXELS)} else repr(result.label)
    intervals = ", 95 % interval" if len(result.seeds) >= SEEDS_FOR_INTERVAL else ", without intervals"
    title = f"{result.measure} of {of} on held-out {result.group!r}: mean over {seeds}{intervals}"
    if not title[1].isupper():  # nDCG stays as it is
        title = title[0].upper() + title[1:]
    return title + (" · transductive" if result.transductive else "")


def arm_rows(result: StudyResult, statistics: Findings) -> tuple[ArmRow, ...]:
    """Every arm, control and floor, band by band, in the study's order."""
    rows = []
    for band in ("Arms", "Controls", "Floors"):
        for arm in result.arms:
            if _BANDS[arm.kind] == band:
                cells = tuple(_cell(result, statistics, arm.name, *column) for column in statistics.columns)
                rows.append(ArmRow(arm, band, _supervised(result, arm), cells))
    return tuple(rows)


def column_headings(result: StudyResult, statistics: Findings) -> tuple[str, ...]:
    """Headings of the main table: the fraction, and the probe when there are several."""
    several = len({probe for probe, _ in statistics.columns}) > 1
    return tuple(
        f"{probe}, {percent(fraction)}" if several else percent(fraction) for probe, fraction in statistics.columns
    )


def contrast_table(result: StudyResult, statistics: Findings) -> Table:
    """The secondary contrasts with Holm's correction; with a margin in the study file, a column says what it shows."""
    header = ["contrast", "reading", "probe", "labels", "difference", "95 % interval", "p (Holm)", "detectable"]
    if result.margin is not None:
        header.append(f"margin {result.margin:g}")
    rows = []
    for row in statistics.secondary:
        spec, one = row.spec, row.found
        name = _with_measure(spec, result.measure)
        where = (spec.probe, percent(spec.fraction))
        if one is None:
            rows.append((name, "not measured", *where, *["–"] * (len(header) - 4)))
            continue
        cells = [
            difference(one.difference),
            interval(one.interval.low, one.interval.high, sign=True),
            p_value(row.p),
            number(one.interval.detectable),
        ]
        if result.margin is not None:
            cells.append(margin_of(result, row) or "–")
        rows.append((name, _READING[verdict(result, row).kind], *where, *cells))
    return Table(tuple(header), tuple(rows), 4)


def contrast_remarks(result: StudyResult, statistics: Findings) -> list[str]:
    """Remarks on the secondary contrasts: each once, with the contrasts that it applies to."""
    about: dict[str, list[str]] = {}
    for row in statistics.secondary:
        name = f"{_with_measure(row.spec, result.measure)} ({row.spec.probe}, {percent(row.spec.fraction)})"
        for remark in verdict(result, row).remarks:
            about.setdefault(remark, []).append(name)
    return [f"{remark}: {'; '.join(names)}" for remark, names in about.items()]


def group_table(statistics: Findings) -> Table:
    """Difference of every group in each contrast, mean over seeds. Groups are numbered, as names may be of people."""
    rows = [row for row in statistics.contrasts if row.found is not None]
    groups = list(dict.fromkeys(name for row in rows if row.found for name in row.found.groups))
    out = []
    for row in rows:
        assert row.found is not None
        differences = dict(zip(row.found.groups, row.found.per_group.tolist(), strict=True))
        name = _with_measure(row.spec, statistics.primary.spec.measure)
        name += f", {row.spec.probe}, {percent(row.spec.fraction)}"
        out.append((name, *(difference(differences.get(group)) for group in groups)))
    return Table(("contrast", *(f"no. {place}" for place in range(1, len(groups) + 1))), tuple(out), 1)


def other_measures(result: StudyResult) -> tuple[Table, ...]:
    """All other measures, mean over seeds or cells, without interval; one table for each set of measures."""
    tables: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for one in sorted(result.scores, key=lambda score: _place(result, score.arm)):
        values = {name: number(score_of(evidence)) for name, evidence in one.evidence.items()}
        values |= {name: "undefined" if value is None else number(value) for name, value in one.plain.items()}
        values.pop(result.measure, None)
        if values:
            row = (one.arm, one.probe, percent(one.fraction), f"{one.labels:,}", *values.values())
            tables.setdefault(tuple(values), []).append(row)
    return tuple(Table(("arm", "probe", "groups", "labels", *names), tuple(rows), 2) for names, rows in tables.items())


def nuisance_table(result: StudyResult) -> Table:
    """Score of the nuisance probe for each arm and nuisance column."""
    columns = list(dict.fromkeys((one.column, one.measure) for one in result.nuisance))
    values = {(one.arm, one.column, one.measure): one.value for one in result.nuisance}
    arms = [arm.name for arm in result.arms if any(one.arm == arm.name for one in result.nuisance)]
    rows = tuple((arm, *(number(values.get((arm, *column))) for column in columns)) for arm in arms)
    return Table(("arm", *(f"{column}, {measure}" for column, measure in columns)), rows, 1)


def information_table(result: StudyResult) -> Table:
    """Agreement of the positives of each rule on label and nuisance columns."""
    rows = tuple(
        (one.rule, one.column, one.role, number(one.agreement), number(one.chance), number(one.nmi))
        for one in result.information
    )
    return Table(("rule", "column", "role", "positives agree", "by chance", "mutual information"), rows, 3)


def chosen_table(result: StudyResult) -> Table:
    """Description, rule and chosen grid point of each arm."""
    rows = tuple((arm.name, arm.about, arm.rule or "–", setting(arm)) for arm in result.arms)
    return Table(("arm", "what it is", "rule", "chosen on validation groups"), rows, 9)


def remarks_on_cells(statistics: Findings) -> list[str]:
    """Remarks on single scores of the main table: each once, with the scores that it applies to."""
    about: dict[str, list[str]] = {}
    for (arm, probe, fraction), one in statistics.estimates.items():
        for note in one.notes:
            about.setdefault(note, []).append(f"{arm} ({probe}, {percent(fraction)})")
    return [f"{note}: {'; '.join(names)}" for note, names in about.items()]


def _cell(result: StudyResult, statistics: Findings, arm: str, probe: str, fraction: float) -> Cell:
    one, score = statistics.estimates.get((arm, probe, fraction)), result.score(arm, probe, fraction)
    if one is None or score is None:
        return Cell("–", "–", None)
    return Cell(number(one.value), interval(one.low, one.high), score.labels)


def _supervised(result: StudyResult, arm: ArmResult) -> str:
    if not arm.labels_read:
        return ""
    labels = {one.fraction: one.labels for one in result.scores if one.arm == arm.name}
    counts = "/".join(f"{labels[fraction]:,}" for fraction in sorted(labels))
    return f"supervised contrastive, {counts} labels" if counts else "supervised contrastive"


def _place(result: StudyResult, name: str) -> int:
    return next((number for number, arm in enumerate(result.arms) if arm.name == name), len(result.arms))


def _with_measure(spec: ContrastSpec, leading: str) -> str:
    """The contrast, with its measure where that is not the leading one."""
    return contrast_name(spec) + (f", {spec.measure}" if spec.measure != leading else "")
