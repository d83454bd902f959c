"""Pictures of the medical demonstration: B-scans of each grade, and anchors with positives of the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ssl_domains.cli.work.demo.medical.lines import GROUP, LABEL, NUISANCE, RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ssl_domains.extending import Domain
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["Strip", "Tile", "grade_strips", "positive_strips"]

GRADES = ("none or few", "some", "many")
_SHOWN = 6


Caption = Callable[[dict[str, Any], int], str]
"""From a row of the table and the number of its scanner to the text below its picture."""


@dataclass(frozen=True)
class Tile:
    """One picture: a data URI and the text below it."""

    uri: str
    text: str


@dataclass(frozen=True)
class Strip:
    """A row of pictures with a heading; ``anchor`` stands before the others, or is None."""

    title: str
    tiles: tuple[Tile, ...]
    anchor: Tile | None = None


def grade_strips(domain: Domain, table: SampleTable, store: ArrayStore) -> list[Strip]:
    """Pictures of each grade of severity, of different patients and of every scanner."""
    rows = {grade: _spread(table, _of_grade(table, grade)) for grade in GRADES}
    tiles = _tiles(domain, table, store, [row for chosen in rows.values() for row in chosen], _scanner)
    return [Strip(grade, tuple(tiles[row] for row in chosen)) for grade, chosen in rows.items()]


def positive_strips(domain: Domain, table: SampleTable, store: ArrayStore) -> list[Strip]:
    """One anchor of each grade, with drawn positives of the rule of other patients."""
    from ssl_domains.pairs import Objective, parse

    bound = Objective.of(parse(RULE)).bind(table)
    patients = table.codes(GROUP)
    known = ~np.isnan(table.numbers("cst")) & (patients >= 0)
    rows: dict[str, tuple[int, list[int]]] = {}
    for number, grade in enumerate(GRADES):
        anchor = int(_spread(table, _of_grade(table, grade) & known)[number])
        others = np.flatnonzero(known & (patients != patients[anchor]))
        drawn = bound.draw(np.array([anchor]), _SHOWN - 1, np.random.default_rng(number), among=others)[0]
        rows[grade] = anchor, [int(row) for row in drawn if row >= 0]
    tiles = _tiles(domain, table, store, [row for a, positives in rows.values() for row in (a, *positives)], _values)
    return [
        Strip(f"anchor: {grade}", tuple(tiles[row] for row in positives), tiles[anchor])
        for grade, (anchor, positives) in rows.items()
    ]


def _of_grade(table: SampleTable, grade: str) -> NDArray[np.bool_]:
    return np.asarray((table.column(LABEL) == grade).fill_null(False).to_numpy(), dtype=np.bool_)


def _spread(table: SampleTable, wanted: NDArray[np.bool_]) -> list[int]:
    """Rows of different patients, as many of each scanner as can be."""
    scanners, patients = table.codes(NUISANCE), table.codes(GROUP)
    chosen: list[int] = []
    used: set[int] = set()
    for turn in range(_SHOWN):
        scanner = turn % (scanners.max() + 1)
        for row in np.flatnonzero(wanted & (scanners == scanner)):
            if patients[row] not in used:
                used.add(int(patients[row]))
                chosen.append(int(row))
                break
    return chosen


def _tiles(domain: Domain, table: SampleTable, store: ArrayStore, rows: list[int], text: Caption) -> dict[int, Tile]:
    from ssl_domains.cli.work.viewing import scaling_of
    from ssl_domains.reports.sample_pictures import picture_samples

    made = picture_samples(
        table, sorted(set(rows)), reader=domain.reader(), store=store, scaling=scaling_of(domain, table), canvas="fit"
    )
    frame, scanners = table.frame, table.codes(NUISANCE)
    return {
        row: Tile(picture.uri or "", text(frame.row(row, named=True), int(scanners[row])))
        for row, picture in made.pictures.items()
    }


def _scanner(row: dict[str, Any], scanner: int) -> str:
    return f"scanner {scanner + 1}"


def _values(row: dict[str, Any], scanner: int) -> str:
    return f"{row['cst']} µm · {row[LABEL]}"
