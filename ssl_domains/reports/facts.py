"""Facts of a run for its report, as text. They contain no path and no identifier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ssl_domains.inputs import InputSpec
from ssl_domains.quantities import plural
from ssl_domains.reports.curves import speed
from ssl_domains.reports.pair_numbers import composition

if TYPE_CHECKING:
    from ssl_domains.engine import Run, RunConfig

__all__ = ["environment_rows", "facts", "headline", "rule_text", "shown_config", "view_steps", "warnings"]

_PATHS = ("data.samples", "data.store")
_NAMED_STARTS = ("random", "pretrained")


def headline(run: Run) -> str:
    """One sentence: encoder, method and number of training samples."""
    config = run.config
    verb = "trained" if run.step > 0 else "initialised, not trained,"
    samples = f"{run.data_fingerprint['rows']:,} samples"
    return f"{config.encoder.name} {verb} with {config.method.name} on {samples}"


def rule_text(run: Run) -> dict[str, str] | None:
    """``text`` of the rule, ``name`` of the pair sampler, a ``note`` on controls; None where nothing reads pairs."""
    pairs = run.config.pairs
    notes = []
    if pairs.rule == "none":
        if not run.environment.get("reads_pairs", True):
            return None
        simclr = run.config.method.name == "simclr"
        notes.append("no relation: positives are a sample's own views (SimCLR)" if simclr else "no relation")
    elif pairs.relations == "none":
        notes.append("control: batches by the rule, but positives are a sample's own views only")
    if pairs.shuffle_metadata is not None:
        notes.append(f"control: the columns it reads were shuffled, seed {pairs.shuffle_metadata}")
    return {"text": pairs.rule, "name": pairs.name or "", "note": "; ".join(notes)}


def facts(run: Run, metrics: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(name, value) for the head of the page."""
    config, environment = run.config, run.environment
    images, wait = speed(metrics)
    rows = [
        ("Steps", f"{max(0, run.step):,}"),
        ("Epochs", f"{config.train.epochs:,}"),
        ("Batch", f"{config.train.batch_size:,} × {config.views.n} views"),
        ("Batches", composition(run.pairs)),
        ("Input", _input(run.preprocess.spec)),
        ("First weights", config.encoder.init if config.encoder.init in _NAMED_STARTS else "another run or file"),
        ("Optimiser", f"{config.train.optimizer}, lr {config.train.lr:g}"),
        ("Seed", str(config.train.seed)),
        ("Device", f"{environment.get('device', 'unknown')}, {environment.get('precision', 'unknown')}"),
    ]
    if images is not None:
        rows.append(("Speed", f"{images:,.0f} samples/s"))
    if wait is not None:
        rows.append(("Data wait", f"{wait:.0%}"))
    return rows


def warnings(run: Run, metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether the run is unfinished, the first and the last warning of the training, and all warnings on the pairs."""
    texts = [f"step {row['step']}: {row['warning']}" for row in metrics if row.get("warning")]
    unfinished = [run.unfinished_remark()] if run.step >= 0 else []
    return [*filter(None, unfinished), *texts[:1], *(texts[-1:] if len(texts) > 1 else []), *run.pairs["warnings"]]


def view_steps(recipe: Mapping[str, Any]) -> list[dict[str, str]]:
    """``name``, ``settings`` and ``reason`` of the crop and of each view step; with multi-crop, of each variant."""
    rows = []
    for variant in recipe.get("variants", ()):
        views = plural(variant["views"], f"{variant['name']} view")
        rows += [{**row, "name": f"{row['name']} ({views})"} for row in view_steps({"steps": variant.get("steps", ())})]
    if "crop" in recipe:
        crop = {key: value for key, value in recipe["crop"].items() if key != "name"}
        text = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in crop.items())
        reason = "a view shows a part of a sample"
        rows.append({"name": f"{recipe['crop']['name']} crop", "settings": text, "reason": reason})
    for step in recipe.get("steps", ()):
        settings = {key: value for key, value in step.items() if key not in ("name", "reason") and value is not None}
        text = ", ".join(f"{key} {_setting(value)}" for key, value in settings.items())
        rows.append({"name": step["name"], "settings": text, "reason": step.get("reason", "")})
    return rows


def shown_config(config: RunConfig) -> list[tuple[str, str]]:
    """(dotted key, value as JSON) of the configuration; paths are left out."""
    values = {key: value for key, value in config.flat().items() if key not in _PATHS and value is not None}
    if config.encoder.init not in _NAMED_STARTS:
        values["encoder.init"] = "(another run or file)"
    return [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()]


def environment_rows(run: Run) -> list[tuple[str, str]]:
    """(name, value) of versions, commit, kind of machine, and the hash of the training rows."""
    known = run.environment
    rows = [(name, str(version)) for name, version in {**known.get("versions", {}), **known.get("plugins", {})}.items()]
    rows += [(name, str(known[name])) for name in ("commit", "python", "system", "machine") if known.get(name)]
    return [*rows, ("training rows, SHA-256", str(run.data_fingerprint.get("samples", "unknown"))[:16])]


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return "–".join(_setting(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _input(spec: InputSpec) -> str:
    """Shape of the encoder's input: ``64 × 64, 1 channel``; a ragged side is "any length"."""
    sides = " × ".join("any length" if side is None else str(side) for side in spec.space)
    return f"{sides}, {spec.channels} channel{'s' if spec.channels != 1 else ''}"
