"""The engine: a run's configuration, the training loop, checkpoints, health and progress."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.engine.loop.pair_plan import PairPlan, plan_pairs
    from ssl_domains.engine.loop.parts import Parts
    from ssl_domains.engine.loop.rehearsal import Rehearsal, rehearse
    from ssl_domains.engine.loop.training import pretrain
    from ssl_domains.engine.processes.distributed import World
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.engine.record.config_file import load_config
    from ssl_domains.engine.record.progress import reporter
    from ssl_domains.engine.record.run import Run

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
    "rehearse",
    "reporter",
]

_HOME = {
    "PairPlan": "loop.pair_plan",
    "Parts": "loop.parts",
    "Rehearsal": "loop.rehearsal",
    "Run": "record.run",
    "RunConfig": "record.config",
    "World": "processes.distributed",
    "load_config": "record.config_file",
    "plan_pairs": "loop.pair_plan",
    "pretrain": "loop.training",
    "rehearse": "loop.rehearsal",
    "reporter": "record.progress",
}


def __getattr__(name: str) -> Any:
    # Lazy, so that the configuration can be read and printed without torch.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
