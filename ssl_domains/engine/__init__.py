"""The engine: a run's configuration, the training loop, checkpoints, health and progress."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.engine.assembly import Parts
    from ssl_domains.engine.config import RunConfig
    from ssl_domains.engine.config_file import load_config
    from ssl_domains.engine.distributed import World, processes
    from ssl_domains.engine.pair_plan import PairPlan, plan_pairs
    from ssl_domains.engine.progress import reporter
    from ssl_domains.engine.rehearsal import Rehearsal, rehearse
    from ssl_domains.engine.run import Run
    from ssl_domains.engine.training import pretrain

__all__ = [
    "PairPlan",
    "Parts",
    "Rehearsal",
    "Run",
    "RunConfig",
    "World",
    "load_config",
    "plan_pairs",
    "pretrain",
    "processes",
    "rehearse",
    "reporter",
]

_HOME = {
    "PairPlan": "pair_plan",
    "Parts": "assembly",
    "Rehearsal": "rehearsal",
    "Run": "run",
    "RunConfig": "config",
    "World": "distributed",
    "load_config": "config_file",
    "plan_pairs": "pair_plan",
    "pretrain": "training",
    "processes": "distributed",
    "rehearse": "rehearsal",
    "reporter": "progress",
}


def __getattr__(name: str) -> Any:
    # Lazy, so that the configuration can be read and printed without torch.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
