"""Run all checks of an audit on every pair of sides, and between pre-training rows and held-out sides."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from ssl_domains.audit.blocks import shared_places
from ssl_domains.audit.coarser import cut_groups
from ssl_domains.audit.contents import (
    Contents,
    NearPicture,
    array_contents,
    file_contents,
    scanned_contents,
    shared_contents,
    without_flat,
)
from ssl_domains.audit.decoding import Decode
from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.groups import compared_groups, shared_samples
from ssl_domains.audit.near import shared_looks
from ssl_domains.audit.regions import SideRegions, region_gap, shared_regions
from ssl_domains.audit.sides import Side, held_out, sides_of
from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import Regions, regions_of
from ssl_domains.samples.table import SampleTable

__all__ = ["PlaceRegions", "SplitAudit", "audit_split"]

PlaceRegions = Callable[[Sequence[SampleTable]], list[Regions] | None]
"""Gives the regions of several tables with common codes of arrays, such as `regions_of`; None where they have none."""


@dataclass(frozen=True)
class SplitAudit:
    """The result of an audit.

    Attributes:
        split: Name of the split's column.
        rows: Name of a side → number of its rows, pre-training included.
        neither: Number of rows that are in no side.
        findings: One for each check and pair of sides.
        notes: Remarks on what was not compared, and why.
    """

    split: str
    rows: dict[str, int]
    neither: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The findings that are leaks."""
        return tuple(finding for finding in self.findings if finding.leak)

    def check(self) -> None:
        """Refuse a split that leaks.

        Raises:
            DataError: When there is a leak; names the first and counts the others.
        """
        if not self.leaks:
            return
        first, others = self.leaks[0], len(self.leaks) - 1
        more = f" (and {others} more)" if others else ""
        raise DataError(f"the split {self.split!r} leaks: {first.sentence}{more}", _CURES[first.check])

    def to_dict(self) -> dict[str, Any]:
        """All values as JSON."""
        return {
            "split": self.split,
            "leaking": bool(self.leaks),
            "rows": self.rows,
            "neither": self.neither,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
        }


_CURES = {
    "group": "scan --split-by COLUMN keeps groups whole",
    "sample": "pre-train on the training rows of this split",
    "content": "keep one of each, or give duplicates a common group and split by it",
    "near": "look at the examples in --json; give what belongs together a common group and split by it",
    "region": "cut each array into blocks and hold out whole blocks; samples along two of its axes always cross",
    "block": "cut the survey into blocks that share no place",
    "gap": "drop the rows between the blocks; a gap of patch + window keeps pairs apart",
}


def audit_split(
    table: SampleTable,
    split: str,
    groups: Sequence[str] = (),
    *,
    decode: Decode | None = None,
    contents: bool = True,
    near: int | None = None,
    block: Sequence[str] = (),
    gap: float | None = None,
    pretraining: SampleTable | None = None,
    held: Sequence[str] = (),
    names: bool = False,
    place: PlaceRegions = regions_of,
    coarser: Sequence[str] = (),
    picture: NearPicture | None = None,
    axes: str = "",
) -> SplitAudit:
    """Compare every pair of sides of a split.

    Contents are compared by the column ``content`` of a scan that decoded them, else by the bytes of the files when
    each row has its own file, else by decoded arrays. Samples that
    are regions of arrays are compared by the voxels they share. Pre-training rows are compared only with the held-out
    sides: pre-training on the training side is no leak.

    Args:
        table: The samples.
        split: Column whose values name the sides.
        groups: Columns of which no group may be on two sides.
        decode: Decodes rows, see `decoding`; needed for rows that share a file, and for ``near``.
        contents: Whether to compare contents.
        near: Largest number of bits, of 64, in which the hashes of near duplicates differ; None skips this check.
        block: Coordinate columns of a survey.
        gap: Smallest distance between the blocks, in the coordinates' unit; without ``block``, the smallest distance
            between the edges of regions, in places of the array.
        pretraining: Rows that an encoder was pre-trained on.
        held: Names of the sides that pre-training must not contain; by default those called test, val and the like.
        names: Whether to list the names of shared groups; identifiers are never listed.
        place: Places the regions of the tables; a domain's own one knows which files cover one place.
        coarser: Columns of coarser groups, such as sites, that a split may cut; notes say which ones it cuts.
        picture: Gives the picture by which near duplicates are found, for arrays that are none.
        axes: Axes of the arrays as their reader names them, such as ``"tc"``; empty where no reader is known.

    Raises:
        UsageError: For columns that are missing or don't fit, a gap without coordinates and regions, or near
            duplicates without ``decode``.
    """
    if near is not None and not 0 <= near <= 16:
        raise UsageError(
            f"near duplicates within {near} of 64 bits", "0 to 16; from about 10 on all pictures are alike"
        )
    for column in (*groups, *block):
        table.column(column)
    sides = sides_of(table, split)
    pairs = list(itertools.combinations(sides, 2))
    rows = {side.name: len(side) for side in sides}
    neither = len(table) - sum(rows.values())
    notes = [f"{plural(neither, 'row')} without {split!r}: in neither side"] if neither else []
    before = None
    if pretraining is not None:
        before = Side("pre-training", pretraining)
        rows[before.name] = len(before)
        pairs += [(before, side) for side in held_out(sides, held)]

    compared = [*sides, *([before] if before else [])]
    regions = _regions(compared, place, notes)
    if gap is not None and not block and regions is None:
        raise UsageError("--gap has no coordinates to measure it in", "name them with --block inline,crossline")
    edges = None if block or gap is None else math.ceil(gap)

    findings = []
    for a, b in pairs:
        if a is before:
            findings.append(shared_samples(a, b))
        for column in groups:
            finding, remark = compared_groups(a, b, column, names=names)
            findings += [] if finding is None else [finding]
            notes += [] if remark is None or remark in notes else [remark]
        if block:
            findings += shared_places(a, b, block, gap=gap)
        if regions is not None:
            findings.append(shared_regions(regions[a.name], regions[b.name], axes))
            findings += [] if edges is None else [region_gap(regions[a.name], regions[b.name], edges)]
    if contents:
        kept, remarks = _contents(sides, before, decode, near is not None, picture)
        notes += remarks
        if kept is not None:
            by_side = dict(zip((side.name for side in compared), kept, strict=True))
            for a, b in pairs:
                findings.append(shared_contents(a, by_side[a.name], b, by_side[b.name]))
                if near is not None:
                    findings.append(shared_looks(a, by_side[a.name], b, by_side[b.name], near))
    else:
        notes.append("contents were not compared")
    notes += cut_groups(sides, [column for column in coarser if column not in groups])
    for column in groups:
        missing = sum(side.table.frame[column].null_count() for side in compared)
        if missing:
            notes.append(f"{plural(missing, 'row')} without {column!r}: in no check of groups")
    return SplitAudit(split, rows, neither, tuple(findings), tuple(notes))


