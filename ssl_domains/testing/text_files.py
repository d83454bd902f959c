"""Checks the files that a domain puts texts into: names, samples, and the first file written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ssl_domains.extending import Domain
from ssl_domains.prediction.texts import check_text_plan
from ssl_domains.samples import SampleTable, Transcribed
from ssl_domains.stores import ArrayStore

__all__ = ["check_text_files"]

_TEXT = 'Ein <Wort> & "zwei" — \u05d0\u05d1'


def check_text_files(domain: Domain, table: SampleTable, store: ArrayStore, data: Path, folder: Path) -> None:
    """Plan the files of texts for the demo data, and write the first one, with a text that has to be escaped.

    Args:
        domain: The domain.
        table: Its demo data.
        store: Their arrays.
        data: Folder of the demo data.
        folder: Where to write.

    Raises:
        PluginError: When a name repeats or leads out of the folder, or a sample is in two files.
        AssertionError: When the first file isn't written as the contract says.
    """
    if domain.text_files is None:
        return
    plan = domain.text_files(table, data)
    check_text_plan(plan)
    decoded = {int(row) for row in np.flatnonzero(store.of(table).decoded)}
    for file in plan.files:
        assert all(0 <= row < len(table) for row in file.rows), f"{file.name!r} has rows that the table lacks"
        known = {row: Transcribed(_TEXT, 0.5) for row in file.rows if row in decoded}
        if not known:
            continue
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        file.write(folder / file.name, known)
        assert (folder / file.name).is_file(), f"the file {file.name!r} is written where it is asked to be"
        return
