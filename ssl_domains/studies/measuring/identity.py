"""Hashes of everything that a cell's result depends on: a stored result is used again only while they are equal.

Contrasts, other arms and the number of seeds are not part of the hash: changing them runs no finished cell again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import RunConfig
from ssl_domains.engine.record.provenance import data_fingerprint
from ssl_domains.pairs import parse
from ssl_domains.pairs.sampling.seats import reads
from ssl_domains.probes.ranking import Judged
from ssl_domains.probes.transcripts import DIRECTION, Transcripts
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.fold_columns import fold_columns
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.study_file import StudyFile
from ssl_domains.studies.design.training import arm_table
from ssl_domains.views import fitted_preprocess, preprocess_to_dict

__all__ = ["shared_identity", "with_identity"]

_NOT_MEASURED = {
    "name", "title", "about", "command", "samples", "arms", "grid", "seeds", "primary", "secondary", "margin",
    "kept_beside",
}  # fmt: skip

# Keys that came later, with the value that changes nothing: cells that were stored before them are used again.
_NEUTRAL = {
    "encoder.freeze": 0, "encoder.segments": 1, "encoder.dropout": None, "train.layer_decay": 1.0, "views.crop": None,
    "pairs.shuffle_within": None,
    "nuisance_in": "all", "standardise_by": None,
}  # fmt: skip


def shared_identity(study: StudyFile, material: Material) -> str:
    """Hash of what all cells have in common: settings, rows, groups, labels, nuisances, images and masks."""
    table, made = material.table, material.how_inputs_are_made(material.table)
    read = {material.label, study.group, study.stratify, study.within, study.standardise_by, "split"}
    read.update(material.nuisance)
    read |= set(fold_columns(table, study.folds))
    if made["scaling"] is not None:
        read.update(made["scaling"].columns)
        inputs: dict[str, Any] = {"scaling": made["scaling"].to_dict()}
    else:
        preprocess = fitted_preprocess(made["preprocess"], table, material.store)
        read.update(preprocess.columns)
        read.update(name for name in getattr(preprocess, "may_read", ()) if name in table.columns)
        inputs = {"preprocess": preprocess_to_dict(preprocess)}
    read.discard("")
    read |= {name for columns in material.floors.values() for name in columns}
    if isinstance(material.labels, Transcripts) and DIRECTION in table.columns:
        read.add(DIRECTION)
    if material.breakdown is not None:
        read.add(material.breakdown[0])
    return _hash(
        {
            "study": _measured_settings(study),
            "config": measured_values(material.config),
            "handmade": sorted(material.handmade),
            **inputs,
            "rows": data_fingerprint(table, [name for name in read if name is not None]),
            "images": _checksum(_images(material.store, table)),
            **({"judgements": _checksum(material.labels.contents())} if isinstance(material.labels, Judged) else {}),
            "masks": None if material.masks is None else _checksum(_masks(material.masks, table)),
            # The sums of cells are added, so they must count from the same number.
            **({"centre": material.label_centre} if material.labels.task == "regression" else {}),
        }
    )


def _measured_settings(study: StudyFile) -> dict[str, Any]:
    """The study's own settings, without those that came later where they change nothing."""
    unread = {name for name in ("transcripts", "ranking") if name not in study.probes}
    values = study.model_dump(exclude=_NOT_MEASURED | unread)
    if study.finetune.head_lr is None:
        del values["finetune"]["head_lr"]
    return {key: value for key, value in values.items() if key not in _NEUTRAL or _NEUTRAL[key] != value}


def measured_values(config: RunConfig) -> dict[str, Any]:
    """The configuration by dotted key, without the keys that came later where they change nothing."""
    return {key: value for key, value in config.flat().items() if key not in _NEUTRAL or _NEUTRAL[key] != value}


def with_identity(material: Material, arm: Arm) -> Arm:
    """The arm with ``data`` set: a hash of the columns and edge files that its rule and its views read."""
    if not arm.embeds:
        return arm
    config = material.config_of(arm).with_values({**arm.config, "pairs.rule": arm.rule})
    table, read = arm_table(material, arm, config)
    columns, files = reads(config.pairs.to_composition(), table)
    edges = dict.fromkeys([*parse(arm.rule).edge_files, *files])
    return replace(arm, data=_hash(data_fingerprint(table, sorted({*read, *columns}), tuple(edges))))


def _images(store: ArrayStore, table: SampleTable) -> Iterator[NDArray[Any]]:
    samples = store.of(table)
    return (samples[row] for row in np.flatnonzero(samples.decoded).tolist())


def _masks(store: MaskStore, table: SampleTable) -> Iterator[NDArray[Any]]:
    return (store[position] for position in store.positions(table).tolist() if position >= 0)


def _checksum(arrays: Iterator[NDArray[Any]]) -> int:
    """CRC-32 of arrays, types and shapes included."""
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(f"{array.dtype} {array.shape}".encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return checksum


def _hash(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
