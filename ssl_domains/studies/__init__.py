"""Studies: arms × folds × seeds with their controls and floors, and the statistics of what came of it.

Names load on first use: a study file can be read, and statistics drawn, without the training engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.studies.arms import Arm, all_arms, read_columns
    from ssl_domains.studies.conducting import Conducted, conduct
    from ssl_domains.studies.groups import GroupPlan, plan_groups
    from ssl_domains.studies.material import Material
    from ssl_domains.studies.result import StudyResult, read_study_result
    from ssl_domains.studies.study_file import ArmEntry, StudyFile, read_study_file

__all__ = [
    "Arm",
    "ArmEntry",
    "Conducted",
    "GroupPlan",
    "Material",
    "StudyFile",
    "StudyResult",
    "all_arms",
    "conduct",
    "plan_groups",
    "read_columns",
    "read_study_file",
    "read_study_result",
]

_HOME = {
    "Arm": "arms",
    "ArmEntry": "study_file",
    "Conducted": "conducting",
    "GroupPlan": "groups",
    "Material": "material",
    "StudyFile": "study_file",
    "StudyResult": "result",
    "all_arms": "arms",
    "conduct": "conducting",
    "plan_groups": "groups",
    "read_columns": "arms",
    "read_study_file": "study_file",
    "read_study_result": "result",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
