"""What kept cells hang on: a cell counts for as long as nothing that it reads has changed.

Which contrasts are drawn, which other arms there are and how many seeds is no part of it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ssl_domains.engine.record.provenance import data_fingerprint
from ssl_domains.pairs import parse
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.study_file import StudyFile
from ssl_domains.studies.design.training import seen_by

__all__ = ["identified", "shared_identity"]

_NOT_MEASURED = {"name", "title", "about", "command", "samples", "arms", "grid", "seeds", "primary", "secondary"}


def shared_identity(study: StudyFile, material: Material) -> str:
    """A hash of what all cells have in common: settings, rows, groups, labels, nuisances, images and masks."""
    table, scaling = material.table, material.scaling(material.table)
    read = {material.label, study.group, study.stratify, study.within, scaling.group, "split", *material.nuisance}
    read |= {name for columns in material.floors.values() for name in columns}
    if material.breakdown is not None:
        read.add(material.breakdown[0])
    return _hash(
        {
            "study": study.model_dump(exclude=_NOT_MEASURED),
            "config": material.config.flat(),
            "handmade": sorted(material.handmade),
            "scaling": asdict(scaling),
            "rows": data_fingerprint(table, [name for name in read if name is not None]),
            "images": _checksum(material.store, table),
            "masks": None if material.masks is None else _checksum(material.masks, table),
            # The sums of cells are added, so they must count from the same number.
            **({"centre": material.label_centre} if material.labels.task == "regression" else {}),
        }
    )


def identified(material: Material, arm: Arm) -> Arm:
    """The arm with a hash of the columns and edge files that its rule and its views read."""
    if not arm.embeds:
        return arm
    table, read = seen_by(material, arm, material.config.with_values({**arm.config, "pairs.rule": arm.rule}))
    return replace(arm, data=_hash(data_fingerprint(table, read, parse(arm.rule).edge_files)))


def _checksum(store: ArrayStore | MaskStore, table: SampleTable) -> int:
    """CRC-32 of the rows' arrays, types and shapes included."""
    found = 0
    for position in store.positions(table).tolist():
        if position >= 0:
            array = store[position]
            found = zlib.crc32(f"{array.dtype} {array.shape}".encode(), found)
            found = zlib.crc32(np.ascontiguousarray(array).data, found)
    return found


def _hash(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
