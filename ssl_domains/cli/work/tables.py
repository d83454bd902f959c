"""Open the sample table of a command, and fill its array store."""

from __future__ import annotations

import shlex
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.console import note
from ssl_domains.cli.progress import showing_progress
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore, MaskStore

__all__ = [
    "add_problems",
    "decodable",
    "fill_masks",
    "fill_store",
    "open_table",
    "require_mask_reader",
    "require_masks",
    "shrinking",
]

_MASK_OPTIONS = ("masks", "labels")  # of `scan`: where the label masks of the samples are
_MOST_SHRINKING = 8
_PATHS_CHECKED = 1000  # a table copied without its files shows in the first ones


def open_table(domain: Domain, path: Path) -> SampleTable:
    """Read a sample table; notes say what of its metadata is missing, and which of its files.

    Raises:
        UsageError: When the file is missing, is no table, or was scanned by another domain.
    """
    from ssl_domains.samples import missing_files, outdated_note, read_noted_table
    from ssl_domains.samples.tables.description import missing_sentence

    table, notes = read_noted_table(path)
    for text in notes:
        note(f"note: {text}")
    gone = missing_files(table.frame, first=_PATHS_CHECKED)
    if gone:
        note(f"note: {missing_sentence(gone, path)}")
    if table.meta.domain not in ("", domain.name):
        raise UsageError(
            f"{str(path)!r} was scanned by {table.meta.domain}, not {domain.name}",
            f"ssl-domains {table.meta.domain} --help lists the commands that read it",
        )
    if remark := outdated_note(table.meta):
        note(f"note: {remark}")
    return table


def fill_store(domain: Domain, table: SampleTable, folder: Path) -> ArrayStore:
    """Decode rows of the table that are not in the store yet, and return the store; notes say how much is copied.

    Raises:
        ResourceError: When the disk is full or too small; arrays written so far stay usable.
    """
    from ssl_domains.stores import ArrayStore

    with showing_progress() as progress:
        return ArrayStore.fill(folder, table, domain.reader(), partial(progress, "decoding"), notice=note)


def require_mask_reader(
    domain: Domain, what: str = "--masks", hint: str = "take a column with --label instead of --masks"
) -> None:
    """Refuse a domain whose reader reads no label masks, before anything is decoded.

    Args:
        domain: The domain.
        what: What needs the masks.
        hint: What to do instead.

    Raises:
        UsageError: When the reader reads none.
    """
    from ssl_domains.samples import MaskReader

    if not isinstance(domain.reader(), MaskReader):
        cause = f"{what} is for pictures with label masks, and the reader of {domain.name} reads none"
        raise UsageError(cause, hint)


def require_masks(domain: Domain, table: SampleTable) -> None:
    """Refuse a table without masks, before anything is decoded.

    Raises:
        UsageError: When the table names no masks; the hint is the command that scans them.
    """
    from ssl_domains.stores import names_masks

    if names_masks(table):
        return
    option = next((one for one in domain.scan_options if one.name in _MASK_OPTIONS), None)
    if option is None:
        raise UsageError("the sample table names no masks", "scan with the masks of the images")
    made = table.meta.options
    split = [f"--split-by {shlex.quote(table.meta.group)}"] if table.meta.group is not None else []
    split += [
        f"--{flag} {made[name]}"
        for flag, name, usual in (("test", "split_test", 0.2), ("seed", "split_seed", 0))
        if split and made.get(name, usual) != usual
    ]
    again = " ".join(["ssl-domains", domain.name, f"scan SOURCE -o SAMPLES2 {option.flag} FOLDER", *split])
    raise UsageError("the sample table names no masks", again)


def fill_masks(domain: Domain, table: SampleTable, samples: Path) -> MaskStore:
    """Decode masks of the table that are not in its mask store yet, and return the store.

    Args:
        domain: The domain, whose reader decodes them.
        table: The sample table.
        samples: Its file, beside which the store lies.

    Raises:
        UsageError: When the table names no masks, or the domain's reader can't read them.
        ResourceError: When the disk is full or too small; masks written so far stay usable.
    """
    from ssl_domains.stores import MaskStore, default_mask_store

    with showing_progress() as progress:
        reading = partial(progress, "reading masks")
        return MaskStore.fill(default_mask_store(samples), table, domain.reader(), reading, notice=note)


def decodable(table: SampleTable, store: ArrayStore) -> SampleTable:
    """The rows whose arrays are in the store; a note gives the number of the others and their three main causes.

    Raises:
        DataError: When no row could be decoded.
    """
    from ssl_domains.samples import undecoded_hint

    samples = store.of(table)
    causes = Counter(samples.causes())
    if causes:
        failed, common = sum(causes.values()), causes.most_common(3)
        why = "; ".join(f"{cause} ({count})" for cause, count in common) if len(causes) > 1 else common[0][0]
        if len(causes) > len(common):
            why += f"; and {len(causes) - len(common)} other causes"
        if failed == len(table):
            raise DataError(f"none of the {failed} samples can be decoded: {why}", undecoded_hint(table))
        note(f"{failed} of {len(table)} samples can't be decoded and are left out: {why}")
    return table.take(samples.decoded)


def add_problems(table: SampleTable, store: ArrayStore, samples: Path) -> None:
    """Add rows that can't be decoded to the file of problems beside their table; those that stand there are kept.

    A file that can't be written, such as on a read-only share, is left as it is: the store has the causes too.

    Args:
        table: Rows of the table, with or without an array.
        store: Store of their arrays.
        samples: File of the table.
    """
    import polars as pl

    from ssl_domains.samples import problems_path, write_problems

    arrays = store.of(table)
    causes = arrays.causes()
    if not causes or "path" not in table.columns:
        return
    failed = table.frame.filter(pl.Series(~arrays.decoded))["path"].cast(pl.String)
    met = pl.DataFrame({"path": failed, "cause": causes}).unique(maintain_order=True)
    try:
        known = met.clear()
        if problems_path(samples).is_file():
            known = pl.read_csv(problems_path(samples), schema=met.schema)
        added = met.join(known, on=["path", "cause"], how="anti", nulls_equal=True, maintain_order="left")
        if len(added):
            write_problems(pl.concat([known, added]), samples)
    except (OSError, pl.exceptions.PolarsError, UsageError):
        return


def shrinking(table: SampleTable, store: ArrayStore, size: int) -> str:
    """A warning if some pictures are shrunk more than 8-fold to a canvas of ``size`` pixels; empty if none is.

    Args:
        table: Rows with a decoded array.
        store: Store of their arrays; only pictures ``[H, W, C]`` are checked.
        size: Side of the canvas in pixels.
    """
    shapes = store.of(table).shapes()
    if shapes.shape[1] != 3:
        return ""
    fold = shapes[:, :2].max(axis=1, initial=0) / size
    many = int((fold > _MOST_SHRINKING).sum())
    if not many:
        return ""
    return (
        f"{many} of {len(table)} samples shrink more than {_MOST_SHRINKING}-fold on a canvas of {size} pixels, up to "
        f"{fold.max():.0f}-fold: fine detail is averaged away"
    )
