"""What a comparison is of, kept in its folder: it is resumed with the same labels, weights and settings only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.engine import Run
from ssl_domains.errors import DataError, UsageError
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.probes.transcripts import Transcripts
from ssl_domains.samples import write_errors, write_whole

__all__ = ["PLAN_FILE", "material_hash", "require_same_plan", "write_plan"]

PLAN_FILE = Path("comparison") / "plan.json"

_HASHED = ("samples or labels", "weights")


def material_hash(material: Material) -> str:
    """SHA-256 of the samples, their sides and groups, and their labels or masks."""
    digest = hashlib.sha256("\n".join(material.table.frame["sample"].cast(str).to_list()).encode())
    digest.update(repr((material.label, material.task, material.labels.classes)).encode())
    arrays = [material.split.train, material.split.test, material.split.groups, material.labels.y]
    if material.targets is not None:
        arrays.append(material.targets.placed)
    if isinstance(material.labels, Transcripts):
        digest.update(material.labels.content)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def require_same_plan(out: Path, plan: Mapping[str, Any], resume: bool) -> None:
    """Refuse to overwrite a fine-tuning, or to resume one of another plan.

    Raises:
        UsageError: When the folder holds a fine-tuning or another run and ``resume`` is False; when there is nothing to
            resume; when the plan is another one.
        DataError: When the file of the plan can't be read.
    """
    path = out / PLAN_FILE
    if not resume:
        Run.require_new(out)
        if path.is_file():
            raise UsageError(f"{out} already holds a fine-tuning", "add --resume to go on, or give another --out")
        return
    if not path.is_file():
        raise UsageError(f"there is no fine-tuning to resume in {out}", "leave --resume out to start one")
    try:
        stored = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{path} can't be read: {error}", "give another --out") from error
    for key, now in json.loads(json.dumps(plan)).items():
        if stored.get(key) != now:
            raise UsageError(
                f"the fine-tuning in {str(out)!r} was started with {_difference(key, stored.get(key), now)}",
                "use the same command line and data with --resume, or give another --out",
            )


def _difference(key: str, then: Any, now: Any) -> str:
    """What of a plan differs, in words."""
    if key in _HASHED:
        return f"other {key}"
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted({*then, *now}):
            if then.get(name) != now.get(name):
                return f"{name} = {then.get(name, 'its default')!r}, not {now.get(name, 'its default')!r}"
    return f"{key} {then!r}, not {now!r}"


def write_plan(out: Path, plan: Mapping[str, Any]) -> None:
    """Write the plan, whole.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    path = out / PLAN_FILE
    with write_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: part.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8"))
