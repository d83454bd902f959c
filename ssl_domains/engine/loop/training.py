"""The training loop: train on a table, a store and a rule, and write a run folder.

A run may be killed at any moment and resumed from its last checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.estimate import StepTimer
from ssl_domains.engine.loop.feature_file import remove_leftovers
from ssl_domains.engine.loop.monitor import Monitor, steps_between_measurements
from ssl_domains.engine.loop.online_knn import online_labels
from ssl_domains.engine.loop.parts import Parts, recipe_of
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.allocation import freed_memory_kept
from ssl_domains.engine.processes.determinism import same_bits
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.processes.generators import generator_states, restore_generators, seeded
from ssl_domains.engine.processes.interruption import Interruption
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.record.checkpoint import (
    Checkpoints,
    OtherConfigError,
    OtherSamplesError,
    refuse_other_config,
)
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.events import Event, Finished, Listener, Refreshed, Saved, Started, Stopped, Warned
from ssl_domains.engine.record.provenance import data_fingerprint, environment
from ssl_domains.engine.record.run import Run
from ssl_domains.engine.record.trackers import MetricsFile, Tracker, create_trackers
from ssl_domains.engine.record.trained_table import TABLE_FILE, table_record
from ssl_domains.engine.record.training_rows import training_rows
from ssl_domains.engine.step.feed import Batch
from ssl_domains.pairs import Computed
from ssl_domains.pairs.sampling.seats import reads
from ssl_domains.samples import Regions
from ssl_domains.views import preprocess_from_dict, preprocess_to_dict, recipe_to_dict

__all__ = ["pretrain"]

# A checkpoint is saved every epoch, but not more often: on a small table, saving would take longer than training.
_FEWEST_STEPS_BETWEEN_CHECKPOINTS = 50


def pretrain(
    config: RunConfig,
    parts: Parts,
    out: str | Path,
    *,
    resume: bool = False,
    on_event: Listener | None = None,
    nuisance: Sequence[str] = (),
    regions: Regions | None = None,
) -> Run:
    """Pre-train an encoder.

    On a CPU, the same configuration gives the same weights bit for bit. They do not depend on what ran before in the
    process, on the number of workers, or on where the run was killed and resumed. The global random generators of the
    process are restored afterwards.

    Args:
        config: The configuration. Its ``pairs.rule``, composition, ``views.size`` and ``views.n`` are replaced by those
            of ``parts``.
        parts: The training rows, their arrays, the rule, its batches, the views and the method.
        out: The run folder.
        resume: Resume the run in ``out`` from its last checkpoint.
        on_event: Called with every event: step, measurement, warning, checkpoint.
        nuisance: Columns that should not explain the pairs; reported in ``pairs.json``.
        regions: Region of each row, by which ``pairs.json`` counts the voxels that positives share; None takes those of
            the table.

    Returns:
        The finished run.

    Raises:
        UsageError: When ``out`` holds a run and ``resume`` is False, when there is nothing to resume, when the
            checkpoint was made with another configuration, or when another process trains into ``out``.
        DataError: When the pairs can't be trained on, a checkpoint can't be read, the samples are not those of the
            resumed run, or the loss is not a finite number.
        ResourceError: When disk or memory run out.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; the current step is finished and saved first.
    """
    run = Run(Path(out))
    with ExitStack() as stack:
        world = stack.enter_context(processes())
        stack.enter_context(exhaustion_as_resource_error())
        saved: dict[str, Any] = {}
        with world.together():
            if world.first:
                stack.enter_context(Run.alone(run.folder))
            Run.require_resumable(run.folder) if resume else Run.require_new(run.folder)
            config = resolve_config(config, parts)
            device = resolve_device(config.train.device)
            columns, edge_files = reads(parts.composition, parts.table)
            fingerprint = data_fingerprint(
                parts.table,
                parts.objective.columns | columns,
                dict.fromkeys([*parts.objective.edge_files, *edge_files]),
            )
            if parts.records:
                fingerprint["records"] = sha256(json.dumps(parts.records, sort_keys=True).encode()).hexdigest()
            checkpoints = Checkpoints(run.folder / "checkpoints", config.train.keep)
            if resume:
                saved = checkpoints.load()
                with checkpoints.damaged():
                    refuse_other_config(saved["config"], config)
                    data = json.loads(saved["data"])
                # Checked before the rule is bound: other rows would fail later with less clear errors.
                if data != fingerprint:
                    message = "the samples are not those of the run to resume"
                    raise OtherSamplesError(message, "give the table it was started with")
                if run.recipe != json.loads(json.dumps(recipe_to_dict(recipe_of(config, parts)))):
                    message = "the views are not those that the run to resume was started with"
                    raise OtherConfigError(message, "start a new run, or go on with the version that started this one")
        stack.enter_context(seeded(config.train.seed))
        stack.enter_context(same_bits(device))
        assembled = (
            _reassemble(config, parts, world, saved, run.folder)
            if resume
            else assemble(config, parts, world, folder=run.folder)
        )
        with world.together():
            if world.first and not resume:
                report = assembled.plan.inspect(config.health.label, nuisance, regions)
                report.check()
                _write_origin(run, assembled, parts, fingerprint, report.to_dict())
            if world.first:
                made_by = environment(assembled.device, assembled.step.precision, world.size)
                run.write_json("environment.json", {**made_by, "reads_pairs": assembled.method.needs.pairs})
                # Written last of the small files: a folder with config.toml is a run folder.
                run.write_text("config.toml", assembled.config.to_toml())
        # Only now: the buffers of the set-up are not needed again.
        stack.enter_context(freed_memory_kept(device))
        listener = on_event if on_event is not None and world.first else _silence
        _Training(run, checkpoints, assembled, parts, fingerprint, listener, world).go_on(saved)
        world.wait()
    return Run.open(run.folder)


def _reassemble(config: RunConfig, parts: Parts, world: World, saved: Mapping[str, Any], folder: Path) -> Assembled:
    checkpoints = Run(folder).checkpoints
    with checkpoints.damaged():
        computed = Computed.from_state(saved["computed"]) if "computed" in saved else None
        fitted, preprocess = json.loads(saved["fitted"]), preprocess_from_dict(json.loads(saved["preprocess"]))
    assembled = assemble(
        config,
        parts,
        world,
        fitted=fitted,
        preprocess=preprocess,
        computed=computed,
        load_initial=False,
        folder=folder,
    )
    with world.together(), checkpoints.damaged():
        assembled.method.load_state_dict(saved["method"])
        assembled.step.optimiser.load_state_dict(saved["optimiser"])
        assembled.plan.sampler.load_state_dict(saved["sampler"])
        generators = [saved["generators"], *saved.get("other_generators", ())]
        if world.rank < len(generators):
            restore_generators(generators[world.rank])
    return assembled


def _write_origin(
    run: Run, assembled: Assembled, parts: Parts, fingerprint: Mapping[str, Any], report: Mapping[str, Any]
) -> None:
    run.write_json("data_fingerprint.json", fingerprint)
    run.write_json("preprocess.json", preprocess_to_dict(assembled.preprocess))
    run.write_json("recipe.json", recipe_to_dict(assembled.step.recipe))
    run.write_json("fitted.json", assembled.plan.fitted)
    run.write_json("pairs.json", report)
    run.write_frame("training_samples.parquet", training_rows(parts.table))
    run.write_json(TABLE_FILE, table_record(parts.table))
    for name, values in parts.records.items():
        run.write_json(name, values)


@dataclass
class _Training:
    """The loop over epochs and steps, with measurements and checkpoints."""

    run: Run
    checkpoints: Checkpoints
    assembled: Assembled
    parts: Parts
    fingerprint: Mapping[str, Any]
    emit: Listener
    world: World
    epoch: int = 0
    """Epoch of the next step, from 0."""
    at: int = 0
    """Steps done in this epoch."""
    refreshed: int = 0
    """Epoch of the last refresh of the method's computed columns; −1 before the first."""
    refreshing: float = 0.0
    """Seconds that refreshes took."""
    began: float = 0.0
    """When training started or was resumed, by `time.perf_counter`."""
    monitor: Monitor = field(init=False)

    def go_on(self, saved: Mapping[str, Any]) -> None:
        """Train until the last step, from a checkpoint, or from the start when ``saved`` is empty."""
        step = int(saved.get("step", 0))
        sampler = saved.get("sampler", {})
        self.epoch, self.at = int(sampler.get("epoch", 0)), int(sampler.get("step", 0))
        refresh = self.assembled.method.refresh
        self.refreshed = int(saved.get("refreshed", 0 if refresh is None or refresh.due(0) else -1))
        trackers: list[Tracker] = []
        with self.world.together():
            if self.world.first:
                self.checkpoints.clean()
                remove_leftovers(self.run.folder)
                MetricsFile(self.run.folder / "metrics.jsonl").trim(step)
                trackers = create_trackers(self.assembled.config.train.trackers, self.run.folder)
        self.emit(self._started(step))
        for warning in self.assembled.warnings:
            self.emit(Warned(warning))
        self.began = time.perf_counter()
        self.monitor = self._monitor(trackers)
        if "unmeasured" in saved:
            with self.checkpoints.damaged():
                self.monitor.load_state_dict(saved["unmeasured"])
        try:
            if step == 0:
                # A run that is killed in its first steps can then be resumed too.
                self.save(0)
            with Interruption(repeated=self.world.size > 1) as interruption:
                step = self._steps(step, interruption)
        except BaseException:
            self.emit(Stopped(step))
            raise
        finally:
            for tracker in trackers:
                tracker.close()
        self.emit(Finished(step, time.perf_counter() - self.began))

    def _steps(self, step: int, interruption: Interruption) -> int:
        assembled, world, monitor = self.assembled, self.world, self.monitor
        train, total = assembled.config.train, assembled.total_steps
        every = train.checkpoint_every_steps or max(assembled.steps_per_epoch, _FEWEST_STEPS_BETWEEN_CHECKPOINTS)
        timer = StepTimer(total, step, assembled.device)
        while step < total:
            self._refresh_when_due()
            batches = assembled.feed.epoch(self.epoch, self.at, step - self.at)
            while (batch := self._next(batches)) is not None:
                with world.step():
                    result = assembled.step(batch, step)
                    lr = train.lr * assembled.step.schedule.factor(step)
                    step += 1
                    self.at += 1
                    monitor.after(step, batch, result, lr)
                estimate = timer.after(step)
                if estimate is not None:
                    self.emit(estimate)
                stop = world.any(interruption.requested)
                if step % every == 0 or step == total or stop:
                    with world.step():
                        monitor.require_finite(step)
                    self.save(step)
                if stop:
                    world.agreed = True
                    raise KeyboardInterrupt
                if step == total:
                    break
            self.epoch, self.at = self.epoch + 1, 0
        return step

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        with self.world.together():
            return next(batches, None)

    def save(self, step: int) -> None:
        """Save a checkpoint of the state after ``step`` steps."""
        assembled = self.assembled
        schedule = assembled.step.schedule
        generators = self.world.collect(generator_states())
        # Position of the training; workers may have read further.
        whole = self.at == len(assembled.plan.sampler)
        position = {"epoch": self.epoch + 1, "step": 0} if whole else {"epoch": self.epoch, "step": self.at}
        state: dict[str, Any] = {
            "method": assembled.method.state_dict(),
            "optimiser": assembled.step.optimiser.state_dict(),
            "schedule": {"total_steps": schedule.total_steps, "warmup_steps": schedule.warmup_steps},
            "sampler": {**assembled.plan.sampler.state_dict(), **position},
            "generators": generators[0],
            "other_generators": generators[1:],
            "config": assembled.config.model_dump_json(),
            "fitted": json.dumps(assembled.plan.fitted),
            "preprocess": json.dumps(preprocess_to_dict(assembled.preprocess)),
            "data": json.dumps(self.fingerprint),
            "unmeasured": self.monitor.state_dict(),
        }
        if assembled.refresher is not None:
            state["computed"] = assembled.plan.binding.computed.to_state()
            state["refreshed"] = self.refreshed
        with self.world.together():
            if self.world.first:
                self.emit(Saved(self.checkpoints.save(step, state), step))

    def _refresh_when_due(self) -> None:
        refresh = self.assembled.method.refresh
        if refresh is None or self.at or not refresh.due(self.epoch) or self.epoch == self.refreshed:
            return
        before = time.perf_counter()
        self.assembled.refresh()
        self.refreshed = self.epoch
        with self.world.together():
            if self.world.first:
                # New clusters may give pairs that can't be trained on: one cluster for all samples, or one for each.
                report = self.assembled.plan.inspect()
                for warning in report.warnings:
                    self.emit(Warned(warning))
                report.check()
        now = time.perf_counter()
        self.refreshing += now - before
        share = self.refreshing / (now - self.began)
        self.emit(Refreshed(self.epoch, (*refresh.columns, *refresh.edges), now - before, share))

    def _monitor(self, trackers: Sequence[Tracker]) -> Monitor:
        assembled, health = self.assembled, self.assembled.config.health
        labels = None if health.label is None else online_labels(self.parts.table, health.label, health.group)
        return Monitor(
            every=health.every_steps or steps_between_measurements(assembled.total_steps),
            total_steps=assembled.total_steps,
            steps_per_epoch=assembled.steps_per_epoch,
            names=assembled.plan.scored_by.names if assembled.method.needs.pairs else (),
            labels=labels,
            neighbours=health.neighbours,
            temperature=lambda: assembled.method.temperature,
            trackers=trackers,
            emit=self.emit,
            world=self.world,
            unit_z=assembled.method.needs.unit_z,
            collapse=assembled.method.needs.collapse,
        )

    def _started(self, step: int) -> Started:
        assembled = self.assembled
        return Started(
            samples=len(self.parts.table),
            steps_per_epoch=assembled.steps_per_epoch,
            total_steps=assembled.total_steps,
            step=step,
            parameters=assembled.parameters,
            device=str(assembled.device),
            precision=assembled.step.precision,
            composition=assembled.composition,
            fitted=tuple(getattr(assembled.preprocess, "fitted", ())),
        )


def _silence(event: Event) -> None:
    pass