def _regions(sides: Sequence[Side], place: PlaceRegions, notes: list[str]) -> dict[str, SideRegions] | None:
    """The regions of each side by its name, with notes on what is not known; None when no table has regions."""
    placed = place([side.table for side in sides])
    if placed is None:
        return None
    notes += dict.fromkeys(note for regions in placed for note in regions.notes)
    unknown = sum(int((regions.arrays < 0).sum()) for regions in placed)
    if unknown:
        notes.append(f"{plural(unknown, 'row')} whose region is not known: in no check of regions")
    return {side.name: SideRegions.of(side, regions) for side, regions in zip(sides, placed, strict=True)}


def _contents(
    split_sides: Sequence[Side], before: Side | None, decode: Decode | None, near: bool, picture: NearPicture | None
) -> tuple[list[Contents] | None, list[str]]:
    """Contents of each side and of pre-training, with notes; None with the reason when they can't be compared."""
    sides = [*split_sides, *([before] if before else [])]
    if near and decode is None:
        raise UsageError("near duplicates need the pictures, and nothing says how to read them",
                         "audit a table made by scan, or say --domain NAME")  # fmt: skip
    paths = [_paths(side.table) for side in split_sides if "path" in side.table.columns]
    earlier = _paths(before.table) if before is not None and "path" in before.table.columns else None
    if not paths and earlier is None and decode is None:
        return None, ["the table has no column 'path': contents were not compared"]
    # Rows that share a file can't be compared by its bytes. Pre-training rows may use the files of the table again,
    # so their paths are checked for repeats separately.
    several = not paths or _repeats(pl.concat(paths)) or (earlier is not None and _repeats(earlier))
    if several and decode is None and scanned_contents(sides) is None:
        return None, ["several rows share a file and nothing says how to read one: contents were not compared"]
    scanned = scanned_contents(sides)
    if scanned is not None and not near:
        contents = scanned
    elif decode is not None and (several or near):
        contents = [array_contents(side, decode, near=near, picture=picture) for side in sides]
        if scanned is not None:  # a scan also knows equal contents of different types
            pairs = zip(contents, scanned, strict=True)
            contents = [replace(of, digests=[d or e for d, e in zip(known.digests, of.digests, strict=True)])
                        for of, known in pairs]  # fmt: skip
    else:
        contents = file_contents(sides)
        if decode is not None:
            contents = without_flat(sides, contents, decode)
    unread = sum(digest is None for of in contents for digest in of.digests)
    whole = sum(len(side) for side in sides)
    why = "could not be read" if contents is not scanned else "are constant or were not decoded by the scan"
    remarks = [f"{unread:,} rows ({percent(unread, whole)}) {why} and were not compared"] if unread else []
    flat = sum(int(of.flat.sum()) for of in contents)
    if flat:
        remarks.append(f"{plural(flat, 'row')} of one constant value: not compared")
    return (None if unread == whole else contents), remarks


def _paths(table: SampleTable) -> pl.Series:
    return table.frame["path"].cast(pl.String).drop_nulls()


def _repeats(paths: pl.Series) -> bool:
    return paths.n_unique() < len(paths)
