"""Studies: train and probe arms over folds and seeds, beside controls and floors, and test the differences.

In: a ``STUDY.toml``, a sample table and its arrays. Out: ``results.json``, an HTML report, a Markdown page, and a
Parquet file of all cells, from which a study resumes.
Names load on first use, so that reading a study file or computing statistics does not import the training engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.studies.conducting import Conducted, alone_in_study, conduct, pages_again
    from ssl_domains.studies.design.arms import Arm, all_arms, read_columns
    from ssl_domains.studies.design.entries import ArmEntry
    from ssl_domains.studies.design.groups import GroupPlan, plan_groups
    from ssl_domains.studies.design.material import Material
    from ssl_domains.studies.design.study_file import StudyFile, read_study_file
    from ssl_domains.studies.evidence.result import StudyResult, read_study_result

__all__ = [
    "Arm",
    "ArmEntry",
    "Conducted",
    "GroupPlan",
    "Material",
    "StudyFile",
    "StudyResult",
    "all_arms",
    "alone_in_study",
    "conduct",
    "pages_again",
    "plan_groups",
    "read_columns",
    "read_study_file",
    "read_study_result",
]

_HOME = {
    "Arm": "design.arms",
    "ArmEntry": "design.entries",
    "Conducted": "conducting",
    "GroupPlan": "design.groups",
    "Material": "design.material",
    "StudyFile": "design.study_file",
    "StudyResult": "evidence.result",
    "all_arms": "design.arms",
    "alone_in_study": "conducting",
    "conduct": "conducting",
    "pages_again": "conducting",
    "plan_groups": "design.groups",
    "read_columns": "design.arms",
    "read_study_file": "design.study_file",
    "read_study_result": "evidence.result",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
